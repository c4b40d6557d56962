package org.computehive.vm;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.computehive.rental.HypervisorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs external programs: arguments as a list, never through a shell; bounded output; a time limit. */
final class Tool {
    private static final Logger LOG = LoggerFactory.getLogger(Tool.class);
    private static final int LINES_KEPT = 40;

    private Tool() {}

    /**
     * How a program ended.
     *
     * @param exit its exit status, or -1 if it ran past its limit and was ended
     * @param lastLines the last lines it wrote
     */
    record Outcome(int exit, String lastLines) {
        boolean succeeded() {
            return exit == 0;
        }
    }

    /** Runs a program to its end and keeps its last lines. */
    static Outcome run(List<String> argv, Duration limit, String debianPackage) {
        return run(argv, Map.of(), limit, debianPackage, line -> {});
    }

    /** Runs a program to its end with a text for its standard input, and keeps its last lines. */
    static Outcome feed(List<String> argv, String input, Duration limit, String debianPackage) {
        return run(argv, Map.of(), input, limit, debianPackage, line -> {});
    }

    /**
     * Runs a program to its end.
     *
     * @param argv the program and its arguments; nothing secret may be among them
     * @param environment what is added to the environment
     * @param limit after which it is ended
     * @param debianPackage what to install where it is missing
     * @param onLine gets each line that it writes
     * @throws HypervisorException.Lacking if the program is not installed
     */
    static Outcome run(
            List<String> argv,
            Map<String, String> environment,
            Duration limit,
            String debianPackage,
            Consumer<String> onLine) {
        return run(argv, environment, "", limit, debianPackage, onLine);
    }

    private static Outcome run(
            List<String> argv,
            Map<String, String> environment,
            String input,
            Duration limit,
            String debianPackage,
            Consumer<String> onLine) {
        var builder = new ProcessBuilder(argv)
                .redirectErrorStream(true)
                .directory(Path.of("/").toFile());
        builder.environment().putAll(environment);
        builder.environment().put("LC_ALL", "C");
        if (input.isEmpty()) {
            builder.redirectInput(
                    ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        }
        Process process;
        try {
            process = builder.start();
        } catch (IOException e) {
            throw new HypervisorException.Lacking(
                    "%s can't be run (%s): install the Debian package %s"
                            .formatted(argv.getFirst(), e.getMessage(), debianPackage),
                    e);
        }
        var last = new ArrayDeque<String>();
        Thread reader = Thread.ofVirtual().start(() -> read(process, last, onLine));
        if (!input.isEmpty()) {
            Thread.ofVirtual().start(() -> write(process, input));
        }
        try {
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                end(process);
            }
            reader.join(Duration.ofSeconds(2));
            synchronized (last) {
                return new Outcome(ended ? process.exitValue() : -1, String.join("\n", last));
            }
        } catch (InterruptedException e) {
            end(process);
            Thread.currentThread().interrupt();
            throw new HypervisorException.Lacking("interrupted while %s ran".formatted(argv.getFirst()), e);
        }
    }

    private static void end(Process process) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
    }

    private static void write(Process process, String input) {
        try (BufferedWriter writer = process.outputWriter(StandardCharsets.UTF_8)) {
            writer.write(input);
        } catch (IOException e) {
            // It ended without reading all: its exit status and its own words tell more.
            LOG.debug("input was not read to its end: {}", e.getMessage());
        }
    }

    private static void read(Process process, ArrayDeque<String> last, Consumer<String> onLine) {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                String shown = Printable.line(line);
                synchronized (last) {
                    last.addLast(shown);
                    if (last.size() > LINES_KEPT) {
                        last.removeFirst();
                    }
                }
                onLine.accept(shown);
            }
        } catch (IOException e) {
            // The stream ends with the process; there is nothing more to read.
            synchronized (last) {
                last.addLast("(output ended: " + e.getMessage() + ")");
            }
        }
    }
}
