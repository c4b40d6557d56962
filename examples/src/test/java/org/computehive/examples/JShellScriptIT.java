package org.computehive.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs the scripts as the README says, with the jshell of the JDK that runs the tests. */
class JShellScriptIT {
    private static final long LIMIT_SECONDS = 120;

    @TempDir
    private Path folder;

    private String run(String script) throws IOException, InterruptedException {
        Path jshell = Path.of(System.getProperty("java.home"), "bin", "jshell");
        assertTrue(
                Files.isExecutable(jshell),
                jshell + " is missing: run the tests with a whole JDK (openjdk-21-jdk-headless or newer)");
        Path lib = Path.of("target", "lib");
        assertTrue(Files.isDirectory(lib), lib + " is missing: `package` makes it, run `verify`");
        Path out = folder.resolve("out.txt");
        Process process = new ProcessBuilder(List.of(
                        jshell.toString(),
                        "-J-Djava.util.prefs.userRoot=" + folder,
                        "--feedback",
                        "silent",
                        "--class-path",
                        "target/lib/*" + File.pathSeparator + "target/classes",
                        Path.of("jshell", script).toString()))
                .redirectInput(new File("/dev/null"))
                .redirectError(folder.resolve("err.txt").toFile())
                .redirectOutput(out.toFile())
                .start();
        try {
            assertTrue(
                    process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS), "jshell did not end: " + Files.readString(out));
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String text = Files.readString(out);
        assertEquals(0, process.exitValue(), text + Files.readString(folder.resolve("err.txt")));
        return text;
    }

    @Test
    void priceAndRent_suggestsAPrice_andOpensARental() throws Exception {
        String text = run("price-and-rent.jsh");
        assertTrue(
                text.matches(
                        "(?s)suggested [0-9.]+ USD/h, likely [0-9.]+ to [0-9.]+, confidence (HIGH|MEDIUM|LOW)\n.*"),
                text);
        assertTrue(text.contains("  x "), text);
        assertTrue(
                text.lines()
                        .anyMatch(line ->
                                line.matches("rental is ACTIVE, deposit [0-9.]+ USD, [0-9]+ entries in the audit log")),
                text);
        assertFalse(text.contains("Exception") || text.contains("rror"), text);
    }

    @Test
    void rankPricing_ranksThePolicies_andOneOfItsOwn() throws Exception {
        String text = run("rank-pricing.jsh");
        for (String policy : List.of("ours", "peers' median", "a fifth over peers")) {
            assertTrue(text.lines().anyMatch(line -> line.contains(policy) && line.matches(".*[0-9].*")), text);
        }
        assertFalse(text.contains("Exception") || text.contains("rror"), text);
    }
}
