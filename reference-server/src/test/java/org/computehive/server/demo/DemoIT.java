package org.computehive.server.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.fortuna.ical4j.data.CalendarBuilder;
import net.fortuna.ical4j.model.Calendar;
import net.fortuna.ical4j.model.Component;
import org.computehive.audit.Anchored;
import org.computehive.audit.Quorum;
import org.computehive.audit.Verifier;
import org.computehive.audit.VerifierKey;
import org.computehive.audit.WitnessKey;
import org.computehive.server.platform.FolderTree;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole walk in a process of its own, to its end and cut off. */
class DemoIT {
    /** Where a line of the table of checks begins to say what was seen. */
    private static final int PROMISE_END = 64;

    private static final Duration STOP_LIMIT = Duration.ofSeconds(20);

    /** What a user is shown of the parts beside the walk itself. */
    private static final List<String> PROMISES = List.of(
            "the price's reasons multiply to it",
            "a listing can't hide that a device is emulated",
            "the offer carries the listing's terms and bond to the chain",
            "deposit and bond are locked on the chain",
            "called off in time: all back",
            "the gateway leads to the renter's VM and nowhere else",
            "the audit log holds that refusal's exact reason",
            "who guesses is shut out",
            "no more than the rental's rate flows",
            "the teardown is proved",
            "a look of our own finds no process and no file of it",
            "the lender's bond came back whole",
            "iTIP to the lender of what was called off",
            "the renter's invoice sums to the chain's",
            "two of three witnesses suffice",
            "the chain holds the cosigned checkpoint",
            "the audit log verifies, cosigned and anchored",
            "a rewritten history holds by itself; the anchor catches it",
            "the witnesses cosign no rewritten history");

    private DemoProcess.Places places;

    @BeforeEach
    void makePlaces() throws IOException {
        places = DemoProcess.Places.make();
    }

    @AfterEach
    void removePlaces() throws IOException {
        FolderTree.delete(places.base());
    }

    @Test
    void demo_toItsEnd_holdsEveryCheckAndLeavesOnlyArtefacts() throws Exception {
        String output;
        try (var demo = DemoProcess.start(places)) {
            assertEquals(0, demo.awaitExit(), demo::output);
            output = demo.output();
            assertTrue(demo.output().contains("DONE: 39 of 39 checks held"), demo::output);
            assertFalse(demo.output().contains("✘"), demo::output);
            for (String promise : PROMISES) {
                assertTrue(demo.output().contains("✔ " + promise), () -> promise + ":\n" + demo.output());
            }
        }
        places.assertNothingLeft();
        assertThePictureShowsEveryCheck(output);
        assertInvoicesAreOneMonths();
        assertCalendarsAreValid();
        assertAuditLogVerifies();
        assertNoPrivateKeys();
    }

    private void assertCalendarsAreValid() throws Exception {
        List<Path> files = DemoProcess.walked(places.artefacts().resolve("calendar")).stream()
                .filter(Files::isRegularFile)
                .toList();
        // To each party the invitation, and the update that shortens it: the renter ends early. To each of what was
        // called
        // off, the invitation and the cancellation.
        assertEquals(8, files.size(), files::toString);
        for (Path file : files) {
            try (var in = Files.newInputStream(file)) {
                Calendar calendar = new CalendarBuilder().build(in);
                assertFalse(calendar.validate().hasErrors(), () -> calendar + " " + calendar.validate());
                assertEquals(1, calendar.getComponents(Component.VEVENT).size());
            }
        }
    }

    private void assertAuditLogVerifies() throws IOException {
        String key =
                Files.readString(places.artefacts().resolve("audit-key.txt")).strip();
        List<String> trust = Files.readAllLines(places.artefacts().resolve("audit-trust.txt"));
        List<WitnessKey> witnesses =
                following("--witness", trust).map(WitnessKey::parse).toList();
        int needed = Integer.parseInt(following("--quorum", trust).findFirst().orElseThrow());
        String[] anchor = following("--anchor", trust).findFirst().orElseThrow().split(":");
        VerifierKey log = VerifierKey.parse(key);
        var anchored = new Anchored(
                Anchored.originHash(log.name()),
                Long.parseLong(anchor[0]),
                HexFormat.of().parseHex(anchor[1]));
        var report = new Verifier(log)
                .verify(
                        places.artefacts().resolve("audit"),
                        List.of(),
                        List.of(),
                        List.of(anchored),
                        new Quorum(needed, witnesses));
        assertTrue(report.holds(), report::toString);
        assertEquals(3, witnesses.size());
        assertEquals(2, needed);
    }

    private static Stream<String> following(String option, List<String> words) {
        return IntStream.range(1, words.size())
                .filter(i -> words.get(i - 1).equals(option))
                .mapToObj(words::get);
    }

    private static void assertThePictureShowsEveryCheck(String output) throws IOException {
        String picture = Files.readString(Path.of("../docs/demo.svg"))
                .replaceAll("<[^>]*>", "")
                .replace("&amp;", "&");
        String table = output.substring(output.indexOf("\nChecks\n"), output.indexOf("\nTimes\n"));
        List<String> lacking = table.lines()
                .filter(line -> line.startsWith("  ✔ "))
                .map(line ->
                        line.substring(0, Math.min(line.length(), PROMISE_END)).stripTrailing())
                .filter(promise -> !picture.contains(promise))
                .toList();
        assertEquals(List.of(), lacking, "docs/demo.svg is older than these checks: run .ci/record-demo");
    }

    /** Two lines for each party: what was rented, and what was called off. */
    private void assertInvoicesAreOneMonths() throws IOException {
        List<Path> files = DemoProcess.walked(places.artefacts().resolve("invoices")).stream()
                .filter(Files::isRegularFile)
                .toList();
        assertEquals(4, files.size(), files::toString);
        for (Path file : files) {
            String text = Files.readString(file);
            assertEquals(
                    3,
                    (file.toString().endsWith(".csv") ? text : "-\n-\n-\n")
                            .lines()
                            .count(),
                    text);
            assertTrue(text.contains("demo-listing"), text);
        }
    }

    private void assertNoPrivateKeys() throws IOException {
        for (Path file : DemoProcess.walked(places.artefacts())) {
            if (Files.isRegularFile(file)) {
                String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
                assertFalse(
                        text.contains("PRIVATE KEY") || text.contains("openssh-key-v1"),
                        () -> file + " has a private key");
            }
        }
    }

    @Test
    void killedWhileActive_nextDemoSweepsAndRecoversTheMoneyOfItsDeadChain() throws Exception {
        try (var killed = DemoProcess.start(places)) {
            killed.awaitLine("the window starts; SSH banner");
            killed.signal("KILL");
            killed.awaitExit();
        }
        assertFalse(places.processes().isEmpty(), "the VM outlives a kill -9, for the next demo to end");
        FolderTree.delete(places.artefacts());
        try (var demo = DemoProcess.start(places, "--kill-chain")) {
            assertEquals(0, demo.awaitExit(), demo::output);
            assertTrue(demo.output().contains("✔ a chain that can't be read is unknown, not unpaid"), demo::output);
            assertTrue(demo.output().contains("✔ the renter recovered what the lender did not earn"), demo::output);
        }
        // What the JVM's libraries unpacked for themselves in the killed run is theirs to sweep.
        FolderTree.delete(places.temporary());
        Files.createDirectory(places.temporary());
        // It was there before the second demo, which leaves it, empty.
        Files.delete(places.state());
        places.assertNothingLeft();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "✔ start a chain node",
                "✔ open store, libvirt",
                "✔ reserve the window",
                "✔ the renter opens the escrow",
                "✔ the renter has a live connection",
                "✔ a second login is tried"
            })
    void interrupted_atAnyStep_stopsSoonAndLeavesOnlyArtefacts(String step) throws Exception {
        try (var demo = DemoProcess.start(places, "--window", "120")) {
            demo.awaitLine(step);
            long begin = System.nanoTime();
            demo.signal("INT");
            int exit = demo.awaitExit();
            Duration took = Duration.ofNanos(System.nanoTime() - begin);
            assertEquals(130, exit, demo::output);
            assertTrue(took.compareTo(STOP_LIMIT) < 0, () -> "took " + took + ":\n" + demo.output());
            assertTrue(demo.output().contains("nothing is left running"), demo::output);
            assertFalse(demo.output().contains("could not"), demo::output);
        }
        places.assertNothingLeft();
        assertNoPrivateKeys();
    }
}
