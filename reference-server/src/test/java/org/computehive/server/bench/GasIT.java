package org.computehive.server.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.chain.AnvilNode;
import org.junit.jupiter.api.Test;

/** On a real chain node. The same calls are measured by the contract's own tests, whose snapshot is committed. */
class GasIT {
    private static final Path SNAPSHOT =
            Path.of("..", "computehive-chain", "src", "main", "solidity", "snapshots", "RentalEscrow.json");

    /** A zero byte of call data takes 12 gas less than another: keys and times differ from run to run. */
    private static final double TOLERANCE = 300;

    @Test
    void receipts_tellWhatTheCommittedSnapshotTells() throws Exception {
        String snapshot = Files.readString(SNAPSHOT);
        List<String> lines = new ArrayList<>();
        List<Figure> figures = new Gas().measure(AnvilNode.find(Path.of("..").toAbsolutePath()), lines::add);
        assertEquals(11 + 8, lines.size(), lines::toString);
        assertEquals(
                8,
                lines.stream().filter(line -> line.startsWith("  of which ")).count(),
                "what is called once is accounted for");
        Map<String, String> calls = Map.of(
                "open-from-wallet", "open, ERC-20 from the wallet",
                "open-from-ledger", "open, ERC-20 from the ledger",
                "open-native", "open, native coin",
                "settle", "settle",
                "end-early", "end early, with a refund",
                "receipt", "receipt of the renter, with a refund",
                "dispute", "dispute",
                "resolve", "resolve");
        calls.forEach((call, name) -> {
            Figure figure = named(figures, call);
            assertEquals(committed(snapshot, name), figure.ours(), TOLERANCE, call);
            assertEquals(figure.ours(), accounted(lines, call), 30, "the account of " + call);
            assertTrue(figure.json().matches(".*\"ours\":[0-9]{5},\"peer\":[0-9]{5},.*"), figure::json);
        });
        assertEquals(
                committed(snapshot, "settleMany of 20") / 20,
                named(figures, "settle-each-of-20").ours(),
                TOLERANCE);
        assertEquals(
                committed(snapshot, "settleMany of 100") / 100,
                named(figures, "settle-each-of-100").ours(),
                TOLERANCE);
    }

    /** Returns the sum of a call's account. */
    private static double accounted(List<String> lines, String call) {
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).startsWith(call + " ")) {
                return Arrays.stream(lines.get(i + 1)
                                .substring("  of which ".length())
                                .split(", "))
                        .mapToLong(part ->
                                Long.parseLong(part.replaceFirst("^[a-z]+ ", "").replace(",", "")))
                        .sum();
            }
        }
        throw new AssertionError("no line for " + call + " in " + lines);
    }

    private static Figure named(List<Figure> figures, String call) {
        return figures.stream()
                .filter(figure -> figure.bench().equals("gas/" + call + "-of-the-goal-gas"))
                .findFirst()
                .orElseThrow();
    }

    private static double committed(String snapshot, String name) {
        Matcher matcher = Pattern.compile("\"%s\": \"([0-9]+)\"".formatted(Pattern.quote(name)))
                .matcher(snapshot);
        assertTrue(matcher.find(), name);
        return Double.parseDouble(matcher.group(1));
    }
}
