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

    @Test
    void priceEvaluation_withoutPrices_judgesTheModelByMadeUpOnes() throws Exception {
        String text = run("price-evaluation.jsh");
        assertTrue(text.contains("72 observations, 0 rows or files not used"), text);
        assertTrue(
                text.lines()
                        .anyMatch(line -> line.matches(
                                "market model: MAPE [0-9.]+ %, MdAPE [0-9.]+ %, the 80 % range held [0-9]+ % of 15")),
                text);
        for (String baseline : List.of("median of the same gpu", "linear", "hedonic", "forest")) {
            assertTrue(text.lines().anyMatch(line -> line.matches(baseline + ": MAPE [0-9.]+ %")), text);
        }
        assertFalse(text.contains("Exception") || text.contains("rror"), text);
    }

    @Test
    void auditReplay_verifiesReplaysAndNoticesAChangedByte() throws Exception {
        String text = run("audit-replay.jsh");
        assertTrue(text.contains("verified: example.org/audit"), text);
        assertTrue(text.lines().anyMatch(line -> line.endsWith(" access.accepted rental-1")), text);
        assertTrue(text.contains("3 entries, by type {access.accepted=1, rental.ended=1, rental.funded=1}"), text);
        assertTrue(text.contains("changed: "), text);
        assertFalse(text.contains("NOT VERIFIED") || text.contains("Exception") || text.contains("rror"), text);
    }

    @Test
    void usageAndManifest_sayWhatWasUsedAndProveEachEvent() throws Exception {
        String text = run("usage-and-manifest.jsh");
        assertTrue(text.lines().anyMatch(line -> line.matches("used PT[0-9]+S of PT1H, paid [0-9]+ of 1800000")), text);
        assertTrue(text.lines().anyMatch(line -> line.matches("manifest [0-9a-f]{64} \\{.*}")), text);
        assertTrue(text.contains("read again it is the same"), text);
        List<String> events =
                text.lines().filter(line -> line.contains("audit entry")).toList();
        assertTrue(events.getLast().startsWith("Settled -> SETTLED"), text);
        assertTrue(events.stream().allMatch(line -> line.endsWith(", in 1 audit entry")), text);
        assertFalse(text.contains("Exception") || text.contains("rror"), text);
    }
}
