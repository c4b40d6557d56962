package org.computehive.schedule;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One machine for each zone: a JVM that was started there. */
class ClockChangesIT {
    @TempDir
    private Path folder;

    @Test
    void openings_inAJvmStartedInAnyZone_areTheSame() throws Exception {
        List<String> expected = ClockChanges.report();
        assertTrue(expected.size() > 30, "only %d lines".formatted(expected.size()));
        for (String zone : ClockChanges.ZONES) {
            Path output = folder.resolve("out");
            Process machine = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-XX:TieredStopAtLevel=1",
                            "-XX:+UseSerialGC",
                            "-Dfile.encoding=UTF-8",
                            "-Dstdout.encoding=UTF-8",
                            "-Duser.timezone=" + zone,
                            "-cp",
                            System.getProperty("java.class.path"),
                            ClockChanges.class.getName())
                    .redirectOutput(output.toFile())
                    .redirectErrorStream(true)
                    .start();
            try {
                assertTrue(machine.waitFor(120, TimeUnit.SECONDS), "JVM in %s took over 2 minutes".formatted(zone));
            } finally {
                machine.destroyForcibly();
            }
            List<String> lines = Files.readAllLines(output, UTF_8);
            assertEquals(zone, lines.getFirst());
            assertEquals(expected, lines.subList(1, lines.size()), "machine in " + zone);
        }
    }
}
