package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.computehive.store.InMemoryStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A session of a confidential listing: nothing is certified and no key is released before its guest has proved itself. */
class AttestedLaunchTest {
    private static final ListingId LOT = new ListingId("lot");

    private Instant now = Sample.NOW;
    private final InstantSource clock = () -> now;
    private final InMemoryStore store = InMemoryStore.simulated(clock);
    private final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, clock);
    private final InMemoryAccess access = new InMemoryAccess(clock);
    private final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    private final InMemoryEscrow.Party renter = escrow.party(Amount.of(10_000_000));
    private final InMemoryHypervisor hypervisor = InMemoryHypervisor.confidential("demo");
    private final List<Set<RentalId>> certifiedWhenAsked = new ArrayList<>();
    private final List<Challenge> challenges = new ArrayList<>();
    private Attestor verdict = (spec, challenge, evidence) -> Map.of("measurement", "ab12");
    private final RentalEngine engine = engine((spec, challenge, evidence) -> {
        certifiedWhenAsked.add(access.certified());
        assertEquals(Optional.empty(), hypervisor.released(challenge.rental()), "released before it was judged");
        challenges.add(challenge);
        return verdict.verify(spec, challenge, evidence);
    });

    private RentalEngine engine(Attestor attestor) {
        return RentalEngine.builder()
                .store(store)
                .escrow(escrow)
                .access(access)
                .priceAdvisor(request -> {
                    throw new AssertionError("nobody asked for a suggestion");
                })
                .auditLog(new InMemoryAuditLog(NoteKey.generate("test.example")))
                .notifier(notice -> {})
                .clock(clock)
                .policy(Sample.POLICY)
                .attestor(attestor)
                .build();
    }

    private Listing listing(RentalEngine owner) {
        Host host = owner.registerHost(Sample.HOST, lender.account(), hypervisor);
        assertEquals(Assurance.CONFIDENTIAL, host.assurance());
        return Listing.of(LOT, host, new MachineShape(1, 256, 64, "demo"), Sample.TOKEN, Rate.of(100));
    }

    @AfterEach
    void close() {
        engine.close();
    }

    private RentalId booked() {
        engine.list(listing(engine));
        engine.start();
        Window window = Window.of(Sample.NOW.plusSeconds(600), Duration.ofHours(1));
        RentalId id = engine.quote(renter.account(), LOT, window).id();
        engine.reserve(id, renter.account());
        EscrowOffer offer =
                await(id, rental -> rental.offer().isPresent()).offer().orElseThrow();
        Rental signed = engine.signOffer(id, lender.sign(offer.digest()));
        renter.open(offer, signed.offerSignature().orElseThrow());
        await(id, rental -> rental.state() == RentalState.FUNDED && rental.lastInvitation() == 0);
        now = window.start().minus(Sample.POLICY.lead());
        return id;
    }

    private Rental await(RentalId id, Predicate<Rental> condition) {
        store.runDue();
        return engine.when(id, condition).orTimeout(20, TimeUnit.SECONDS).join();
    }

    private List<RentalEvent> events(RentalId id) {
        return store.history(id).stream().map(RentalStore.Recorded::event).toList();
    }

    @Test
    void guestThatProvedItself_getsItsCertificateAndDiskKeyOnlyThen() {
        RentalId id = booked();
        Rental booted = await(id, rental -> rental.machine().isPresent());

        assertEquals(List.of(Set.of()), certifiedWhenAsked, "nothing was certified before the verdict");
        assertEquals(Set.of(id), access.certified());
        GuestRelease release = hypervisor.released(id).orElseThrow();
        assertEquals(32, Base64.getDecoder().decode(release.diskKey()).length);
        assertTrue(release.hostCertificate().startsWith("in-memory certificate"), release::hostCertificate);
        assertEquals("ab12", booted.machine().orElseThrow().get("attested measurement"));
        assertEquals(Assurance.CONFIDENTIAL, booted.terms().assurance());
        assertFalse(release.toString().contains(release.diskKey()));
    }

    @Test
    void guestThatDidNot_failsByItsLendersFault_andNothingWasEverCertifiedOrReleased() {
        verdict = (spec, challenge, evidence) -> {
            throw new AttestationException("debug policy", "the guest may be debugged by its host");
        };
        RentalId id = booked();
        Rental failed = await(
                id,
                rental -> rental.state() == RentalState.FAILED || rental.fault().isPresent());
        failed = await(id, rental -> rental.fault().isPresent());

        Fault fault = failed.fault().orElseThrow();
        assertEquals(Fault.Blame.LENDER, fault.blame());
        assertTrue(fault.what().contains("debug policy"), fault::what);
        assertTrue(
                events(id).stream().anyMatch(RentalEvent.StartFailed.class::isInstance),
                () -> events(id).toString());
        assertEquals(Set.of(), access.certified(), "no host certificate was ever issued");
        assertEquals(Optional.empty(), hypervisor.released(id));
        assertEquals(List.of(), hypervisor.list(), "its VM is gone");
        assertThrows(RentalException.class, () -> engine.issueCertificate(id, renter.account(), "ssh-ed25519 AAAA"));
    }

    @Test
    void hostThatCanNotRunConfidentialGuests_failsByItsLendersFault() {
        RentalId id = booked();
        engine.registerHost(Sample.HOST, lender.account(), InMemoryHypervisor.withImages("demo"));
        Rental failed = await(id, rental -> rental.fault().isPresent());

        assertEquals(Fault.Blame.LENDER, failed.fault().orElseThrow().blame());
        assertEquals(Set.of(), access.certified());
        assertEquals(List.of(), challenges);
    }

    @Test
    void confidentialListing_whereNobodyCanJudge_isRefused() {
        try (RentalEngine plain = engine(Attestor.NONE)) {
            Listing listing = listing(plain);
            var refused = assertThrows(RentalException.Unacceptable.class, () -> plain.list(listing));
            assertTrue(String.valueOf(refused.getMessage()).contains("attestor"), refused::getMessage);
        }
    }

    @Test
    void reportData_changesWithEveryPartOfWhatItBinds() {
        var challenge = new Challenge(RentalId.random(), "ab".repeat(32), "ua", "ha", "p");
        var evidence = new Evidence("hk", "rk", List.of());
        byte[] bound = challenge.reportData(evidence);
        assertEquals(64, bound.length);
        assertArrayEquals(bound, challenge.reportData(new Evidence("hk", "rk", List.of())));
        assertEquals(32, challenge.gpuNonce(evidence).length);
        var different = new java.util.HashSet<String>();
        for (byte[] other : List.of(
                bound,
                challenge.reportData(new Evidence("hkr", "k", List.of())),
                challenge.reportData(new Evidence("hk", "rK", List.of())),
                new Challenge(RentalId.random(), challenge.nonce(), "ua", "ha", "p").reportData(evidence),
                new Challenge(challenge.rental(), "ac".repeat(32), "ua", "ha", "p").reportData(evidence),
                new Challenge(challenge.rental(), challenge.nonce(), "uah", "a", "p").reportData(evidence),
                new Challenge(challenge.rental(), challenge.nonce(), "ua", "hap", "").reportData(evidence),
                new Challenge(challenge.rental(), challenge.nonce(), "ua", "ha", "q").reportData(evidence))) {
            assertTrue(different.add(Base64.getEncoder().encodeToString(other)), "two of them are the same");
        }
    }

    @Test
    void release_opensForItsGuestAndItsStartAlone() {
        var key = new X25519PrivateKeyParameters(new java.security.SecureRandom());
        var other = new X25519PrivateKeyParameters(new java.security.SecureRandom());
        var challenge = new Challenge(RentalId.random(), "ab".repeat(32), "ua", "ha", "p");
        var later = new Challenge(challenge.rental(), "ac".repeat(32), "ua", "ha", "p");
        var evidence = new Evidence(
                "hk", Base64.getEncoder().encodeToString(key.generatePublicKey().getEncoded()), List.of());
        GuestRelease release = GuestRelease.of("a certificate");
        String sealed = release.seal(challenge, evidence);

        assertEquals(release, GuestRelease.open(sealed, challenge, key.getEncoded()));
        assertThrows(IllegalArgumentException.class, () -> GuestRelease.open(sealed, later, key.getEncoded()));
        assertThrows(IllegalArgumentException.class, () -> GuestRelease.open(sealed, challenge, other.getEncoded()));
        byte[] bytes = Base64.getDecoder().decode(sealed);
        for (int at = 0; at < bytes.length; at += 7) {
            byte[] changed = bytes.clone();
            changed[at] ^= 0x04;
            String forged = Base64.getEncoder().encodeToString(changed);
            assertThrows(IllegalArgumentException.class, () -> GuestRelease.open(forged, challenge, key.getEncoded()));
        }
    }

    @Test
    void seal_toWhatIsNoKey_failsAsAttestation() {
        var challenge = new Challenge(RentalId.random(), "ab".repeat(32), "ua", "ha", "p");
        for (String key : List.of("", "?", Base64.getEncoder().encodeToString(new byte[31]), zero())) {
            var evidence = new Evidence("hk", key, List.of());
            var failed = assertThrows(
                    AttestationException.class,
                    () -> GuestRelease.of("certificate").seal(challenge, evidence),
                    key);
            assertEquals("release key", failed.failed());
        }
    }

    /** The point of order 1: what is sealed to it, anybody can open. */
    private static String zero() {
        return Base64.getEncoder().encodeToString(new byte[32]);
    }
}
