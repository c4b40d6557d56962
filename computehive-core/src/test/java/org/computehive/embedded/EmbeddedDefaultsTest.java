package org.computehive.embedded;

import static java.time.temporal.ChronoUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedDefaultsTest {
    private static final ListingId LISTING = new ListingId("gpu-1");
    private static final MachineShape SHAPE = new MachineShape(2, 1_024, 64, "ubuntu");

    @TempDir
    private Path temporary;

    @Test
    void nothingSet_booksInMemoryWithPlayMoney() {
        try (RentalEngine engine = RentalEngine.builder().build()) {
            var money = assertInstanceOf(InMemoryEscrow.class, engine.escrow());
            InMemoryEscrow.Party lender = money.party(Amount.ZERO);
            InMemoryEscrow.Party renter = money.party(Amount.of(1_000_000));
            list(engine, lender.account());
            engine.start();
            Rental rental = reserve(engine, renter.account());

            Rental offered =
                    engine.when(rental.id(), now -> now.offer().isPresent()).join();
            renter.open(
                    offered.offer().orElseThrow(),
                    lender.sign(offered.offer().orElseThrow().digest()));
            engine.signOffer(
                    rental.id(), lender.sign(offered.offer().orElseThrow().digest()));

            assertTrue(engine.when(rental.id(), Rental::funded).join().mayEnter());
        }
    }

    @Test
    void severalEnginesInOneProcess_knowNothingOfEachOther() {
        try (RentalEngine one = RentalEngine.builder().build();
                RentalEngine other = RentalEngine.builder().build()) {
            list(one, ((InMemoryEscrow) one.escrow()).party(Amount.ZERO).account());

            assertEquals(1, one.hosts().size());
            assertTrue(other.hosts().isEmpty());
        }
    }

    @Test
    void folder_keepsRentalsForTheNextEngine() {
        Path folder = temporary.resolve("state");
        Account renter = new Account("0x" + "b".repeat(40));
        RentalId id;
        try (RentalEngine engine = inFolder(folder)) {
            list(engine, new Account("0x" + "a".repeat(40)));
            id = reserve(engine, renter).id();
        }
        try (RentalEngine engine = inFolder(folder)) {
            assertEquals(id, engine.rental(id, renter).id());
            assertTrue(engine.listing(LISTING).price().unitsPerSecond().signum() > 0);
        }
    }

    @Test
    void folder_isForItsOwnersEyesAlone() throws Exception {
        Path folder = temporary.resolve("state");
        try (RentalEngine engine = inFolder(folder)) {
            assertFalse(engine.hosts().iterator().hasNext());
            for (String part : new String[] {"", "keys", "audit", "calendar"}) {
                assertEquals(
                        "rwx------",
                        PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(part))),
                        part);
            }
        }
    }

    @Test
    void folderOfAnotherEngine_isRefused() {
        Path folder = temporary.resolve("state");
        try (RentalEngine first = inFolder(folder)) {
            assertTrue(first.hosts().isEmpty());
            assertThrows(RuntimeException.class, () -> inFolder(folder).close());
        }
        inFolder(folder).close();
    }

    @Test
    void folderWithoutEscrow_isRefusedAndLeavesNothing() {
        Path folder = temporary.resolve("state");

        var refused = assertThrows(
                IllegalStateException.class,
                () -> RentalEngine.builder().folder(folder).build());

        assertTrue(refused.getMessage().contains("set an escrow"), refused.getMessage());
        assertFalse(Files.exists(folder));
    }

    @Test
    void noAdvisorOnTheClassPath_saysWhatToAdd() {
        try (RentalEngine engine = RentalEngine.builder().build()) {
            var none = assertThrows(
                    IllegalStateException.class,
                    () -> engine.suggestPrice(PriceAdvisor.Request.of("NVIDIA H100 SXM 80GB", SHAPE)));

            assertTrue(none.getMessage().contains("computehive-pricing"), none.getMessage());
        }
    }

    private static RentalEngine inFolder(Path folder) {
        var token = new Token(Account.ZERO, "TEST", 6, true);
        return RentalEngine.builder()
                .folder(folder)
                .escrow(new InMemoryEscrow(token, InstantSource.system()))
                .build();
    }

    private static void list(RentalEngine engine, Account lender) {
        Host host = engine.registerHost(new HostId("host-1"), lender, InMemoryHypervisor.withImages("ubuntu"));
        engine.list(Listing.of(LISTING, host, SHAPE, engine.escrow().token(), Rate.of(5)));
    }

    private static Rental reserve(RentalEngine engine, Account renter) {
        Instant start = Instant.now().truncatedTo(SECONDS).plus(Duration.ofHours(1));
        return engine.reserve(
                engine.quote(renter, LISTING, Window.of(start, Duration.ofHours(1)))
                        .id(),
                renter);
    }
}
