package org.computehive.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Looks at other processes through {@code /proc}. */
final class Processes {
    private Processes() {}

    /** Reads a file that holds a process number. */
    static Optional<Long> read(Path pidFile) {
        try {
            return Optional.of(Long.parseLong(Files.readString(pidFile).strip()));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** Returns the processes of a program whose arguments mention a text. */
    static List<ProcessHandle> mentioning(String program, String text) {
        return ProcessHandle.allProcesses()
                .filter(process -> arguments(process).contains(program) && mentions(process, text))
                .toList();
    }

    /** Returns whether a process's arguments mention a text; a number that was given to another process won't. */
    static boolean mentions(ProcessHandle process, String text) {
        return arguments(process).contains(text);
    }

    private static String arguments(ProcessHandle process) {
        try {
            return Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * Waits until a process has ended. One that has ended and was not yet collected by process 1 counts: its memory and
     * files are gone.
     */
    static boolean awaitEnd(ProcessHandle process, Duration limit) {
        if (ended(process)) {
            return true;
        }
        try {
            process.onExit().get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException | ExecutionException e) {
            return ended(process);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static boolean ended(ProcessHandle process) {
        try {
            String stat = Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), "stat"), StandardCharsets.ISO_8859_1);
            return stat.charAt(stat.lastIndexOf(')') + 2) == 'Z';
        } catch (IOException e) {
            return true;
        }
    }
}
