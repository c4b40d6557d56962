package org.computehive.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/** Looks at other processes through {@code /proc}. */
final class Processes {
    private static final long LOOK_NANOS = 2_000_000;

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
        long end = System.nanoTime() + limit.toNanos();
        // The JDK looks at processes that are not its children three times a second at most.
        while (!ended(process)) {
            if (System.nanoTime() > end || Thread.currentThread().isInterrupted()) {
                return false;
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
        return true;
    }

    /** Returns how much of the host's memory a process has, in MiB; 0 where it has ended. */
    static long residentMiB(long pid) {
        try {
            return Files.readAllLines(Path.of("/proc", Long.toString(pid), "status"), StandardCharsets.ISO_8859_1)
                            .stream()
                            .filter(line -> line.startsWith("VmRSS:") || line.startsWith("HugetlbPages:"))
                            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
                            .sum()
                    >> 10;
        } catch (IOException e) {
            return 0;
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
