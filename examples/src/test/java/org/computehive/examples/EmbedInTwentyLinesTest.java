package org.computehive.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class EmbedInTwentyLinesTest {
    /** One entry more where the VM is made before its window begins, as it is unless the machine is slow. */
    private static final Pattern MONEY = Pattern.compile(
            "deposit ([0-9]+), paid ([0-9]+), refunded ([0-9]+), proved by (?:18|19) entries in the audit log");

    @Test
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void run_rentsFromListingToSettlement() throws InterruptedException {
        var bytes = new ByteArrayOutputStream();
        try (var out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            EmbedInTwentyLines.run(out);
        }
        String text = bytes.toString(StandardCharsets.UTF_8);
        List<String> lines = text.lines().toList();
        // The invitations, and that the session ended early.
        assertEquals(6, lines.size(), text);
        assertEquals(
                4,
                lines.stream()
                        .filter(line -> line.startsWith("calendar REQUEST to 0x"))
                        .count(),
                text);
        assertEquals(
                1,
                lines.stream().filter(line -> line.startsWith("Grant[serial=")).count(),
                text);
        Matcher money = MONEY.matcher(lines.getLast());
        assertTrue(money.matches(), text);
        long deposit = Long.parseLong(money.group(1));
        long paid = Long.parseLong(money.group(2));
        assertTrue(paid > 0 && paid < deposit, text);
        assertEquals(deposit, paid + Long.parseLong(money.group(3)), text);
    }
}
