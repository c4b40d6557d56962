package org.computehive.market.search;

import static org.computehive.market.search.Lots.NOW;
import static org.computehive.market.search.Lots.gpu;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.market.Listing;
import org.computehive.market.ListingQuery;
import org.computehive.market.Rate;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;

class ListingIndexTest {
    private static final Function<Account, OptionalInt> REPUTATION =
            lender -> lender.equals(Lots.lender(0)) ? OptionalInt.empty() : OptionalInt.of(lender.hashCode() & 1023);

    private static final Comparator<FreeWindow> BEST_FIRST = Comparator.comparing(
                    (FreeWindow each) -> each.listing().price())
            .thenComparing(each -> each.window().start())
            .thenComparing(each -> each.listing().id().value());

    private final ListingIndex index = new ListingIndex(NOW);

    /** Listings that come, change and are booked at random; every answer is compared with a look at each listing. */
    @RepeatedTest(10)
    void anyListingsAndBookings_answersAreThoseOfALookAtEach() {
        long seed = Long.getLong("computehive.seed", 1);
        System.out.println("ListingIndexTest seed " + seed);
        var random = new Random(seed);
        var lots = new Lots(random);
        var told = new Told();
        for (int round = 0; round < 120; round++) {
            List<Offer> offers = new ArrayList<>();
            for (int i = random.nextInt(round == 40 ? 700 : 12); i > 0; i--) {
                offers.add(lots.offer(random.nextInt(400)));
            }
            index.put(offers);
            told.put(offers);
            for (int i = random.nextInt(60); i > 0; i--) {
                long booking = random.nextInt(500);
                Map<GpuId, List<Window>> held = new HashMap<>();
                for (int n = random.nextInt(4); n > 0; n--) {
                    held.computeIfAbsent(gpu(random.nextInt(400), random.nextInt(6)), any -> new ArrayList<>())
                            .add(lots.window(25));
                }
                index.book(booking, held);
                told.book(booking, held);
            }
            ListingQuery query = lots.query();
            compare("seed %d round %d %s".formatted(seed, round, query), told.answers(query), found(query));
        }
        assertEquals(told.offers.size(), index.size());
        assertEquals(
                told.bookings.values().stream().filter(held -> !held.isEmpty()).count(), index.bookings());
    }

    private List<FreeWindow> found(ListingQuery query) {
        List<FreeWindow> all = new ArrayList<>();
        index.find(query, REPUTATION).forEachRemaining(all::add);
        return all;
    }

    private static void compare(String what, Map<String, FreeWindow> expected, List<FreeWindow> found) {
        assertEquals(
                expected,
                found.stream()
                        .collect(Collectors.toMap(
                                each -> each.listing().id().value(), each -> each, (a, b) -> a, TreeMap::new)),
                what);
        assertEquals(expected.size(), found.size(), what);
        assertEquals(found.stream().sorted(BEST_FIRST).toList(), found, what);
    }

    @Test
    void find_sameListingAtANewPrice_isFoundOnceAtThatPrice() {
        var lots = new Lots(new Random(1));
        List<Offer> many = new ArrayList<>();
        for (int host = 0; host < 600; host++) {
            many.add(lots.offer(host));
        }
        index.put(many);
        Offer old = many.getFirst();
        Listing dear = priced(old.listing(), new Rate(Rate.MAX));

        index.put(List.of(new Offer(dear, old.devices())));

        ListingQuery query =
                ListingQuery.in(Window.of(NOW, old.listing().rules().longest())).build();
        List<FreeWindow> found = found(query).stream()
                .filter(each -> each.listing().id().equals(dear.id()))
                .toList();
        boolean always = dear.availability().covers(query.within());
        assertEquals(
                always ? List.of(dear) : List.of(),
                found.stream().map(FreeWindow::listing).toList());
    }

    @Test
    void find_atOnePrice_earliestComesFirst() {
        var lots = new Lots(new Random(2));
        Offer one = always(lots, 1);
        Offer two = always(lots, 2);
        index.put(List.of(one, two));
        one.listing()
                .gpus()
                .forEach(each ->
                        index.book(each.hashCode(), Map.of(each, List.of(Window.of(NOW, Duration.ofHours(2))))));

        ListingQuery query = ListingQuery.lasting(Duration.ofHours(2), Window.of(NOW, Duration.ofDays(2)))
                .build();

        assertEquals(
                List.of(two.listing().id(), one.listing().id()),
                found(query).stream().map(each -> each.listing().id()).toList());
        assertEquals(
                List.of(NOW, NOW.plus(Duration.ofHours(2))),
                found(query).stream().map(each -> each.window().start()).toList());
    }

    @Test
    void find_amongVeryManyAtOnePrice_earliestComesFirst_atOneTimeByTheirIds() {
        var lots = new Lots(new Random(3));
        List<Offer> offers = new ArrayList<>();
        for (int host = 0; host < 2_000; host++) {
            offers.add(always(lots, host));
        }
        index.put(offers);
        for (int host = 0; host < 2_000; host++) {
            Window busy = Window.of(NOW, Duration.ofHours(1 + host * 7919 % 41));
            int booking = host;
            boolean isFreeAtOnce = host % 101 == 0;
            Map<GpuId, List<Window>> held = offers.get(host).listing().gpus().stream()
                    .collect(Collectors.toMap(each -> each, each -> isFreeAtOnce ? List.of() : List.of(busy)));
            index.book(booking, held);
        }

        List<FreeWindow> found = found(ListingQuery.lasting(Duration.ofHours(2), Window.of(NOW, Duration.ofDays(3)))
                .build());

        assertEquals(2_000, found.size());
        assertEquals(found.stream().sorted(BEST_FIRST).toList(), found);
        assertEquals(NOW, found.get(19).window().start());
        assertEquals(NOW.plus(Duration.ofHours(1)), found.get(20).window().start());
    }

    private static Offer always(Lots lots, int host) {
        Offer offer = lots.offer(host);
        Listing any = offer.listing();
        var listing = new Listing(
                any.id(),
                any.lender(),
                any.host(),
                any.gpus(),
                any.shape(),
                any.token(),
                Rate.of(1),
                Rate.of(9),
                Rate.of(5),
                Availability.always(),
                new Listing.Rules(
                        Duration.ofMinutes(1),
                        Duration.ofDays(7),
                        Duration.ZERO,
                        Duration.ofHours(1),
                        Duration.ofHours(1)),
                any.assurance(),
                any.emulated());
        return new Offer(listing, offer.devices());
    }

    private static Listing priced(Listing any, Rate price) {
        return new Listing(
                any.id(),
                any.lender(),
                any.host(),
                any.gpus(),
                any.shape(),
                any.token(),
                Rate.of(1),
                new Rate(Rate.MAX),
                price,
                any.availability(),
                any.rules(),
                any.assurance(),
                any.emulated(),
                any.region(),
                any.interconnect());
    }

    @Test
    void find_inAnEmptyMarket_isNothing() {
        ListingQuery query = ListingQuery.free(Window.of(NOW, Duration.ofHours(1)));
        Iterator<FreeWindow> none = index.find(query, REPUTATION);

        assertFalse(none.hasNext());
        assertThrows(NoSuchElementException.class, none::next);
    }

    @Test
    void book_windowOutOfRange_isRefused() {
        Window bad = new Window(Instant.MIN, NOW);
        assertThrows(IllegalArgumentException.class, () -> index.book(1, Map.of(gpu(1, 1), List.of(bad))));
        assertEquals(0, index.bookings());
    }

    /** What the index was told, asked listing by listing. */
    private static final class Told {
        private final Map<String, Offer> offers = new TreeMap<>();
        private final Map<Long, Map<GpuId, List<Window>>> bookings = new HashMap<>();

        void put(List<Offer> all) {
            all.forEach(offer -> offers.put(offer.listing().id().value(), offer));
        }

        void book(long booking, Map<GpuId, List<Window>> held) {
            bookings.put(booking, held);
        }

        Map<String, FreeWindow> answers(ListingQuery query) {
            Map<GpuId, List<Window>> taken = new HashMap<>();
            bookings.values()
                    .forEach(held -> held.forEach((gpu, windows) ->
                            taken.computeIfAbsent(gpu, any -> new ArrayList<>()).addAll(windows)));
            Map<String, FreeWindow> answers = new TreeMap<>();
            for (Offer offer : offers.values()) {
                Listing listing = offer.listing();
                OptionalInt score = REPUTATION.apply(listing.lender());
                boolean trusted =
                        query.reputation() == 0 || (score.isPresent() && score.getAsInt() >= query.reputation());
                if (trusted && query.fits(listing, offer.devices())) {
                    List<Window> busy = listing.gpus().stream()
                            .flatMap(gpu -> taken.getOrDefault(gpu, List.of()).stream())
                            .toList();
                    start(listing, query, busy)
                            .ifPresent(at -> answers.put(
                                    listing.id().value(), FreeWindow.of(listing, Window.of(at, query.length()))));
                }
            }
            return answers;
        }

        private static Optional<Instant> start(Listing listing, ListingQuery query, List<Window> busy) {
            List<Instant> starts = new ArrayList<>(List.of(query.within().start()));
            busy.forEach(window -> starts.add(window.end()));
            listing.availability().openings(query.within()).forEach(open -> starts.add(open.start()));
            return starts.stream()
                    .filter(start ->
                            query.within().contains(start) && query.within().covers(Window.of(start, query.length())))
                    .filter(start -> listing.availability().covers(Window.of(start, query.length())))
                    .filter(start -> busy.stream()
                            .noneMatch(Window.of(start, query.length())
                                    .extendedBy(listing.rules().turnover())::overlaps))
                    .min(Instant::compareTo);
        }
    }
}
