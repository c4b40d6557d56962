package org.computehive.feed;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.computehive.market.Account;
import org.computehive.market.Rate;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalCalendar;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.RentalStoreContract;
import org.computehive.store.InMemoryStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalendarFeedsTest {
    /** The contract's sample rentals are around here. */
    private static final Instant NOON = Instant.parse("2027-03-01T12:00:00Z");

    private static final Account LENDER = RentalStoreContract.account(1);
    private static final Account RENTER = RentalStoreContract.account(2);
    private static final Account STRANGER = RentalStoreContract.account(3);

    @TempDir
    Path folder;

    private Instant now = NOON;
    private final InstantSource clock = () -> now;
    private final InMemoryStore store = InMemoryStore.simulated(clock);
    private final FeedKeys keys = FeedKeys.generate();
    private final CalendarFeeds feeds = feeds(keys);

    private CalendarFeeds feeds(FeedKeys with) {
        return new CalendarFeeds(store, store, with, new RentalCalendar(), clock);
    }

    @AfterEach
    void close() {
        store.close();
    }

    /** Appends the first so many events of a rental's whole life: 1 reserves, 4 funds, 16 settles. */
    private Rental rental(int lane, int gpu, int fromHour, int toHour, int events) {
        List<Recorded> life = RentalStoreContract.wholeLife(
                RentalId.random(),
                RentalStoreContract.terms(
                        lane, RentalStoreContract.hours(fromHour, toHour), RentalStoreContract.gpu(gpu)));
        life.subList(0, events).forEach(store::append);
        return life.get(events - 1).after();
    }

    private String text(Account party, FeedScope scope) {
        return feeds.read(feeds.token(party, scope)).orElseThrow().text().replace("\r\n ", "");
    }

    @Test
    void feedOfRentals_showsThePartysFundedOnes_andNobodyElses() {
        Rental reserved = rental(0, 1, 1, 2, 1);
        Rental funded = rental(1, 1, 3, 4, 4);
        Rental settled = rental(2, 1, 5, 6, 16);
        for (Account party : List.of(RENTER, LENDER)) {
            String text = text(party, FeedScope.RENTALS);
            assertFalse(text.contains(reserved.id().value()), text);
            assertTrue(text.contains("UID:" + funded.id() + "@computehive\r\n"), text);
            assertTrue(text.contains("UID:" + settled.id() + "@computehive\r\n"), text);
            assertTrue(text.contains("METHOD:PUBLISH\r\n"), text);
        }
        String stranger = text(STRANGER, FeedScope.RENTALS);
        assertFalse(stranger.contains("VEVENT"), stranger);
    }

    @Test
    void feedOfRentals_keepsCancelledOnes_asCancelled_andForgetsOldOnes() {
        Rental funded = rental(0, 1, 3, 4, 5);
        store.append(RentalStoreContract.then(funded, new RentalEvent.Cancelled(NOON, RENTER)));
        String text = text(RENTER, FeedScope.RENTALS);
        assertTrue(text.contains("STATUS:CANCELLED\r\n"), text);
        assertTrue(text.contains("SEQUENCE:1\r\n"), text);
        now = NOON.plus(Duration.ofHours(4)).plus(Duration.ofDays(90));
        assertFalse(text(RENTER, FeedScope.RENTALS).contains("VEVENT"));
    }

    @Test
    void freeBusyOfALender_saysWhenAListingIsTaken_andNothingOfByWhom() {
        store.putListing(RentalStoreContract.listing("lot-1", Rate.of(9)));
        rental(0, 1, 1, 2, 1);
        Rental funded = rental(1, 2, 3, 4, 4);
        rental(2, 7, 3, 9, 4);
        String text = text(LENDER, FeedScope.FREE_BUSY);
        assertTrue(text.contains("COMMENT:Listing lot-1 on host rack-1\r\n"), text);
        assertTrue(text.contains("FREEBUSY;FBTYPE=BUSY:20270301T150000Z/20270301T160500Z\r\n"), text);
        assertTrue(text.contains("FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T130000Z/20270301T140500Z\r\n"), text);
        assertEquals(1, text.split("BEGIN:VFREEBUSY", -1).length - 1, text);
        assertFalse(text.contains(RENTER.address()), text);
        assertFalse(text.contains(funded.id().value()), text);
        assertFalse(text.contains("ATTENDEE"), text);
    }

    @Test
    void freeBusyOfARenter_saysWhenItRents() {
        rental(0, 1, 1, 2, 1);
        rental(1, 2, 3, 4, 4);
        String text = text(RENTER, FeedScope.FREE_BUSY);
        assertTrue(text.contains("FREEBUSY;FBTYPE=BUSY:20270301T150000Z/20270301T160000Z\r\n"), text);
        assertTrue(text.contains("FREEBUSY;FBTYPE=BUSY-TENTATIVE:20270301T130000Z/20270301T140000Z\r\n"), text);
        String nothing = text(STRANGER, FeedScope.FREE_BUSY);
        assertTrue(nothing.contains("VFREEBUSY") && !nothing.contains("FREEBUSY;"), nothing);
    }

    @Test
    void validator_staysUntilSomethingChanges() {
        rental(0, 1, 3, 4, 4);
        String token = feeds.token(RENTER, FeedScope.RENTALS);
        Feed before = feeds.read(token).orElseThrow();
        now = now.plusSeconds(600);
        assertEquals(before, feeds.read(token).orElseThrow());
        assertTrue(before.etag().matches("\"[0-9a-f]{64}\""), before.etag());
        rental(1, 1, 7, 8, 4);
        now = now.plusSeconds(60);
        assertNotEquals(before.etag(), feeds.read(token).orElseThrow().etag());
    }

    @Test
    void revoke_againUnderItsKey_leavesTokensThatCameAfter() {
        var key = new IdempotencyKey("revoke-1");
        String before = feeds.token(RENTER, FeedScope.RENTALS);
        feeds.revoke(RENTER, key);
        String after = feeds.token(RENTER, FeedScope.RENTALS);
        feeds.revoke(RENTER, key);
        assertEquals(Optional.empty(), feeds.read(before));
        assertTrue(feeds.read(after).isPresent());
        feeds.revoke(RENTER, new IdempotencyKey("revoke-2"));
        assertEquals(Optional.empty(), feeds.read(after));
        store.putAnswer(new Answer(STRANGER, key, "another request", NOON, "test.v1", "{}"));
        assertThrows(RentalException.KeyReused.class, () -> feeds.revoke(STRANGER, key));
    }

    @Test
    void token_thatWasRevoked_isWorthNothing_andTheOthersStay() {
        String full = feeds.token(RENTER, FeedScope.RENTALS);
        String busy = feeds.token(RENTER, FeedScope.FREE_BUSY);
        String others = feeds.token(LENDER, FeedScope.RENTALS);
        assertTrue(feeds.read(full).isPresent());
        feeds.revoke(RENTER);
        assertEquals(Optional.empty(), feeds.read(full));
        assertEquals(Optional.empty(), feeds.read(busy));
        assertTrue(feeds.read(others).isPresent());
        assertTrue(feeds.read(feeds.token(RENTER, FeedScope.RENTALS)).isPresent());
    }

    @Test
    void token_endsAtItsExpiry() {
        String token = feeds.token(RENTER, FeedScope.RENTALS, NOON.plusSeconds(60));
        now = NOON.plusSeconds(59);
        assertTrue(feeds.read(token).isPresent());
        now = NOON.plusSeconds(60);
        assertEquals(Optional.empty(), feeds.read(token));
        assertThrows(IllegalArgumentException.class, () -> feeds.token(RENTER, FeedScope.RENTALS, now));
    }

    @Test
    void token_withAnyCharacterChanged_isRefused() {
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println("seed " + seed);
        var random = new Random(seed);
        String token = feeds.token(RENTER, FeedScope.FREE_BUSY);
        assertEquals(FeedToken.LENGTH, token.length());
        String alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        // The last character's lowest two bits are no part of the 74 bytes.
        for (int i = 0; i < token.length() - 1; i++) {
            char other = alphabet.charAt((alphabet.indexOf(token.charAt(i)) + random.nextInt(1, 64)) % 64);
            String changed = token.substring(0, i) + other + token.substring(i + 1);
            assertEquals(Optional.empty(), feeds.read(changed), changed);
        }
        for (String bad : List.of(
                "",
                "a",
                token + "A",
                token.substring(1),
                token + token,
                " ".repeat(99),
                "é".repeat(99),
                "=".repeat(99),
                "A".repeat(99))) {
            assertEquals(Optional.empty(), feeds.read(bad), bad);
        }
    }

    @Test
    void token_ofAnotherKey_isRefused_untilTheKeyIsKnown() throws Exception {
        assertEquals(Optional.empty(), feeds.read(feeds(FeedKeys.generate()).token(RENTER, FeedScope.RENTALS)));

        Path file = folder.resolve("feeds");
        CalendarFeeds first = feeds(FeedKeys.loadOrGenerate(file));
        String old = first.token(RENTER, FeedScope.RENTALS);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        List<String> lines = new ArrayList<>(Files.readAllLines(file));
        String secret = lines.getFirst().substring(lines.getFirst().lastIndexOf(' ') + 1);
        lines.add("computehive-feed-key-1 2 " + "ab".repeat(32));
        Files.write(file, lines);
        FeedKeys changed = FeedKeys.loadOrGenerate(file);
        assertTrue(feeds(changed).read(old).isPresent());
        String fresh = feeds(changed).token(RENTER, FeedScope.RENTALS);
        assertNotEquals(old, fresh);
        assertEquals(Optional.empty(), first.read(fresh));
        assertFalse(changed.toString().contains(secret), "no secret is shown");

        Files.write(file, lines.subList(1, 2));
        assertEquals(Optional.empty(), feeds(FeedKeys.loadOrGenerate(file)).read(old));
    }

    @Test
    void keyFile_thatOthersRead_orThatIsNone_isRefused() throws Exception {
        Path file = folder.resolve("feeds");
        var unused = FeedKeys.loadOrGenerate(file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        var open = assertThrows(IllegalArgumentException.class, () -> FeedKeys.loadOrGenerate(file));
        assertTrue(open.getMessage().contains("chmod 600"), open.getMessage());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        String line = "computehive-feed-key-1 1 " + "ab".repeat(32) + "\n";
        for (String bad : List.of("", "\n", "x", line + line, line.replace("1 ab", "-1 ab"), line.substring(0, 50))) {
            Files.writeString(file, bad);
            assertThrows(IllegalArgumentException.class, () -> FeedKeys.loadOrGenerate(file), bad);
        }
    }
}
