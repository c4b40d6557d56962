package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Cancellation;
import org.computehive.market.Gpu;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.GuestPlatform;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Interconnect;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Maintenance;
import org.computehive.market.Offering;
import org.computehive.market.PciAddress;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.market.Token;
import org.computehive.market.search.MarketFeed.Booked;
import org.computehive.market.search.MarketFeed.BookingChange;
import org.computehive.market.search.MarketFeed.Changed;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;
import org.computehive.once.KeyTakenException;
import org.computehive.once.RequestDigest;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every {@link RentalStore} promises. A test class per implementation extends it. */
@Timeout(120)
public abstract class RentalStoreContract {
    /** A whole second, so that windows made from it are whole. */
    protected static final Instant NOON = Instant.parse("2027-03-01T12:00:00Z");

    protected static final Account LENDER = account(1);
    protected static final Account RENTER = account(2);
    private static final Duration TURNOVER = Duration.ofMinutes(5);

    private RentalStore store;

    /** Opens an empty store whose wake-ups come by themselves. The contract closes it. */
    protected abstract RentalStore open(InstantSource clock) throws Exception;

    @BeforeEach
    void openStore() throws Exception {
        store = open(InstantSource.system());
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    // ---- market ----

    @Test
    void host_putTwice_isReplaced() {
        Host host = host("b", 8);
        store.putHost(host);
        store.putHost(host("a", 4));
        store.putHost(host("b", 16));

        assertEquals(Optional.of(host("b", 16)), store.host(host.id()));
        assertEquals(List.of(host("a", 4), host("b", 16)), store.hosts());
        assertEquals(Optional.empty(), store.host(new HostId("c")));
    }

    @Test
    void listing_put_isReadBack() {
        Listing listing = listing("lot-2", Rate.of(7));
        store.putListing(listing);
        store.putListing(listing("lot-1", Rate.of(5)));
        store.putListing(listing("lot-1", new Rate(Rate.MAX)));

        assertEquals(Optional.of(listing), store.listing(listing.id()));
        assertEquals(
                List.of("lot-1", "lot-2"),
                store.listings().stream().map(l -> l.id().value()).toList());
        assertEquals(new Rate(Rate.MAX), store.listings().getFirst().price());
        assertEquals(Optional.empty(), store.listing(new ListingId("lot-3")));
    }

    @Test
    void listingsAndHosts_changed_areReadInTheOrderOfTheirLatestChange() {
        assertEquals(List.of(), store.listingsChangedAfter(0, 10));
        for (String name : List.of("lot-b", "lot-a", "lot-c", "lot-b")) {
            store.putListing(
                    listing(name, Rate.of(1 + store.listingsChangedAfter(0, 10).size())));
        }
        store.putHost(host("rack-2", 4));
        store.putHost(host("rack-1", 4));
        store.putHost(host("rack-2", 8));

        List<Changed<Listing>> changes = store.listingsChangedAfter(0, 10);
        assertEquals(
                List.of("lot-a", "lot-c", "lot-b"),
                changes.stream().map(each -> each.value().id().value()).toList());
        assertEquals(listing("lot-b", Rate.of(4)), changes.getLast().value());
        assertEquals(
                changes.subList(1, 2),
                store.listingsChangedAfter(changes.getFirst().change(), 1));
        assertEquals(List.of(), store.listingsChangedAfter(changes.getLast().change(), 1));
        assertEquals(
                List.of(host("rack-1", 4), host("rack-2", 8)),
                store.hostsChangedAfter(0, 10).stream().map(Changed::value).toList());
        assertThrows(IllegalArgumentException.class, () -> store.hostsChangedAfter(0, 0));
    }

    @Test
    void bookings_changed_areReadByNumber_andWhatTheyHoldByName() {
        assertEquals(0, store.lastBookingChange());
        assertEquals(List.of(), store.bookedAfter("", 10));
        Rental one = reserve(terms(0, hours(0, 1), gpu(1), gpu(2)));
        Rental two = reserve(terms(1, hours(2, 3), gpu(1)));
        List<BookingChange> changes = store.bookingChangesAfter(0, 10);
        store.append(then(one, new RentalEvent.Cancelled(NOON, RENTER)));
        Rental three = reserve(terms(2, hours(0, 1), gpu(1)));

        assertEquals(
                List.of(one.id().value(), two.id().value()),
                changes.stream().map(BookingChange::booking).toList());
        assertEquals(
                List.of(one.id().value()),
                store.bookingChangesAfter(changes.getLast().change(), 1).stream()
                        .map(BookingChange::booking)
                        .toList());
        assertEquals(
                store.lastBookingChange(),
                store.bookingChangesAfter(0, 10).getLast().change());
        assertEquals(List.of(), store.bookingChangesAfter(store.lastBookingChange(), 10));
        List<String> names = List.of(
                one.id().value(),
                two.id().value(),
                RentalId.random().value(),
                three.id().value());
        assertEquals(
                Set.of(
                        new Booked(
                                two.id().value(),
                                gpu(1),
                                terms(1, hours(2, 3), gpu(1)).occupied()),
                        new Booked(
                                three.id().value(),
                                gpu(1),
                                terms(2, hours(0, 1), gpu(1)).occupied())),
                Set.copyOf(store.booked(names)));
        assertEquals(List.of(), store.booked(List.of()));
        assertThrows(IllegalArgumentException.class, () -> store.booked(Collections.nCopies(1_001, "a")));
    }

    @Test
    void bookedAfter_pages_haveEveryBookingWholeAndOnce() {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < 7; i++) {
            names.add(reserve(terms(i, hours(2 * i, 2 * i + 1), gpu(1), gpu(2)))
                    .id()
                    .value());
        }
        List<String> seen = new ArrayList<>();
        for (List<Booked> page = store.bookedAfter("", 3);
                !page.isEmpty();
                page = store.bookedAfter(page.getLast().booking(), 3)) {
            assertTrue(page.size() % 2 == 0 && page.size() <= 6, page.toString());
            page.stream().map(Booked::booking).distinct().forEach(seen::add);
        }

        assertEquals(names.stream().sorted().toList(), seen);
        assertEquals(14, store.bookedAfter("", 10).size());
    }

    @Test
    void condition_put_isReadBack() {
        var condition = new GpuCondition(gpu(1), GpuCondition.State.QUARANTINED, "no reset", NOON.plusNanos(7));
        assertEquals(Optional.empty(), store.condition(gpu(1)));

        store.putCondition(new GpuCondition(gpu(1), GpuCondition.State.AVAILABLE, "fine", NOON));
        store.putCondition(condition);

        assertEquals(Optional.of(condition), store.condition(gpu(1)));
        assertEquals(Optional.empty(), store.condition(gpu(2)));
    }

    @Test
    void offering_isAnother_onceListingOrHostIsKeptAnew() {
        store.putListing(listing("lot", Rate.of(3)));
        assertEquals(Optional.empty(), store.offering(new ListingId("lot")), "without its host");
        store.putHost(host("rack-1", 8));
        Offering first = store.offering(new ListingId("lot")).orElseThrow();
        assertEquals(listing("lot", Rate.of(3)), first.listing());
        assertEquals(host("rack-1", 8), first.host());
        assertEquals(Optional.of(first), store.offering(new ListingId("lot")));

        store.putHost(host("rack-1", 16));
        Offering second = store.offering(new ListingId("lot")).orElseThrow();
        store.putListing(listing("lot", Rate.of(4)));
        Offering third = store.offering(new ListingId("lot")).orElseThrow();

        assertEquals(host("rack-1", 16), second.host());
        assertEquals(Rate.of(4), third.listing().price());
        assertEquals(3, Set.of(first.change(), second.change(), third.change()).size());
        assertEquals(Optional.empty(), store.offering(new ListingId("other")));
    }

    private Quote quoteOf(Listing listing, Window window) {
        return new Quote(RentalId.random(), RENTER, listing, window, NOON, Setup.UNSTATED);
    }

    /** What a store of any kind refuses, with and without an answer to keep, and one at a time or many. */
    private <E extends RuntimeException> void assertNotQuoted(
            Class<E> why, Listing listing, Window window, long change) {
        Quote quote = quoteOf(listing, window);
        Quote keyed = quoteOf(listing, window);

        assertThrows(why, () -> store.putQuote(quote, change));
        assertThrows(why, () -> store.putQuote(keyed, change, answer("not-quoted", NOON)));

        assertEquals(Optional.empty(), store.quote(quote.id()));
        assertEquals(Optional.empty(), store.quote(keyed.id()));
        assertEquals(Optional.empty(), store.answer(RENTER, new IdempotencyKey("not-quoted")));
    }

    @Test
    void quote_ofWhatCanBeHad_isKept_ofWhatIsTaken_isNot() {
        Listing listing = listing("lot", Rate.of(3));
        store.putHost(host("rack-1", 8));
        store.putListing(listing);
        long change = store.offering(listing.id()).orElseThrow().change();
        store.append(reserved(RentalId.random(), terms(0, hours(2, 4), gpu(2))));
        Window until =
                new Window(NOON, hours(2, 4).start().minus(listing.rules().turnover()));
        Window from = new Window(hours(2, 4).end().plus(TURNOVER), hours(6, 7).end());

        for (Window free : List.of(until, from)) {
            Quote quote = quoteOf(listing, free);
            store.putQuote(quote, change);
            assertEquals(Optional.of(quote), store.quote(quote.id()));
        }
        Quote keyed = quoteOf(listing, from);
        store.putQuote(keyed, change, answer("quoted", NOON));
        assertEquals(Optional.of(keyed), store.quote(keyed.id()));
        assertNotQuoted(
                RentalException.Overlap.class,
                listing,
                new Window(NOON, until.end().plusSeconds(1)),
                change);
        assertNotQuoted(
                RentalException.Overlap.class, listing, new Window(from.start().minusSeconds(1), from.end()), change);
    }

    @Test
    void quote_ofWhatWasChangedOrIsQuarantined_isNotKept() {
        Listing listing = listing("lot", Rate.of(3));
        store.putHost(host("rack-1", 8));
        store.putListing(listing);
        long before = store.offering(listing.id()).orElseThrow().change();
        store.putListing(listing("lot", Rate.of(4)));
        assertNotQuoted(RentalException.Superseded.class, listing, hours(0, 1), before);

        Listing now = store.offering(listing.id()).orElseThrow().listing();
        long change = store.offering(listing.id()).orElseThrow().change();
        store.putCondition(new GpuCondition(gpu(2), GpuCondition.State.QUARANTINED, "no reset", NOON));
        assertNotQuoted(RentalException.Unacceptable.class, now, hours(0, 1), change);

        store.putCondition(new GpuCondition(gpu(2), GpuCondition.State.AVAILABLE, "looked at", NOON));
        Quote quote = quoteOf(now, hours(0, 1));
        store.putQuote(quote, change);
        assertEquals(Optional.of(quote), store.quote(quote.id()));
    }

    @Test
    void quotes_ofManyAtOnce_areKeptOrRefusedEachByItself() throws Exception {
        Listing listing = listing("lot", Rate.of(3));
        store.putHost(host("rack-1", 8));
        store.putListing(listing);
        long change = store.offering(listing.id()).orElseThrow().change();
        store.append(reserved(RentalId.random(), terms(0, hours(2, 4), gpu(2))));

        List<Object> outcomes = inParallel(8, 64, i -> {
            Quote quote = quoteOf(listing, i % 2 == 0 ? hours(0, 1) : hours(2, 3));
            store.putQuote(quote, change);
            return quote;
        });

        for (int i = 0; i < outcomes.size(); i++) {
            if (i % 2 == 0) {
                Quote quote = (Quote) outcomes.get(i);
                assertEquals(Optional.of(quote), store.quote(quote.id()));
            } else {
                assertInstanceOf(RentalException.Overlap.class, outcomes.get(i));
            }
        }
    }

    /** Returns the first event of a rental of {@code lot-1}, which is kept with its host. */
    private Recorded bookable(long lane, Window window, GpuId... gpus) {
        return reserved(RentalId.random(), terms(lane, window, gpus));
    }

    private long offered() {
        store.putHost(host("rack-1", 8));
        store.putListing(listing("lot-1", Rate.of(3)));
        return store.offering(new ListingId("lot-1")).orElseThrow().change();
    }

    private <E extends RuntimeException> void assertNotBegun(Class<E> why, Recorded first, long change) {
        assertThrows(why, () -> store.begin(first, change));
        assertThrows(why, () -> store.begin(first, change, answer("not-begun", NOON)));
        assertEquals(0, store.version(first.after().id()));
        assertEquals(Optional.empty(), store.answer(RENTER, new IdempotencyKey("not-begun")));
    }

    @Test
    void rental_ofWhatIsAsItWasRead_begins_ofWhatWasChanged_doesNot() {
        long change = offered();
        Recorded first = bookable(0, hours(0, 1), gpu(1), gpu(2));
        store.begin(first, change);
        assertEquals(Optional.of(first.after()), store.rental(first.after().id()));
        assertFalse(store.isFree(List.of(gpu(2)), hours(0, 1)));
        Recorded keyed = bookable(1, hours(2, 3), gpu(1), gpu(2));
        store.begin(keyed, change, answer("begun", NOON));
        assertEquals(Optional.of(keyed.after()), store.rental(keyed.after().id()));
        assertEquals(Optional.of(answer("begun", NOON)), store.answer(RENTER, new IdempotencyKey("begun")));
        Recorded late = bookable(3, hours(8, 9), gpu(1));
        assertThrows(KeyTakenException.class, () -> store.begin(late, change, answer("begun", NOON)));
        assertEquals(0, store.version(late.after().id()));

        assertNotBegun(RentalException.Overlap.class, bookable(2, hours(0, 1), gpu(1)), change);
        assertNotBegun(RentalException.Overlap.class, bookable(2, hours(0, 1), gpu(1), gpu(3)), change);
        assertTrue(store.isFree(List.of(gpu(3)), hours(0, 1)), "nothing is left of the one that it could have had");
        assertNotBegun(RentalException.LaneTaken.class, bookable(0, hours(4, 5), gpu(1)), change);
        assertNotBegun(RentalException.Superseded.class, bookable(2, hours(4, 5), gpu(1)), change + 1);
        store.putHost(host("rack-1", 16));
        assertNotBegun(RentalException.Superseded.class, bookable(2, hours(4, 5), gpu(1)), change);
        long now = store.offering(new ListingId("lot-1")).orElseThrow().change();
        store.putListing(listing("lot-1", Rate.of(4)));
        assertNotBegun(RentalException.Superseded.class, bookable(2, hours(4, 5), gpu(1)), now);
        long last = store.offering(new ListingId("lot-1")).orElseThrow().change();
        store.putCondition(new GpuCondition(gpu(1), GpuCondition.State.QUARANTINED, "no reset", NOON));
        assertNotBegun(RentalException.Unacceptable.class, bookable(2, hours(4, 5), gpu(1), gpu(3)), last);
        store.begin(bookable(2, hours(4, 5), gpu(3)), last);
    }

    @Test
    void rentalsOfManyAtOnce_beginOrAreRefusedEachByItself() throws Exception {
        long change = offered();

        // Of each two one has a change that never was; four want the same gpus at the same time, in pairs that cross.
        List<Object> outcomes = inParallel(8, 64, i -> {
            int slot = i / 8;
            int gpu = i % 4;
            Recorded first = bookable(i, hours(2 * slot, 2 * slot + 1), gpu(gpu), gpu((gpu + 1) % 4));
            store.begin(first, i % 8 < 4 ? change : change + 1);
            return first;
        });

        for (int slot = 0; slot < 8; slot++) {
            List<Object> ofSlot = outcomes.subList(8 * slot, 8 * slot + 8);
            assertTrue(ofSlot.subList(0, 4).stream().anyMatch(Recorded.class::isInstance), ofSlot::toString);
            ofSlot.subList(0, 4).stream()
                    .filter(Throwable.class::isInstance)
                    .forEach(refused -> assertInstanceOf(RentalException.Overlap.class, refused));
            ofSlot.subList(4, 8).forEach(refused -> assertInstanceOf(RentalException.Superseded.class, refused));
        }
        for (Object outcome : outcomes) {
            if (outcome instanceof Recorded begun) {
                assertEquals(
                        Optional.of(begun.after()), store.rental(begun.after().id()));
                assertFalse(store.isFree(
                        begun.after().terms().gpus(), begun.after().terms().window()));
            }
        }
    }

    @Test
    void reservation_ofAQuarantinedGpu_isRefusedAndLeavesNothing() {
        store.putCondition(new GpuCondition(gpu(2), GpuCondition.State.QUARANTINED, "no reset", NOON));
        Recorded both = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1), gpu(2)));

        assertThrows(RentalException.Unacceptable.class, () -> store.append(both));
        assertThrows(RentalException.Unacceptable.class, () -> store.append(List.of(both), answer("barred", NOON)));

        assertEquals(Optional.empty(), store.rental(both.after().id()));
        assertTrue(store.isFree(List.of(gpu(1), gpu(2)), hours(0, 1)));
        store.append(reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1))));
        store.putCondition(new GpuCondition(gpu(2), GpuCondition.State.AVAILABLE, "looked at", NOON));
        store.append(reserved(RentalId.random(), terms(1, hours(0, 1), gpu(2))));
    }

    @Test
    void quote_put_isReadBackAndNeverChanges() {
        var quote = new Quote(
                RentalId.random(), RENTER, listing("lot", Rate.of(3)), hours(0, 2), NOON.plusMillis(1), Setup.UNSTATED);
        store.putQuote(quote);
        store.putQuote(quote);

        assertEquals(Optional.of(quote), store.quote(quote.id()));
        assertEquals(Optional.empty(), store.quote(RentalId.random()));
        var dearer = new Quote(
                quote.id(), RENTER, listing("lot", Rate.of(4)), quote.window(), quote.expires(), Setup.UNSTATED);
        assertThrows(IllegalArgumentException.class, () -> store.putQuote(dearer));
        assertEquals(Optional.of(quote), store.quote(quote.id()));
    }

    // ---- versions ----

    @Test
    void append_wholeLife_isReadBackAsItWas() {
        List<Recorded> life = wholeLife(RentalId.random(), terms(0, hours(0, 1), gpu(1), gpu(2)));

        life.forEach(store::append);

        RentalId id = life.getFirst().after().id();
        List<Recorded> read = store.history(id);
        assertEquals(life, read);
        for (int i = 0; i < life.size(); i++) {
            assertEquals(life.get(i).after().state(), read.get(i).after().state());
        }
        Rental rental = store.rental(id).orElseThrow();
        assertEquals(life.getLast().after(), rental);
        assertEquals(RentalState.SETTLED, rental.state());
        assertEquals(life.getLast().after().terms(), rental.terms());
        assertEquals(life.getLast().after().settlement(), rental.settlement());
    }

    @Test
    void rental_neverAppended_isNone() {
        assertEquals(Optional.empty(), store.rental(RentalId.random()));
        assertEquals(List.of(), store.history(RentalId.random()));
    }

    @Test
    void append_secondEventOfAVersion_isSuperseded() {
        Rental reserved = reserve(terms(0, hours(0, 1), gpu(1)));
        Recorded cancelled = then(reserved, new RentalEvent.Cancelled(NOON, RENTER));
        store.append(cancelled);

        Recorded expired = then(reserved, new RentalEvent.HoldExpired(NOON));
        var refused = assertThrows(RentalException.Superseded.class, () -> store.append(expired));

        assertTrue(refused.getMessage().contains("version 2"), refused.getMessage());
        assertEquals(
                RentalState.CANCELLED, store.rental(reserved.id()).orElseThrow().state());
        assertEquals(2, store.history(reserved.id()).size());
    }

    @Test
    void append_reservationTwice_isSuperseded() {
        Recorded first = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        store.append(first);

        assertThrows(RentalException.Superseded.class, () -> store.append(first));
        Recorded elsewhere = reserved(first.after().id(), terms(1, hours(5, 6), gpu(2)));
        assertThrows(RentalException.Superseded.class, () -> store.append(elsewhere));
        assertTrue(store.isFree(List.of(gpu(2)), hours(5, 6)));
    }

    @Test
    void append_versionSkipped_isSuperseded() {
        Rental unknown = Rental.of(RentalId.random(), new RentalEvent.Reserved(NOON, terms(0, hours(0, 1), gpu(1))));
        assertThrows(
                RentalException.Superseded.class, () -> store.append(then(unknown, new RentalEvent.HoldExpired(NOON))));
        assertEquals(Optional.empty(), store.rental(unknown.id()));
    }

    @Test
    void append_sameVersionByManyThreads_oneWins() throws Exception {
        Rental reserved = reserve(terms(0, hours(0, 1), gpu(1)));

        List<Object> outcomes = inParallel(12, 12, i -> {
            RentalEvent event = i % 2 == 0
                    ? new RentalEvent.HoldExpired(NOON.plusSeconds(i))
                    : new RentalEvent.Cancelled(NOON.plusSeconds(i), RENTER);
            store.append(then(reserved, event));
            return event;
        });

        List<Object> won =
                outcomes.stream().filter(RentalEvent.class::isInstance).toList();
        assertEquals(1, won.size(), outcomes::toString);
        outcomes.stream()
                .filter(Throwable.class::isInstance)
                .forEach(refused -> assertInstanceOf(RentalException.Superseded.class, refused));
        assertEquals(won.getFirst(), store.history(reserved.id()).getLast().event());
    }

    @Test
    void append_hostileText_isReadBackAsItWas() {
        Rental reserved = reserve(terms(0, hours(0, 1), gpu(1)));
        String hostile = "nul \0 bell \7 quote ' \" \\ emoji \ud83d\ude00 lone \ud83d '; DROP TABLE ch_events; --";
        Recorded failed = null;
        Rental rental = reserved;
        for (RentalEvent event : List.of(
                new RentalEvent.OfferWritten(NOON, offer(reserved)),
                new RentalEvent.OfferSigned(NOON, Signature.of(new byte[65])),
                new RentalEvent.Funded(NOON, reserved.terms().deposit(), hash(7)),
                new RentalEvent.StartFailed(NOON, new Fault(Fault.Blame.LENDER, hostile)))) {
            failed = then(rental, event);
            store.append(failed);
            rental = failed.after();
        }

        assertEquals(failed, store.history(reserved.id()).getLast());
        assertEquals(
                hostile,
                store.rental(reserved.id()).orElseThrow().fault().orElseThrow().what());
    }

    // ---- bookings ----

    @Test
    void append_overlappingWindow_isRefusedAndLeavesNothing() {
        reserve(terms(0, hours(1, 2), gpu(1)));

        for (Window window : List.of(hours(0, 3), hours(1, 2), seconds(3600 + 1, 3600 + 2), seconds(0, 3601))) {
            Recorded second = reserved(RentalId.random(), terms(1, window, gpu(1)));
            var refused = assertThrows(RentalException.Overlap.class, () -> store.append(second), window::toString);
            assertTrue(refused.getMessage().contains(gpu(1).toString()), refused.getMessage());
            assertEquals(Optional.empty(), store.rental(second.after().id()));
        }
        assertEquals(1, store.freeLane(LENDER));
    }

    @Test
    void append_windowInTheTurnover_isRefused() {
        reserve(terms(0, hours(0, 1), gpu(1)));
        Window inTurnover = seconds(3600 + (int) TURNOVER.toSeconds() - 1, 9000);

        assertThrows(
                RentalException.Overlap.class,
                () -> store.append(reserved(RentalId.random(), terms(1, inTurnover, gpu(1)))));
    }

    @Test
    void append_windowsThatTouchAfterTheTurnover_areBothKept() {
        reserve(terms(0, hours(1, 2), gpu(1)));
        int from = 2 * 3600 + (int) TURNOVER.toSeconds();

        Rental later = reserve(terms(1, seconds(from, from + 60), gpu(1)));
        Rental earlier = reserve(terms(2, seconds(0, 3600 - (int) TURNOVER.toSeconds()), gpu(1)));

        assertTrue(store.rental(later.id()).isPresent());
        assertTrue(store.rental(earlier.id()).isPresent());
    }

    @Test
    void append_manyGpusOneOfWhichIsTaken_booksNone() {
        reserve(terms(0, hours(0, 1), gpu(3)));
        Recorded all = reserved(RentalId.random(), terms(1, hours(0, 1), gpu(4), gpu(3), gpu(2), gpu(1)));

        assertThrows(RentalException.Overlap.class, () -> store.append(all));

        assertTrue(store.isFree(List.of(gpu(1), gpu(2), gpu(4)), hours(0, 1)));
        reserve(terms(1, hours(0, 1), gpu(1), gpu(2), gpu(4)));
    }

    @Test
    void append_holdExpired_freesGpusAndLane() {
        Rental reserved = reserve(terms(0, hours(0, 1), gpu(1)));
        store.append(then(reserved, new RentalEvent.HoldExpired(NOON)));

        assertTrue(store.isFree(List.of(gpu(1)), hours(0, 1)));
        assertEquals(0, store.freeLane(LENDER));
        reserve(terms(0, hours(0, 1), gpu(1)));
    }

    @Test
    void append_ended_freesGpusButNotTheLane() {
        List<Recorded> life = wholeLife(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        for (Recorded recorded : life) {
            boolean over = recorded.after().occupied().isEmpty();
            store.append(recorded);
            assertEquals(over, store.isFree(List.of(gpu(1)), hours(0, 1)), recorded::toString);
            assertEquals(recorded.after().lanes().isEmpty(), store.freeLane(LENDER) == 0, recorded::toString);
            if (recorded.after().state() == RentalState.ENDED) {
                assertThrows(
                        RentalException.LaneTaken.class,
                        () -> store.append(reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)))));
            }
        }
        reserve(terms(0, hours(0, 1), gpu(1)));
    }

    @Test
    void append_eventsTogether_areKeptAsIfOneByOne() {
        List<Recorded> life = wholeLife(RentalId.random(), terms(0, hours(0, 1), gpu(1), gpu(2)));

        store.append(life.subList(0, 3));
        store.append(life.subList(3, life.size()), answer("rest", NOON));

        assertEquals(life, store.history(life.getFirst().after().id()));
        assertTrue(store.isFree(List.of(gpu(1), gpu(2)), hours(0, 1)));
        assertEquals(0, store.freeLane(LENDER));
        assertTrue(store.answer(RENTER, new IdempotencyKey("rest")).isPresent());
    }

    @Test
    void append_eventsTogetherOfWhichOneIsRefused_changesNothing() {
        Rental other = reserve(terms(0, hours(0, 1), gpu(2)));
        Rental rental = reserve(terms(1, hours(0, 1), gpu(1)));
        Recorded fine = changed(rental, rental.holdings().withLane(5));
        Recorded overlapping =
                changed(fine.after(), fine.after().holdings().with(List.of(new Occupancy(gpu(2), hours(0, 1)))));

        assertThrows(RentalException.Overlap.class, () -> store.append(List.of(fine, overlapping)));
        assertThrows(
                RentalException.Overlap.class, () -> store.append(List.of(fine, overlapping), answer("one", NOON)));
        assertThrows(RentalException.Superseded.class, () -> store.append(List.of(overlapping)));

        assertEquals(1, store.version(rental.id()));
        assertEquals(Optional.empty(), store.answer(RENTER, new IdempotencyKey("one")));
        reserve(terms(5, hours(2, 3), gpu(1)));
        assertEquals(1, store.version(other.id()));
    }

    @Test
    void append_eventsThatDoNotFollowOneAnother_isRefused() {
        List<Recorded> life = wholeLife(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        List<Recorded> otherLife = wholeLife(RentalId.random(), terms(1, hours(0, 1), gpu(2)));
        assertThrows(IllegalArgumentException.class, () -> store.append(List.of()));
        assertThrows(IllegalArgumentException.class, () -> store.append(List.of(life.get(0), life.get(2))));
        assertThrows(IllegalArgumentException.class, () -> store.append(List.of(life.get(0), otherLife.get(1))));
        assertEquals(0, store.version(life.getFirst().after().id()));
    }

    // ---- what an event changes ----

    @Test
    void append_eventThatAddsTimes_takesThemAndALane() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1), gpu(2)));
        Window further = seconds(3600 + (int) TURNOVER.toSeconds(), 7200);

        store.append(changed(
                rental,
                rental.holdings()
                        .with(List.of(new Occupancy(gpu(1), further), new Occupancy(gpu(2), further)))
                        .withLane(4)));

        assertFalse(store.isFree(List.of(gpu(1)), seconds(7199, 7200)));
        assertFalse(store.isFree(List.of(gpu(2)), seconds(0, 1)));
        assertTrue(store.isFree(List.of(gpu(1), gpu(2)), hours(2, 3)));
        assertThrows(
                RentalException.LaneTaken.class,
                () -> store.append(reserved(RentalId.random(), terms(4, hours(5, 6), gpu(1)))));
        assertThrows(
                RentalException.Overlap.class,
                () -> store.append(reserved(RentalId.random(), terms(1, hours(1, 2), gpu(2)))));
    }

    @Test
    void append_eventThatAddsTimesOneOfWhichIsTaken_changesNothing() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1), gpu(2)));
        reserve(terms(1, hours(2, 3), gpu(2)));
        Recorded longer = changed(
                rental,
                rental.holdings()
                        .with(List.of(new Occupancy(gpu(1), hours(2, 3)), new Occupancy(gpu(2), hours(2, 3))))
                        .withLane(2));

        assertThrows(RentalException.Overlap.class, () -> store.append(longer));

        assertEquals(1, store.rental(rental.id()).orElseThrow().version());
        assertTrue(store.isFree(List.of(gpu(1)), hours(2, 3)));
        assertEquals(2, store.freeLane(LENDER));
    }

    @Test
    void append_eventThatAddsALaneThatIsHeld_changesNothing() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)));
        reserve(terms(1, hours(0, 1), gpu(2)));
        Recorded longer = changed(
                rental,
                rental.holdings()
                        .with(List.of(new Occupancy(gpu(1), hours(2, 3))))
                        .withLane(1));

        assertThrows(RentalException.LaneTaken.class, () -> store.append(longer));

        assertEquals(1, store.rental(rental.id()).orElseThrow().version());
        assertTrue(store.isFree(List.of(gpu(1)), hours(2, 3)));
        assertTrue(store.freeLane(LENDER) > 1);
    }

    @Test
    void append_eventThatSwapsGpus_freesTheOldAndTakesTheNew() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1), gpu(2)));

        store.append(changed(
                rental, rental.holdings().movedTo(new HostId("rack-1"), List.of(gpu(3), gpu(2)), Instant.EPOCH)));

        assertTrue(store.isFree(List.of(gpu(1)), hours(0, 1)));
        assertFalse(store.isFree(List.of(gpu(2)), hours(0, 1)));
        assertFalse(store.isFree(List.of(gpu(3)), hours(0, 1)));
        reserve(terms(1, hours(0, 1), gpu(1)));
    }

    @Test
    void append_eventThatSwapsToATakenGpu_changesNothing() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1), gpu(2)));
        reserve(terms(1, hours(0, 1), gpu(3)));
        Recorded moved = changed(
                rental, rental.holdings().movedTo(new HostId("rack-1"), List.of(gpu(4), gpu(3)), Instant.EPOCH));

        assertThrows(RentalException.Overlap.class, () -> store.append(moved));

        assertEquals(1, store.rental(rental.id()).orElseThrow().version());
        assertFalse(store.isFree(List.of(gpu(1)), hours(0, 1)));
        assertFalse(store.isFree(List.of(gpu(2)), hours(0, 1)));
        assertTrue(store.isFree(List.of(gpu(4)), hours(0, 1)));
    }

    @Test
    void append_eventThatReplacesATimeByAnOverlappingOne_keepsTheNew() {
        Rental rental = reserve(terms(0, hours(2, 4), gpu(1)));
        Holdings earlier =
                new Holdings(rental.host(), rental.gpus(), Set.of(new Occupancy(gpu(1), hours(1, 3))), rental.lanes());

        store.append(changed(rental, earlier));

        assertFalse(store.isFree(List.of(gpu(1)), hours(1, 2)));
        assertTrue(store.isFree(List.of(gpu(1)), hours(3, 4)));
    }

    @Test
    void append_holdExpiredAfterAChange_freesAllOfIt() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)));
        Recorded longer = changed(
                rental,
                rental.holdings()
                        .with(List.of(new Occupancy(gpu(1), hours(2, 3))))
                        .withLane(1));
        store.append(longer);

        store.append(then(longer.after(), new RentalEvent.HoldExpired(NOON)));

        assertTrue(store.isFree(List.of(gpu(1)), hours(0, 3)));
        assertEquals(0, store.freeLane(LENDER));
    }

    @Test
    void append_timesOfOneRentalThatOverlap_isRefused() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)));
        Recorded twice = changed(rental, rental.holdings().with(List.of(new Occupancy(gpu(1), hours(0, 2)))));
        assertThrows(IllegalArgumentException.class, () -> store.append(twice));
    }

    /** Returns an event after which a rental holds something else. */
    private static Recorded changed(Rental before, Holdings then) {
        var event = new RentalEvent.Invited(NOON, "REQUEST", before.lastInvitation() + 1);
        return new Recorded(before.after(event, then), event, "b5".repeat(16), Optional.empty());
    }

    @Test
    void isFree_countsTurnoverAndNoneButTheGpusAsked() {
        reserve(terms(0, hours(1, 2), gpu(1)));

        assertTrue(store.isFree(List.of(gpu(2), gpu(3)), hours(1, 2)));
        assertFalse(store.isFree(List.of(gpu(2), gpu(1)), hours(1, 2)));
        assertFalse(store.isFree(List.of(gpu(1)), seconds(7200, 7201)));
        assertTrue(store.isFree(List.of(gpu(1)), hours(0, 1)));
        assertTrue(store.isFree(List.of(), hours(1, 2)));
    }

    private static Maintenance maintenance(String name, Window window, GpuId... gpus) {
        return new Maintenance(new HostId("rack-1"), name, List.of(gpus), window, "new fans");
    }

    @Test
    void maintenance_keepsItsGpusFromRentals_untilItIsRemoved() {
        Maintenance fans = maintenance("fans", hours(1, 2), gpu(1), gpu(2));
        store.putMaintenance(fans);
        store.putMaintenance(fans);

        assertEquals(List.of(fans), store.maintenances(new HostId("rack-1")));
        assertEquals(List.of(), store.maintenances(new HostId("rack-2")));
        assertFalse(store.isFree(List.of(gpu(2)), hours(1, 2)));
        assertThrows(RentalException.Overlap.class, () -> reserve(terms(0, hours(0, 3), gpu(2))));
        assertTrue(store.removeMaintenance(new HostId("rack-1"), "fans"));
        assertFalse(store.removeMaintenance(new HostId("rack-1"), "fans"));
        assertTrue(store.isFree(List.of(gpu(1), gpu(2)), hours(1, 2)));
        reserve(terms(0, hours(0, 3), gpu(2)));
    }

    @Test
    void maintenance_thatComesOrGoes_isAChangeOfItsHost() {
        HostId rack1 = new HostId("rack-1");
        HostId rack2 = new HostId("rack-2");
        store.putHost(host("rack-1", 4));
        store.putHost(host("rack-2", 4));
        Maintenance fans = maintenance("fans", hours(1, 2), gpu(1), gpu(2));
        Maintenance paste = maintenance("paste", hours(3, 4), gpu(1));
        long before = store.hostsChangedAfter(0, 10).getLast().change();

        store.putMaintenance(paste);
        store.putMaintenance(fans);
        store.putMaintenance(fans);
        List<Changed<Host>> changes = store.hostsChangedAfter(before, 10);
        assertEquals(
                List.of(host("rack-1", 4)), changes.stream().map(Changed::value).toList());
        assertEquals(List.of(fans, paste), store.maintained(List.of(rack2, rack1)));
        assertEquals(List.of(), store.maintained(List.of(rack2)));
        assertEquals(List.of(), store.maintained(List.of()));

        store.removeMaintenance(rack1, "fans");
        long after = changes.getLast().change();
        assertEquals(1, store.hostsChangedAfter(after, 10).size());
        assertEquals(List.of(paste), store.maintained(List.of(rack1)));
        after = store.hostsChangedAfter(after, 10).getLast().change();
        store.removeMaintenance(rack1, "fans");
        assertEquals(List.of(), store.hostsChangedAfter(after, 10), "nothing was removed");
        assertThrows(
                IllegalArgumentException.class,
                () -> store.maintained(IntStream.range(0, 1_001)
                        .mapToObj(i -> new HostId("rack-" + i))
                        .toList()));
    }

    @Test
    void maintenance_overARentalOrAnother_isRefusedNamingWhen_andLeavesNothing() {
        Rental rental = reserve(terms(0, hours(1, 2), gpu(2)));
        var refused = assertThrows(
                RentalException.Overlap.class,
                () -> store.putMaintenance(maintenance("fans", hours(2, 4), gpu(1), gpu(2))));

        assertTrue(refused.getMessage().contains(rental.terms().occupied().toString()), refused.getMessage());
        assertTrue(store.isFree(List.of(gpu(1)), hours(2, 4)), "all or none");
        assertEquals(List.of(), store.maintenances(new HostId("rack-1")));
        store.putMaintenance(maintenance("fans", hours(2, 4), gpu(1)));
        assertThrows(
                RentalException.Overlap.class, () -> store.putMaintenance(maintenance("paste", hours(3, 5), gpu(1))));
        assertThrows(
                IllegalArgumentException.class, () -> store.putMaintenance(maintenance("fans", hours(6, 7), gpu(1))));
    }

    @Test
    void sighting_isTheLatest() {
        Rental rental = reserve(terms(0, hours(1, 2), gpu(1)));
        assertEquals(Optional.empty(), store.lastSaw(rental.id()));
        store.saw(rental.id(), NOON.plusSeconds(60));
        store.saw(rental.id(), NOON.plusSeconds(30));
        assertEquals(Optional.of(NOON.plusSeconds(60)), store.lastSaw(rental.id()));
    }

    @Test
    void stuck_areThoseWhoseStepsAreStuckNow() {
        Rental rental = reserve(terms(0, hours(1, 2), gpu(1)));
        reserve(terms(1, hours(1, 2), gpu(2)));
        assertEquals(List.of(), store.stuck(10));
        Recorded stuck = then(rental, new RentalEvent.Stuck(NOON, RentalEffect.Step.WRITE_OFFER, "no chain"));
        store.append(stuck);
        assertEquals(List.of(stuck.after()), store.stuck(10));
        store.append(then(stuck.after(), new RentalEvent.Resumed(NOON, RentalEffect.Step.WRITE_OFFER, "it works")));
        assertEquals(List.of(), store.stuck(10));
    }

    @Test
    void append_noGpuOrOneTwice_isRefused() {
        assertThrows(
                IllegalArgumentException.class,
                () -> store.append(reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1), gpu(1)))));
        assertThrows(
                IllegalArgumentException.class, () -> store.append(reserved(RentalId.random(), terms(0, hours(0, 1)))));
        var fine = new Window(NOON.plusNanos(1), NOON.plusSeconds(5));
        assertThrows(
                IllegalArgumentException.class,
                () -> store.append(reserved(RentalId.random(), terms(0, fine, gpu(1)))));
    }

    // ---- lanes ----

    @Test
    void append_laneThatIsHeld_isRefusedAndLeavesNothing() {
        reserve(terms(3, hours(0, 1), gpu(1)));
        Recorded second = reserved(RentalId.random(), terms(3, hours(0, 1), gpu(2)));

        var refused = assertThrows(RentalException.LaneTaken.class, () -> store.append(second));

        assertTrue(refused.getMessage().contains("lane 3"), refused.getMessage());
        assertTrue(store.isFree(List.of(gpu(2)), hours(0, 1)));
        assertEquals(Optional.empty(), store.rental(second.after().id()));
    }

    @Test
    void freeLane_isTheLowestThatIsNotHeld() {
        assertEquals(0, store.freeLane(LENDER));
        Rental zero = reserve(terms(0, hours(0, 1), gpu(1)));
        reserve(terms(1, hours(0, 1), gpu(2)));
        reserve(terms(3, hours(0, 1), gpu(3)));
        assertEquals(2, store.freeLane(LENDER));
        assertEquals(0, store.freeLane(account(9)));

        store.append(then(zero, new RentalEvent.Cancelled(NOON, RENTER)));
        assertEquals(0, store.freeLane(LENDER));
    }

    // ---- queries ----

    @Test
    void pages_oneAfterTheOther_leaveNothingOut_andRepeatNothing() {
        // Two of three are reserved at the same instant as others.
        List<Rental> all = IntStream.range(0, RentalStore.PAGE + 5)
                .mapToObj(i -> reserve(terms(i, hours(2 * i, 2 * i + 1), gpu(1)), NOON.plusSeconds(i / 3)))
                .sorted(Comparator.comparing(Rental::reservedAt).thenComparing(Rental::id))
                .toList();
        Set<RentalState> reserved = EnumSet.of(RentalState.RESERVED, RentalState.FUNDED);

        assertEquals(all, store.allInStates(reserved).toList());
        assertEquals(
                all.reversed(), store.allOf(LENDER, NOON.plusSeconds(3_600)).toList());
        assertEquals(
                all.subList(0, 6).reversed(),
                store.allOf(RENTER, NOON.plusSeconds(2)).toList());
        assertEquals(List.of(), store.allOf(account(9), NOON.plusSeconds(3_600)).toList());
        assertEquals(List.of(), store.allInStates(Set.of(RentalState.SETTLED)).toList());
        assertEquals(all.subList(3, 5), store.inStates(reserved, RentalStore.Position.of(all.get(2)), 2));
        assertEquals(List.of(all.get(1), all.get(0)), store.of(RENTER, RentalStore.Position.of(all.get(2)), 5));
        assertEquals(
                all.getLast(),
                store.allOf(LENDER, NOON.plusSeconds(3_600)).findFirst().orElseThrow());
    }

    @Test
    void inStates_isOldestFirstAndLimited() {
        List<Rental> reserved = IntStream.range(0, 5)
                .mapToObj(i -> reserve(terms(i, hours(0, 1), gpu(i + 1)), NOON.minusSeconds(100 - i)))
                .toList();
        store.append(then(reserved.get(1), new RentalEvent.HoldExpired(NOON)));
        store.append(then(reserved.get(3), new RentalEvent.Cancelled(NOON, RENTER)));

        assertEquals(
                List.of(reserved.get(0), reserved.get(2), reserved.get(4)),
                store.inStates(EnumSet.of(RentalState.RESERVED), 10));
        assertEquals(List.of(reserved.get(0)), store.inStates(EnumSet.of(RentalState.RESERVED), 1));
        assertEquals(
                List.of(RentalState.EXPIRED, RentalState.CANCELLED),
                store.inStates(EnumSet.of(RentalState.EXPIRED, RentalState.CANCELLED), 10).stream()
                        .map(Rental::state)
                        .toList());
        assertEquals(List.of(), store.inStates(Set.of(), 10));
        assertEquals(List.of(), store.inStates(EnumSet.of(RentalState.SETTLED), 10));
        assertThrows(IllegalArgumentException.class, () -> store.inStates(EnumSet.of(RentalState.SETTLED), 0));
        assertThrows(IllegalArgumentException.class, () -> store.inStates(EnumSet.of(RentalState.SETTLED), 10_001));
    }

    @Test
    void of_isNewestFirstForRenterAndLender() {
        Rental first = reserve(terms(0, hours(0, 1), gpu(1)), NOON);
        Rental second = reserve(terms(1, hours(0, 1), gpu(2)), NOON.plusSeconds(1));

        assertEquals(List.of(second, first), store.of(LENDER, 10));
        assertEquals(List.of(second, first), store.of(RENTER, 10));
        assertEquals(List.of(second), store.of(RENTER, 1));
        assertEquals(List.of(), store.of(account(9), 10));
        assertThrows(IllegalArgumentException.class, () -> store.of(RENTER, 0));
    }

    // ---- claims ----

    @Test
    void claim_thatAnotherHas_isNotGivenUntilItIsClosed() {
        RentalId id = RentalId.random();
        RentalStore.Claim claim = store.claim(id).orElseThrow();

        assertEquals(Optional.empty(), store.claim(id));
        store.claim(RentalId.random()).orElseThrow().close();

        claim.close();
        RentalStore.Claim next = store.claim(id).orElseThrow();
        claim.close();
        assertEquals(Optional.empty(), store.claim(id), "a claim closed twice ends no other");
        next.close();
    }

    @Test
    void claim_byManyThreads_isHeldByOneAtATime() throws Exception {
        RentalId id = RentalId.random();
        var holders = new AtomicInteger();
        var most = new AtomicInteger();

        List<Object> outcomes = inParallel(8, 400, i -> {
            Optional<RentalStore.Claim> claim = store.claim(id);
            if (claim.isPresent()) {
                most.accumulateAndGet(holders.incrementAndGet(), Math::max);
                Thread.yield();
                holders.decrementAndGet();
                claim.get().close();
            }
            return claim.isPresent();
        });

        assertEquals(1, most.get());
        assertTrue(outcomes.contains(true), outcomes::toString);
        store.claim(id).orElseThrow().close();
    }

    // ---- answers ----

    private static Answer answer(String key, Instant at) {
        return new Answer(
                RENTER, new IdempotencyKey(key), RequestDigest.of("reserve", key), at, "test.v1", "{\"a\":\"\u00e4\"}");
    }

    @Test
    void append_withAnAnswer_keepsBoth() {
        Recorded first = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        Answer answer = answer("one", NOON.plusMillis(3));

        store.append(List.of(first), answer);

        assertEquals(Optional.of(answer), store.answer(RENTER, answer.key()));
        assertEquals(List.of(first), store.history(first.after().id()));
        assertEquals(Optional.empty(), store.answer(LENDER, answer.key()), "keys are a caller's own");
        assertEquals(Optional.empty(), store.answer(RENTER, new IdempotencyKey("two")));
    }

    @Test
    void append_refused_keepsNoAnswer() {
        reserve(terms(0, hours(0, 1), gpu(1)));
        Recorded second = reserved(RentalId.random(), terms(1, hours(0, 1), gpu(1)));

        assertThrows(RentalException.Overlap.class, () -> store.append(List.of(second), answer("one", NOON)));

        assertEquals(Optional.empty(), store.answer(RENTER, new IdempotencyKey("one")));
    }

    @Test
    void keptUnderATakenKey_changesNothing() {
        Answer answer = answer("one", NOON);
        store.putAnswer(answer);
        Answer other = answer("one", NOON.plusSeconds(9));
        Recorded first = reserved(RentalId.random(), terms(0, hours(0, 1), gpu(1)));
        var quote = new Quote(RentalId.random(), RENTER, listing("lot", Rate.of(3)), hours(0, 2), NOON, Setup.UNSTATED);
        var condition = new GpuCondition(gpu(1), GpuCondition.State.AVAILABLE, "fine", NOON);

        assertThrows(KeyTakenException.class, () -> store.append(List.of(first), other));
        assertThrows(KeyTakenException.class, () -> store.putQuote(quote, other));
        assertThrows(KeyTakenException.class, () -> store.putListing(listing("lot", Rate.of(3)), other));
        assertThrows(KeyTakenException.class, () -> store.putCondition(condition, other));
        assertThrows(KeyTakenException.class, () -> store.putAnswer(other));
        assertThrows(KeyTakenException.class, () -> store.putHost(host("rack-1", 4), other));
        Maintenance fans = maintenance("fans", hours(0, 1), gpu(1));
        assertThrows(KeyTakenException.class, () -> store.putMaintenance(fans, other));
        Maintenance paste = maintenance("paste", hours(0, 1), gpu(2));
        store.putMaintenance(paste);
        assertThrows(KeyTakenException.class, () -> store.removeMaintenance(paste.host(), "paste", other));

        assertEquals(Optional.of(answer), store.answer(RENTER, answer.key()));
        assertEquals(0, store.version(first.after().id()));
        assertTrue(store.isFree(List.of(gpu(1)), hours(0, 1)));
        assertEquals(0, store.freeLane(LENDER));
        assertEquals(Optional.empty(), store.quote(quote.id()));
        assertEquals(Optional.empty(), store.listing(new ListingId("lot")));
        assertEquals(Optional.empty(), store.condition(gpu(1)));
        assertEquals(List.of(), store.hosts());
        assertEquals(List.of(paste), store.maintenances(paste.host()));
        assertFalse(store.isFree(List.of(gpu(2)), hours(0, 1)));
    }

    @Test
    void hostAndMaintenance_withAnAnswer_areKeptWithIt() {
        Maintenance fans = maintenance("fans", hours(0, 1), gpu(1));

        store.putHost(host("rack-1", 4), answer("host", NOON));
        store.putMaintenance(fans, answer("block", NOON));
        store.putMaintenance(fans, answer("block-again", NOON));

        assertEquals(List.of(host("rack-1", 4)), store.hosts());
        assertEquals(List.of(fans), store.maintenances(fans.host()));
        assertFalse(store.isFree(List.of(gpu(1)), hours(0, 1)));
        assertTrue(store.removeMaintenance(fans.host(), "fans", answer("unblock", NOON)));
        assertTrue(store.isFree(List.of(gpu(1)), hours(0, 1)));
        for (String key : List.of("host", "block", "block-again", "unblock")) {
            assertEquals(Optional.of(answer(key, NOON)), store.answer(RENTER, new IdempotencyKey(key)));
        }
    }

    @Test
    void maintenance_refusedOrNotThere_keepsNoAnswer() {
        reserve(terms(0, hours(0, 1), gpu(1)));
        Maintenance over = maintenance("fans", hours(0, 1), gpu(2), gpu(1));

        assertThrows(RentalException.Overlap.class, () -> store.putMaintenance(over, answer("one", NOON)));
        assertFalse(store.removeMaintenance(over.host(), "fans", answer("one", NOON)));

        assertEquals(Optional.empty(), store.answer(RENTER, new IdempotencyKey("one")));
        assertTrue(store.isFree(List.of(gpu(2)), hours(0, 1)), "nothing is left of it");
    }

    @Test
    void maintenance_removedUnderOneKeyByManyThreads_oneDoesIt() throws Exception {
        Maintenance fans = maintenance("fans", hours(0, 1), gpu(1));
        store.putMaintenance(fans);

        List<Object> outcomes =
                inParallel(12, 24, i -> store.removeMaintenance(fans.host(), "fans", answer("same", NOON)));

        assertEquals(1, outcomes.stream().filter(Boolean.TRUE::equals).count(), outcomes::toString);
        outcomes.stream()
                .filter(Throwable.class::isInstance)
                .forEach(refused -> assertInstanceOf(KeyTakenException.class, refused));
    }

    @Test
    void quoteListingAndCondition_withAnAnswer_areKeptWithIt() {
        var quote = new Quote(RentalId.random(), RENTER, listing("lot", Rate.of(3)), hours(0, 2), NOON, Setup.UNSTATED);
        var condition = new GpuCondition(gpu(1), GpuCondition.State.AVAILABLE, "fine", NOON);

        store.putQuote(quote, answer("quote", NOON));
        store.putListing(listing("lot", Rate.of(3)), answer("listing", NOON));
        store.putCondition(condition, answer("condition", NOON));

        assertEquals(Optional.of(quote), store.quote(quote.id()));
        assertEquals(Optional.of(listing("lot", Rate.of(3))), store.listing(new ListingId("lot")));
        assertEquals(Optional.of(condition), store.condition(gpu(1)));
        for (String key : List.of("quote", "listing", "condition")) {
            assertEquals(Optional.of(answer(key, NOON)), store.answer(RENTER, new IdempotencyKey(key)));
        }
    }

    @Test
    void append_underOneKeyByManyThreads_oneHappens() throws Exception {
        List<Object> outcomes = inParallel(12, 24, i -> {
            Recorded recorded = reserved(RentalId.random(), terms(i, hours(0, 1), gpu(i + 1)));
            store.append(List.of(recorded), answer("same", NOON));
            return recorded.after();
        });

        assertEquals(1, outcomes.stream().filter(Rental.class::isInstance).count(), outcomes::toString);
        outcomes.stream()
                .filter(Throwable.class::isInstance)
                .forEach(refused -> assertInstanceOf(KeyTakenException.class, refused));
        assertEquals(1, store.inStates(EnumSet.of(RentalState.RESERVED), 100).size());
    }

    @Test
    void pruneAnswers_forgetsTheOldAloneAndAFewAtATime() {
        for (int i = 0; i < 5; i++) {
            store.putAnswer(answer("old-" + i, NOON.minusSeconds(1)));
        }
        store.putAnswer(answer("young", NOON));

        assertEquals(3, store.pruneAnswers(NOON, 3));
        assertEquals(2, store.pruneAnswers(NOON, 3));
        assertEquals(0, store.pruneAnswers(NOON, 3));

        assertTrue(store.answer(RENTER, new IdempotencyKey("young")).isPresent());
        store.putAnswer(answer("old-1", NOON));
        assertThrows(IllegalArgumentException.class, () -> store.pruneAnswers(NOON, 0));
    }

    @Test
    void pruneQuotes_forgetsTheExpiredAloneAndAFewAtATime() {
        var kept = new Quote(RentalId.random(), RENTER, listing("lot", Rate.of(3)), hours(0, 2), NOON, Setup.UNSTATED);
        store.putQuote(kept);
        for (int i = 0; i < 4; i++) {
            store.putQuote(new Quote(
                    RentalId.random(),
                    RENTER,
                    listing("lot", Rate.of(3)),
                    hours(0, 2),
                    NOON.minusMillis(1),
                    Setup.UNSTATED));
        }

        assertEquals(3, store.pruneQuotes(NOON, 3));
        assertEquals(1, store.pruneQuotes(NOON, 3));
        assertEquals(0, store.pruneQuotes(NOON, 3));

        assertEquals(Optional.of(kept), store.quote(kept.id()));
        assertThrows(IllegalArgumentException.class, () -> store.pruneQuotes(NOON, 10_001));
    }

    @Test
    void version_isHowManyEventsThereAre() {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)));
        assertEquals(1, store.version(rental.id()));
        store.append(then(rental, new RentalEvent.HoldExpired(NOON)));
        assertEquals(2, store.version(rental.id()));
        assertEquals(0, store.version(RentalId.random()));
    }

    // ---- audit ----

    @Test
    void unaudited_isInTheOrderOfAppends() {
        Rental one = reserve(terms(0, hours(0, 1), gpu(1)));
        Rental two = reserve(terms(1, hours(0, 1), gpu(2)));
        store.append(then(one, new RentalEvent.HoldExpired(NOON)));
        store.append(then(two, new RentalEvent.Cancelled(NOON, LENDER)));
        assertEquals(OptionalLong.empty(), store.lastAudited("log-a"));
        assertEquals(List.of(one.id() + " 1", two.id() + " 1", one.id() + " 2", two.id() + " 2"), unaudited(10));
        assertEquals(List.of(one.id() + " 1", two.id() + " 1", one.id() + " 2"), unaudited(3));
        assertEquals(store.history(one.id()), store.unaudited(one.id()));

        store.audited(List.of(at(one, 1, "log-a", 40), at(two, 1, "log-a", 42)));
        store.audited(List.of());

        assertEquals(List.of(one.id() + " 2", two.id() + " 2"), unaudited(10));
        assertEquals(List.of(store.history(one.id()).getLast()), store.unaudited(one.id()));
        assertEquals(OptionalLong.of(42), store.lastAudited("log-a"));
        assertEquals(OptionalLong.empty(), store.lastAudited("log-b"));
        assertEquals(store.history(two.id()).getLast(), store.unaudited(10).getLast());
        assertEquals(List.of(), store.unaudited(RentalId.random()));
    }

    @Test
    void audited_inTwoLogs_theFirstStays_andEachHasItsOwnIndexes() {
        Rental one = reserve(terms(0, hours(0, 1), gpu(1)));
        Rental two = reserve(terms(1, hours(0, 1), gpu(2)));
        store.audited(List.of(at(one, 1, "log-a", 7)));
        store.audited(List.of(at(one, 1, "log-a", 7), at(one, 1, "log-b", 3), at(two, 1, "log-b", 7)));

        assertEquals(OptionalLong.of(7), store.lastAudited("log-a"));
        assertEquals(OptionalLong.of(7), store.lastAudited("log-b"));
        assertEquals(List.of(), unaudited(10));
    }

    @Test
    void audited_unknownEventOrAnothersPlace_isRefused_andNothingIsNoted() {
        Rental one = reserve(terms(0, hours(0, 1), gpu(1)));
        Rental two = reserve(terms(1, hours(0, 1), gpu(2)));
        Rental three = reserve(terms(2, hours(0, 1), gpu(3)));
        store.audited(List.of(at(one, 1, "log-a", 7)));

        assertThrows(
                IllegalStateException.class,
                () -> store.audited(List.of(at(three, 1, "log-a", 8), at(two, 1, "log-a", 7))));
        assertThrows(
                IllegalArgumentException.class,
                () -> store.audited(List.of(at(three, 1, "log-a", 8), at(two, 2, "log-a", 9))));
        assertEquals(OptionalLong.of(7), store.lastAudited("log-a"));
        assertEquals(List.of(two.id() + " 1", three.id() + " 1"), unaudited(10));
    }

    private static RentalStore.Audited at(Rental rental, long version, String log, long index) {
        return new RentalStore.Audited(rental.id(), version, log, index);
    }

    private List<String> unaudited(int limit) {
        return store.unaudited(limit).stream()
                .map(e -> e.after().id() + " " + e.after().version())
                .toList();
    }

    // ---- timers ----

    @Test
    void timers_dueWakeUp_comesForItsVersion() throws Exception {
        Instant due = Instant.now().plusMillis(300);
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)), NOON, Optional.of(due));
        BlockingQueue<String> woken = new LinkedBlockingQueue<>();
        var early = new AtomicInteger();

        store.timers().start((id, version) -> {
            if (Instant.now().isBefore(due)) {
                early.incrementAndGet();
            }
            woken.add(id + " " + version);
            return null;
        });

        assertEquals(rental.id() + " 1", woken.poll(20, TimeUnit.SECONDS));
        assertEquals(0, early.get());
    }

    @Test
    void timers_nextVersion_takesTheWakeUpsPlace() throws Exception {
        Instant soon = Instant.now().plusMillis(200);
        Rental first = reserve(terms(0, hours(0, 1), gpu(1)), NOON, Optional.of(soon));
        store.append(then(first, new RentalEvent.HoldExpired(NOON), Optional.empty()));
        Rental second = reserve(terms(0, hours(0, 1), gpu(1)), NOON, Optional.of(soon));
        store.append(then(second, new RentalEvent.Cancelled(NOON, RENTER), Optional.of(soon.plusMillis(100))));
        BlockingQueue<String> woken = new LinkedBlockingQueue<>();

        store.timers().start((id, version) -> {
            woken.add(id + " " + version);
            return null;
        });

        assertEquals(second.id() + " 2", woken.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void timers_handlerThatAsksForMore_isWokenAgainForTheSameVersion() throws Exception {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)), NOON, Optional.of(Instant.now()));
        BlockingQueue<String> woken = new LinkedBlockingQueue<>();
        var left = new AtomicInteger(2);

        store.timers().start((id, version) -> {
            woken.add(id + " " + version);
            return left.getAndDecrement() > 0 ? Instant.now().plusMillis(50) : null;
        });

        for (int i = 0; i < 3; i++) {
            assertEquals(rental.id() + " 1", woken.poll(20, TimeUnit.SECONDS));
        }
    }

    @Test
    void timers_handlerThatThrows_isWokenAgain() throws Exception {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)), NOON, Optional.of(Instant.now()));
        BlockingQueue<String> woken = new LinkedBlockingQueue<>();
        var first = new AtomicInteger();

        store.timers().start((id, version) -> {
            if (first.getAndIncrement() == 0) {
                throw new IllegalStateException("thrown by the test");
            }
            woken.add(id + " " + version);
            return null;
        });

        assertEquals(rental.id() + " 1", woken.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void timers_handlerThatAppends_isWokenForTheNextVersion() throws Exception {
        Rental rental = reserve(terms(0, hours(0, 1), gpu(1)), NOON, Optional.of(Instant.now()));
        BlockingQueue<Long> woken = new LinkedBlockingQueue<>();

        store.timers().start((id, version) -> {
            woken.add(version);
            if (version == 1) {
                store.append(then(rental, new RentalEvent.HoldExpired(NOON), Optional.of(Instant.now())));
                store.timers().hurry();
            }
            return null;
        });

        assertEquals(1L, woken.poll(20, TimeUnit.SECONDS));
        assertEquals(2L, woken.poll(20, TimeUnit.SECONDS));
    }

    @Test
    void timers_manyDueAtOnce_allComeOnce() throws Exception {
        int count = 60;
        var due = new CountDownLatch(count);
        Map<RentalId, Integer> woken = new ConcurrentHashMap<>();
        for (int i = 0; i < count; i++) {
            reserve(terms(i, hours(0, 1), gpu(i + 1)), NOON, Optional.of(Instant.now()));
        }

        store.timers().start((id, version) -> {
            woken.merge(id, 1, Integer::sum);
            due.countDown();
            return null;
        });

        assertTrue(due.await(30, TimeUnit.SECONDS), () -> woken.size() + " of " + count);
        assertEquals(count, woken.size(), "distinct rentals");
    }

    @Test
    void timers_close_waitsForTheHandlerThatRuns() throws Exception {
        reserve(terms(0, hours(0, 1), gpu(1)), NOON, Optional.of(Instant.now()));
        var entered = new CountDownLatch(1);
        var mayReturn = new CountDownLatch(1);
        var returned = new AtomicInteger();
        store.timers().start((id, version) -> {
            entered.countDown();
            await(mayReturn);
            returned.incrementAndGet();
            return null;
        });
        assertTrue(entered.await(20, TimeUnit.SECONDS));

        Thread closing = Thread.ofPlatform().start(() -> store.timers().close());
        mayReturn.countDown();
        closing.join(Duration.ofSeconds(30));

        assertFalse(closing.isAlive());
        assertEquals(1, returned.get());
    }

    @Test
    void timers_startedTwice_isRefused() {
        store.timers().start((id, version) -> null);
        assertThrows(IllegalStateException.class, () -> store.timers().start((id, version) -> null));
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- many at once ----

    @Test
    void append_manyThreadsOnFewGpus_neverOverlap() throws Exception {
        int attempts = attempts();
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println(getClass().getSimpleName() + " seed " + seed);
        var random = new Random(seed);
        List<RentalTerms> wanted = new ArrayList<>();
        for (int i = 0; i < attempts; i++) {
            int from = random.nextInt(200) * 600;
            List<Integer> some = IntStream.range(1, 9).boxed().collect(Collectors.toList());
            Collections.shuffle(some, random);
            GpuId[] gpus = some.subList(0, 1 + random.nextInt(3)).stream()
                    .map(RentalStoreContract::gpu)
                    .toArray(GpuId[]::new);
            wanted.add(terms(i, seconds(from, from + 600 * (1 + random.nextInt(6))), gpus));
        }

        List<Object> outcomes = inParallel(16, attempts, i -> {
            Recorded recorded = reserved(RentalId.random(), wanted.get(i));
            store.append(recorded);
            return recorded.after();
        });

        List<Rental> acknowledged = new ArrayList<>();
        for (Object outcome : outcomes) {
            if (outcome instanceof Rental rental) {
                acknowledged.add(rental);
            } else {
                assertInstanceOf(RentalException.Overlap.class, outcome);
            }
        }
        List<Rental> stored = store.inStates(EnumSet.of(RentalState.RESERVED), 10_000);
        assertEquals(Set.copyOf(acknowledged), Set.copyOf(stored));
        assertTrue(acknowledged.size() > 50, () -> "only " + acknowledged.size() + " of " + attempts);
        assertEquals(0, overlaps(stored));
    }

    /** How many reservations the threads try; fewer where each is slow. */
    protected int attempts() {
        return 2_000;
    }

    @Test
    void append_manyThreadsOnOneLane_oneHoldsIt() throws Exception {
        List<Object> outcomes = inParallel(16, 32, i -> {
            Recorded recorded = reserved(RentalId.random(), terms(5, hours(0, 1), gpu(i + 1)));
            store.append(recorded);
            return recorded.after();
        });

        assertEquals(1, outcomes.stream().filter(Rental.class::isInstance).count(), outcomes::toString);
        outcomes.stream()
                .filter(Throwable.class::isInstance)
                .forEach(refused -> assertInstanceOf(RentalException.LaneTaken.class, refused));
    }

    private static long overlaps(List<Rental> rentals) {
        Map<GpuId, List<Window>> byGpu = new HashMap<>();
        rentals.stream()
                .flatMap(rental -> rental.occupied().stream())
                .forEach(occupancy -> byGpu.computeIfAbsent(occupancy.gpu(), g -> new ArrayList<>())
                        .add(occupancy.window()));
        long count = 0;
        for (List<Window> windows : byGpu.values()) {
            for (int i = 0; i < windows.size(); i++) {
                for (int j = 0; j < i; j++) {
                    count += windows.get(i).overlaps(windows.get(j)) ? 1 : 0;
                }
            }
        }
        return count;
    }

    /** Runs a task a number of times on some threads; returns what each returned or threw. */
    protected static List<Object> inParallel(int threads, int times, Indexed task) throws Exception {
        try (var pool = Executors.newFixedThreadPool(threads)) {
            List<Callable<Object>> tasks = new ArrayList<>();
            for (int i = 0; i < times; i++) {
                int index = i;
                tasks.add(() -> {
                    try {
                        return task.run(index);
                    } catch (Throwable e) {
                        return e;
                    }
                });
            }
            List<Object> outcomes = new ArrayList<>();
            for (Future<Object> future : pool.invokeAll(tasks)) {
                outcomes.add(future.get());
            }
            return outcomes;
        }
    }

    /** A task that knows its number. */
    @FunctionalInterface
    protected interface Indexed {
        Object run(int index) throws Exception;
    }

    // ---- samples ----

    protected final RentalStore store() {
        return store;
    }

    private Rental reserve(RentalTerms terms) {
        return reserve(terms, NOON);
    }

    private Rental reserve(RentalTerms terms, Instant at) {
        return reserve(terms, at, Optional.empty());
    }

    private Rental reserve(RentalTerms terms, Instant at, Optional<Instant> wake) {
        var event = new RentalEvent.Reserved(at, terms);
        Rental rental = Rental.of(RentalId.random(), event);
        store.append(new Recorded(rental, event, "00".repeat(16), wake));
        return rental;
    }

    /** Returns the first event of a rental, to be appended. */
    public static Recorded reserved(RentalId id, RentalTerms terms) {
        var event = new RentalEvent.Reserved(NOON, terms);
        return new Recorded(Rental.of(id, event), event, "5a".repeat(16), Optional.of(NOON));
    }

    /** Returns a rental's next event, to be appended. */
    public static Recorded then(Rental before, RentalEvent event) {
        return then(before, event, Optional.of(NOON.plusNanos(before.version())));
    }

    private static Recorded then(Rental before, RentalEvent event, Optional<Instant> wake) {
        return new Recorded(before.after(event), event, "a5".repeat(16), wake);
    }

    /** Returns every event that can be in one rental's life, from reservation to settlement. */
    public static List<Recorded> wholeLife(RentalId id, RentalTerms terms) {
        var life = new ArrayList<Recorded>();
        life.add(reserved(id, terms));
        Rental reserved = life.getFirst().after();
        Instant start = terms.window().start();
        Signature signature = Signature.of(bytes(65, 3));
        Amount half = new Amount(terms.deposit().units().shiftRight(1));
        for (RentalEvent event : List.of(
                new RentalEvent.OfferWritten(NOON, offer(reserved)),
                new RentalEvent.OfferSigned(NOON.plusNanos(1), signature),
                new RentalEvent.Funded(NOON.plusMillis(1), terms.deposit(), hash(9)),
                new RentalEvent.Invited(NOON, "REQUEST", 0),
                new RentalEvent.Starting(start.minusSeconds(60)),
                new RentalEvent.MachineStarted(start.minusSeconds(9), Map.of("image", "sha256:00", "kernel", "6.1")),
                new RentalEvent.Activated(start.plusSeconds(1), "SSH-2.0-OpenSSH_9.2"),
                new RentalEvent.CertificateIssued(start.plusSeconds(2), "77", "SHA256:abc", start.plusSeconds(30)),
                new RentalEvent.CertificatesRevoked(start.plusSeconds(2), List.of("77"), "the renter asked"),
                new RentalEvent.Ending(terms.window().end(), RentalEvent.EndCause.WINDOW_OVER),
                new RentalEvent.AccessCut(terms.window().end(), 2),
                new RentalEvent.MachineDestroyed(terms.window().end(), Map.of("process gone", "true")),
                new RentalEvent.DiskErased(terms.window().end(), Map.of("key slot", "wiped")),
                new RentalEvent.TurnedOver(
                        terms.window().end(),
                        List.of(new Hypervisor.Turnover(new PciAddress("0000:41:00.0"), true, "reset"))),
                new RentalEvent.ReceiptSigned(
                        terms.window().end(), terms.window().length().minusSeconds(1), signature),
                new RentalEvent.Settled(
                        terms.window().end(), half, terms.deposit().minus(half), hash(10)))) {
            life.add(then(life.getLast().after(), event));
        }
        return List.copyOf(life);
    }

    /** Returns the offer that fits a rental. */
    public static EscrowOffer offer(Rental rental) {
        RentalTerms terms = rental.terms();
        return new EscrowOffer(
                terms.lender(),
                BigInteger.valueOf(terms.lane()),
                BigInteger.ONE.shiftLeft(63),
                terms.renter(),
                terms.token().contract(),
                Stakes.NONE,
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                Cancellation.FREE,
                terms.holdUntil(),
                new EscrowOffer.Hash32("0x7c3e4d4e906158929776f912b3489bf3eabd05966bd8137be60d65b281e3b516"),
                hash(1));
    }

    /** Returns terms on a lane for gpus in a window, with five minutes of turnover. */
    public static RentalTerms terms(long lane, Window window, GpuId... gpus) {
        return new RentalTerms(
                RENTER,
                LENDER,
                new ListingId("lot-1"),
                new HostId("rack-1"),
                Arrays.asList(gpus),
                new MachineShape(8, 16_384, 65_536, "debian-12"),
                window,
                TURNOVER,
                new Token(account(5), "USDC", 6, true),
                new Rate(Rate.MAX),
                Duration.ofMinutes(10),
                Duration.ofHours(1),
                lane,
                NOON.plusSeconds(900),
                false,
                Cancellation.FREE,
                Stakes.NONE,
                Setup.UNSTATED,
                Assurance.ISOLATED);
    }

    /** Returns a numbered gpu of one host. */
    public static GpuId gpu(int number) {
        return new GpuId(new HostId("rack-1"), new PciAddress("0000:%02x:00.0".formatted(number)));
    }

    /** Returns a window by hours after noon. */
    public static Window hours(int from, int to) {
        return seconds(from * 3600, to * 3600);
    }

    /** Returns a window by seconds after noon. */
    public static Window seconds(int from, int to) {
        return new Window(NOON.plusSeconds(from), NOON.plusSeconds(to));
    }

    /** Returns a numbered account. */
    public static Account account(int number) {
        return new Account("0x%040x".formatted(number));
    }

    /** Returns a numbered hash. */
    public static Hash32 hash(int number) {
        return Hash32.of(bytes(32, number));
    }

    private static byte[] bytes(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    /** Returns a host with two gpus, one of which can't be passed through. */
    public static Host host(String name, int cpus) {
        return new Host(
                new HostId(name),
                LENDER,
                cpus,
                65_536,
                List.of(
                        new Gpu(
                                new PciAddress("0000:41:00.0"),
                                "10de",
                                "2330",
                                "H100 80GB – SXM5",
                                81_559,
                                OptionalInt.of(17),
                                false,
                                Optional.empty()),
                        new Gpu(
                                new PciAddress("0000:00:02.0"),
                                "1234",
                                "1111",
                                "emulated display",
                                0,
                                OptionalInt.empty(),
                                true,
                                Optional.of("bound to a driver"))),
                "kvm",
                Assurance.ISOLATED,
                new GuestPlatform(
                        Map.of("qemu", "7.2.22", "libvirt", "9.0.0"),
                        Map.of("machine", "q35"),
                        "none but the forwarded SSH port",
                        Map.of(
                                "ubuntu",
                                new GuestPlatform.Image(
                                        Map.of("kernel", "ab".repeat(32)), Map.of("kernel", "6.1.0-42-cloud-amd64")))));
    }

    /** Returns a listing at a price. */
    public static Listing listing(String name, Rate price) {
        return new Listing(
                new ListingId(name),
                LENDER,
                new HostId("rack-1"),
                List.of(gpu(1), gpu(2)),
                new MachineShape(8, 16_384, 65_536, "debian-12"),
                new Token(Account.ZERO, "ETH", 18, false),
                Rate.of(1),
                new Rate(Rate.MAX),
                price,
                Availability.parse("Europe/Berlin: MON 09:00-17:00"),
                new Listing.Rules(
                        Duration.ofMinutes(1),
                        Duration.ofDays(30),
                        TURNOVER,
                        Duration.ofMinutes(10),
                        Duration.ofHours(1)),
                Assurance.CONFIDENTIAL,
                true,
                "eu-central",
                Interconnect.NVLINK);
    }
}
