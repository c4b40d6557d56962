package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.computehive.access.AccessException;
import org.computehive.access.HostKeyPair;
import org.computehive.access.Traffic;
import org.computehive.rental.SessionAccess.Decision;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Break-glass access, up to the certificate; logins by one are tested at the gateway and the server. */
class SshAccessTest {
    private static final RentalId ID = new RentalId("01m83cbjeazgv7s8d4447bcw0m");
    private static final Instant NOW = Instant.parse("2030-01-01T12:00:00Z");

    @TempDir
    private Path folder;

    private final String key = HostKeyPair.generate().publicKey().line();
    private final List<Decision> decisions = new CopyOnWriteArrayList<>();

    private SshAccess open(SshAccess.Settings settings) {
        SshAccess access = SshAccess.open(folder, settings, InstantSource.fixed(NOW));
        access.onDecision(decisions::add);
        return access;
    }

    private SessionAccess.Grant breakGlass(SshAccess access, String reason, Duration length) {
        return access.breakGlass(ID, "olga", reason, NOW.plus(length), key);
    }

    @Test
    void breakGlass_unlessItIsSet_isRefusedAndNotNoted() {
        try (SshAccess access = open(SshAccess.Settings.loopback(0))) {
            assertThrows(AccessException.LeaseRefused.class, () -> breakGlass(access, "help", Duration.ofMinutes(1)));
            assertEquals(List.of(), decisions);
        }
    }

    @Test
    void breakGlass_isNotedWithItsWholeReason_andItsCertificateEndsWithIt() {
        try (SshAccess access = open(SshAccess.Settings.loopback(0).withBreakGlass(Duration.ofMinutes(10)))) {
            String reason = "the renter asked for help: ".repeat(7).strip();
            SessionAccess.Grant grant = breakGlass(access, reason, Duration.ofMinutes(10));
            assertEquals(NOW.plus(Duration.ofMinutes(10)), grant.notAfter());
            assertEquals(
                    List.of(new Decision(
                            NOW, "glass-broken", ID.principal(), "by olga until 2030-01-01T12:10:00Z: " + reason)),
                    decisions);
        }
    }

    @Test
    void breakGlass_forLongerThanItMay_orOver_orWithoutReason_isRefusedAndNotNoted() {
        try (SshAccess access = open(SshAccess.Settings.loopback(0)
                .withTraffic(new Traffic(1_000, 2_000))
                .withBreakGlass(Duration.ofMinutes(10)))) {
            var refusal = assertThrows(
                    AccessException.OutsideWindow.class, () -> breakGlass(access, "help", Duration.ofMinutes(11)));
            assertTrue(refusal.getMessage().contains("PT10M"), refusal.getMessage());
            assertThrows(AccessException.OutsideWindow.class, () -> breakGlass(access, "help", Duration.ZERO));
            assertThrows(IllegalArgumentException.class, () -> breakGlass(access, " ", Duration.ofMinutes(1)));
            assertEquals(List.of(), decisions);
        }
    }

    @Test
    void settings_withBreakGlassForNoTime_areRefused() {
        SshAccess.Settings settings = SshAccess.Settings.loopback(0);
        assertThrows(IllegalArgumentException.class, () -> settings.withBreakGlass(Duration.ZERO));
    }
}
