package org.computehive.server.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.computehive.chain.AnvilNode;
import org.computehive.server.platform.FolderTree;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The crash test in short, in a process of its own; {@code -Dcomputehive.seed=} draws other instants. */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class CrashIT {
    private Path folder = Path.of("");

    @BeforeEach
    void makeFolder() throws IOException {
        // Other users' programs pass through it, and a socket's path is short.
        folder = Files.createTempDirectory("chit-");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }

    @AfterEach
    void nothingIsLeft() throws IOException {
        try (Stream<Path> left = Files.list(folder)) {
            assertEquals(List.of(), left.toList(), "files left");
        } finally {
            FolderTree.delete(folder);
        }
        String name = folder.getFileName().toString();
        assertEquals(
                List.of(),
                ProcessHandle.allProcesses()
                        .filter(process -> commandLine(process).contains(name))
                        .map(CrashIT::commandLine)
                        .toList(),
                "processes left");
    }

    private static String commandLine(ProcessHandle process) {
        try {
            return Files.readString(
                    Path.of("/proc", Long.toString(process.pid()), "cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    @Test
    void killedAloneAndBesideAReplica_withOutages_doesNothingTwiceAndLosesNothing() throws Exception {
        long seed = Long.getLong("computehive.seed", 1);

        Outcome outcome = crashTest("--kills", "6", "--points", "8", "--outages", "--seed", Long.toString(seed));

        assertEquals(0, outcome.exit(), outcome.said());
        assertTrue(outcome.said().contains("nothing acknowledged lost"), outcome.said());
    }

    @Test
    void faultsBuiltIn_areFoundOneByOne() throws Exception {
        Outcome outcome = crashTest(
                "--kills",
                "0",
                "--points",
                "libvirt.create/after,Hypervisor.start/after",
                "--replicas",
                "1",
                "--outages",
                "--fault",
                "second-vm,machine-left,second-entry,wrong-payment,changed-calendar");

        assertEquals(1, outcome.exit(), outcome.said());
        assertFound(outcome, "no rental has two domains");
        assertFound(outcome, "no domain is left");
        assertFound(outcome, "no event is in a log twice");
        assertFound(outcome, "the engine knows what the chain paid");
        assertFound(outcome, "a calendar message has one content");
        deleteEvidence();
    }

    /** Both show in an engine that nobody kills: one that is dead while the chain is dark takes nothing for unpaid. */
    @Test
    void auditLogThatComesLate_andUnknownTakenForUnpaid_areFound() throws Exception {
        Outcome outcome = crashTest(
                "--kills",
                "0",
                "--points",
                "none",
                "--replicas",
                "1",
                "--outages",
                "--fault",
                "late-audit,unknown-is-unpaid");

        assertEquals(1, outcome.exit(), outcome.said());
        assertFound(outcome, "an escrow is opened once, and the engine knows it");
        assertFound(outcome, "seen while it ran");
        assertTrue(outcome.said().contains("was in the audit log"), outcome.said());
        deleteEvidence();
    }

    @Test
    void interrupted_leavesNothingRunning() throws Exception {
        Process process = start("--kills", "500");
        try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
            var said = new ArrayList<String>();
            do {
                String line = lines.readLine();
                assertTrue(line != null, () -> "it ended before an engine ran: " + said);
                said.add(line);
            } while (!said.getLast().contains("an engine runs"));

            // By its handle: the process itself would close what we read from.
            process.toHandle().destroy();

            assertTrue(lines.lines().anyMatch(each -> each.contains("stopped; nothing is left running")));
        }
        assertEquals(128 + 15, process.waitFor());
    }

    private static void assertFound(Outcome outcome, String check) {
        assertTrue(isFound(outcome, check), () -> check + " was not seen: " + outcome.said());
    }

    private static boolean isFound(Outcome outcome, String check) {
        return outcome.said().contains("VIOLATION  " + check);
    }

    private record Outcome(int exit, String said) {}

    @Test
    void lostEvent_isNoticedByTheNextEngine() throws Exception {
        Outcome outcome = crashTest(
                "--kills", "0", "--points", "Hypervisor.start/after", "--replicas", "1", "--fault", "lost-event");

        assertTrue(outcome.exit() != 0, outcome.said());
        assertTrue(
                outcome.said().contains("events that the store doesn't")
                        || outcome.said().contains("VIOLATION  what was acknowledged is in the history"),
                outcome.said());
        deleteEvidence();
    }

    /** A run that failed keeps its evidence. */
    private void deleteEvidence() throws IOException {
        try (Stream<Path> kept = Files.list(folder)) {
            for (Path each : kept.toList()) {
                FolderTree.delete(each);
            }
        }
    }

    private Outcome crashTest(String... arguments) throws IOException, InterruptedException {
        Process process = start(arguments);
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.println(said);
        return new Outcome(process.waitFor(), said);
    }

    private Process start(String... arguments) throws IOException {
        var words = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.io.tmpdir=" + folder,
                "-Dcomputehive.anvil="
                        + AnvilNode.find(Path.of("..").toAbsolutePath().normalize()),
                "-cp",
                System.getProperty("java.class.path"),
                CrashTest.class.getName()));
        words.addAll(List.of(arguments));
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        return process;
    }
}
