package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** How old a revocation list may be, by what it says itself. */
class TrustTest {
    private static final Instant NOW = Instant.parse("2030-01-01T12:00:00Z");
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private final Trust trust = trust();

    private static Trust trust() {
        var authority = new CertificateAuthority(
                SoftwareSigner.generate(), SoftwareSigner.generate(), InstantSource.fixed(NOW));
        HostKeyPair key = HostKeyPair.generate();
        return new Trust(new GatewayConfig(
                        new InetSocketAddress("127.0.0.1", 0),
                        key,
                        authority.issue(new HostCertificateRequest(
                                "gateway", RenterFiles.GATEWAY_NAME, key.publicKey(), NOW.plusSeconds(600))),
                        authority.userAuthorities(),
                        GatewayLimits.DEFAULT)
                .withFeedLimit(LIMIT));
    }

    private static KeyRevocationList list(Instant made) {
        return new KeyRevocationList(List.of(HostKeyPair.generate().publicKey()), 1, made, Set.of(7L), Set.of());
    }

    @Test
    void stale_withoutAList_saysSo() {
        assertEquals("no revocation list was heard of yet", trust.stale(NOW));
    }

    @Test
    void stale_listOfTheLimitsAge_isFresh_andOlderIsNot() {
        trust.revoked(list(NOW.minus(LIMIT)));
        assertNull(trust.stale(NOW));
        String stale = trust.stale(NOW.plusMillis(1));
        assertNotNull(stale);
        assertTrue(stale.contains("stale"), stale);
    }

    @Test
    void stale_listFromTheFuture_isNotBelieved_untilItsTimeHasComeOrItIsDatedAnew() {
        Instant ahead = NOW.plus(Duration.ofDays(365));
        trust.revoked(list(ahead));
        String stale = trust.stale(NOW);
        assertNotNull(stale);
        assertTrue(stale.contains("2031-01-01T12:00:00Z") && stale.contains("not believed"), stale);
        assertNull(trust.stale(ahead));
        trust.revoked(list(NOW));
        assertNull(trust.stale(NOW));
    }

    @Test
    void stale_clockAMinuteAhead_isForgiven() {
        trust.revoked(list(NOW.plusSeconds(60)));
        assertNull(trust.stale(NOW));
        trust.revoked(list(NOW.plusSeconds(61)));
        assertNotNull(trust.stale(NOW));
    }
}
