package org.computehive.rental;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Assurance;
import org.computehive.market.Cancellation;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.PciAddress;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.market.Token;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;

/** Values that tests of rentals share. */
final class Sample {
    static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");
    static final Account LENDER = new Account("0x00000000000000000000000000000000000000aa");
    /** Somebody who runs the platform and owns no host. */
    static final Account OPERATOR = new Account("0x00000000000000000000000000000000000000dd");

    static final Account RENTER = new Account("0x00000000000000000000000000000000000000bb");
    static final HostId HOST = new HostId("host-1");
    static final PciAddress ADDRESS = new PciAddress("0000:41:00.0");
    static final GpuId GPU = new GpuId(HOST, ADDRESS);
    static final Token TOKEN = new Token(new Account("0x00000000000000000000000000000000000000cc"), "dUSD", 6, true);
    static final MachineShape SHAPE = new MachineShape(1, 512, 64, "demo");
    static final Rate RATE = Rate.of(100);
    static final Window WINDOW = Window.of(NOW.plusSeconds(600), Duration.ofSeconds(3600));
    static final Hash32 HASH = new Hash32("0x" + "12".repeat(32));
    static final Signature SIGNATURE = new Signature("0x" + "34".repeat(65));
    static final RentalPolicy POLICY = new RentalPolicy(
            Duration.ofMinutes(10),
            Duration.ofMinutes(5),
            Duration.ofMinutes(2),
            Duration.ofMinutes(3),
            Duration.ofSeconds(15),
            Duration.ofSeconds(5));

    private Sample() {}

    static Gpu gpu() {
        return new Gpu(ADDRESS, "10de", "2330", "NVIDIA H100", 81_920, OptionalInt.of(7), false, Optional.empty());
    }

    static Listing listing() {
        return new Listing(
                new ListingId("listing-1"),
                LENDER,
                HOST,
                List.of(GPU),
                SHAPE,
                TOKEN,
                Rate.of(50),
                Rate.of(200),
                RATE,
                Availability.always(),
                new Listing.Rules(
                        Duration.ofSeconds(10),
                        Duration.ofDays(7),
                        Duration.ofMinutes(1),
                        Duration.ofMinutes(4),
                        Duration.ofHours(1)),
                Assurance.ISOLATED,
                false);
    }

    static RentalTerms terms() {
        return terms(Cancellation.FREE);
    }

    static RentalTerms terms(Cancellation cancellation) {
        return terms(cancellation, Setup.UNSTATED);
    }

    static RentalTerms terms(Cancellation cancellation, Setup setup) {
        return terms(cancellation, Stakes.NONE, setup);
    }

    static RentalTerms terms(Cancellation cancellation, Stakes stakes, Setup setup) {
        return terms(SHAPE, cancellation, stakes, setup);
    }

    static RentalTerms terms(MachineShape shape, Cancellation cancellation, Stakes stakes, Setup setup) {
        return new RentalTerms(
                RENTER,
                LENDER,
                new ListingId("listing-1"),
                HOST,
                List.of(GPU),
                shape,
                WINDOW,
                Duration.ofMinutes(1),
                TOKEN,
                RATE,
                Duration.ofMinutes(2),
                Duration.ofHours(1),
                0,
                NOW.plusSeconds(300),
                false,
                cancellation,
                stakes,
                setup,
                Assurance.ISOLATED);
    }

    static EscrowOffer offer(RentalId id) {
        return offer(id, terms());
    }

    static EscrowOffer offer(RentalId id, RentalTerms terms) {
        return new EscrowOffer(
                LENDER,
                BigInteger.ZERO,
                BigInteger.ZERO,
                RENTER,
                TOKEN.contract(),
                terms.stakes(),
                RATE,
                WINDOW,
                terms.grace(),
                terms.disputeWindow(),
                terms.cancellation(),
                terms.holdUntil(),
                terms.spec(id),
                HASH);
    }

    static Rental reserved() {
        return Rental.of(RentalId.random(), new RentalEvent.Reserved(NOW, terms()));
    }

    static Rental signed() {
        Rental rental = reserved();
        return rental.after(new RentalEvent.OfferWritten(NOW, offer(rental.id())))
                .after(new RentalEvent.OfferSigned(NOW, SIGNATURE));
    }

    static Rental funded() {
        return signed().after(new RentalEvent.Funded(NOW, terms().deposit(), HASH));
    }

    static Rental starting() {
        return funded().after(new RentalEvent.Invited(NOW, "REQUEST", 0))
                .after(new RentalEvent.Starting(WINDOW.start().minusSeconds(120)));
    }

    static Rental active() {
        return starting()
                .after(new RentalEvent.MachineStarted(WINDOW.start().minusSeconds(60), Map.of("kernel", "6.1")))
                .after(new RentalEvent.Activated(WINDOW.start().plusSeconds(2), "SSH-2.0-test"));
    }

    static Rental tornDown(Rental ending, Instant at) {
        return ending.after(new RentalEvent.AccessCut(at, 1))
                .after(new RentalEvent.MachineDestroyed(at, Map.of("process", "gone")))
                .after(new RentalEvent.DiskErased(at, Map.of("key", "erased")))
                .after(new RentalEvent.TurnedOver(
                        at, List.of(new Hypervisor.Turnover(ADDRESS, true, "nothing survives"))));
    }
}
