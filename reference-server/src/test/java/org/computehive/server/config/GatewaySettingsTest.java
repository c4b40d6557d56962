package org.computehive.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micronaut.context.ApplicationContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.computehive.access.GatewayLimits;
import org.computehive.access.Traffic;
import org.computehive.rental.SshAccess;
import org.junit.jupiter.api.Test;

/** The gateway's limits, as the command line names them. */
class GatewaySettingsTest {
    private static SshAccess.Settings access(String... options) {
        var arguments = new ArrayList<String>();
        List.of(options).forEach(option -> arguments.add("--computehive.gateway." + option));
        try (var context = ApplicationContext.builder()
                .args(arguments.toArray(String[]::new))
                .banner(false)
                .start()) {
            return context.getBean(GatewaySettings.class).access();
        }
    }

    @Test
    void access_nothingSet_hasTheDefaultsOfTheirTypes() {
        SshAccess.Settings access = access();
        assertEquals(GatewayLimits.DEFAULT, access.limits());
        assertEquals(Traffic.UNLIMITED, access.traffic());
        assertNull(access.breakGlass(), "off unless it is asked for");
        assertNull(access.revocations());
        assertEquals("127.0.0.1", access.publicHost());
    }

    @Test
    void access_everyLimitSet_hasThem() {
        SshAccess.Settings access = access(
                "unauthenticated=1",
                "unauthenticated-per-address=2",
                "login-grace=PT3S",
                "login-attempts=4",
                "connections-per-rental=5",
                "channels-per-connection=6",
                "penalty-refusals=7",
                "penalty-within=PT8S",
                "penalty-shut-out=PT9S",
                "rental-bytes=10000000000",
                "rental-bytes-per-second=1100",
                "revocations=/etc/computehive/revoked",
                "feed-limit=PT1M",
                "break-glass=PT10M");
        assertEquals(
                new GatewayLimits(
                        1,
                        2,
                        Duration.ofSeconds(3),
                        4,
                        5,
                        6,
                        new GatewayLimits.Penalty(7, Duration.ofSeconds(8), Duration.ofSeconds(9))),
                access.limits());
        assertEquals(new Traffic(10_000_000_000L, 1100), access.traffic());
        assertEquals(Duration.ofMinutes(10), access.breakGlass());
        assertEquals(
                new SshAccess.Settings.Revocations(Path.of("/etc/computehive/revoked"), Duration.ofMinutes(1)),
                access.revocations());
    }

    @Test
    void access_outOfRange_isRefusedByItsKey() {
        for (String option : List.of("unauthenticated=0", "login-grace=PT0S", "penalty-within=PT-1S")) {
            var refusal = assertThrows(ConfigurationException.class, () -> access(option));
            assertTrue(refusal.getMessage().startsWith("computehive.gateway: "), refusal.getMessage());
        }
        var stale = assertThrows(ConfigurationException.class, () -> access("revocations=revoked", "feed-limit=PT0S"));
        assertTrue(stale.getMessage().startsWith("computehive.gateway.feed-limit: "), stale.getMessage());
        for (String option : List.of("rental-bytes=0", "rental-bytes-per-second=1023", "break-glass=PT0S")) {
            var refusal = assertThrows(ConfigurationException.class, () -> access(option));
            assertTrue(
                    refusal.getMessage().startsWith("computehive.gateway." + option.substring(0, 11)),
                    refusal.getMessage());
        }
    }
}
