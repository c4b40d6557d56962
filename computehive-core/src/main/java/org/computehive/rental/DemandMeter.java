package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.computehive.demand.BookingPattern;
import org.computehive.demand.BookingPattern.Booked;
import org.computehive.demand.DemandSignals;
import org.computehive.demand.DemandState;
import org.computehive.market.Account;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.ListingQuery;
import org.computehive.schedule.Window;

/**
 * Measures demand: by day and class of gpus what the booking store says of utilisation and lead times, and how many searches
 * found nothing.
 *
 * <p>Only days (UTC) that are over count, so what it says changes once a day, and by the {@link DemandState}'s limit. It looks
 * at the store when {@link #measure} is called and answers from memory. It knows the gpus that are listed now, not those that
 * were listed on a day before; searches are counted since it was made, of this process alone. Thread-safe.
 */
final class DemandMeter {
    /** How far it looks back at first: what was before has no weight any more. */
    static final Duration LOOK_BACK = Duration.ofDays(60);

    private static final Duration PATTERN = Duration.ofDays(28);
    /** A rental that was reserved longer before its window is not found. */
    private static final Duration LONGEST_LEAD = Duration.ofDays(90);
    /** So many kinds of searches are told apart at a time; nobody can fill the memory by asking. */
    private static final int MOST_KINDS = 10_000;

    private static final Set<RentalState> NOT_BOOKED =
            Set.of(RentalState.RESERVED, RentalState.EXPIRED, RentalState.CANCELLED, RentalState.FAILED);

    private final RentalStore store;
    private final InstantSource clock;
    private final UnaryOperator<String> classOf;
    private final Map<Kind, Tally> searches = new ConcurrentHashMap<>();
    private volatile Measured measured = new Measured(Instant.EPOCH, Map.of(), Map.of());

    /** A kind of search on a day. */
    private record Kind(Instant day, Set<String> words) {}

    private record Tally(LongAdder all, LongAdder nothing) {}

    private record Measured(Instant until, Map<String, DemandState> states, Map<Account, BookingPattern> patterns) {}

    private record Taken(Account lender, List<GpuId> gpus, Instant at, Window window) {}

    /** The gpus that are listed now. */
    private record Listed(Map<GpuId, Gpu> gpus, Map<String, Set<GpuId>> classes, Map<Account, Integer> byLender) {}

    /**
     * Makes a meter that has measured nothing.
     *
     * @param classOf names the class of a gpu by its model's name
     */
    DemandMeter(RentalStore store, InstantSource clock, UnaryOperator<String> classOf) {
        this.store = store;
        this.clock = clock;
        this.classOf = classOf;
    }

    /** Counts a search; one for any model, or with a limit on the price, says nothing of a class's demand. */
    void searched(ListingQuery query, boolean found) {
        if (query.words().isEmpty()
                || query.atMost().isPresent()
                || query.atMostPerGpu().isPresent()) {
            return;
        }
        var kind = new Kind(today(), query.words());
        if (searches.size() < MOST_KINDS || searches.containsKey(kind)) {
            Tally tally = searches.computeIfAbsent(kind, key -> new Tally(new LongAdder(), new LongAdder()));
            tally.all().increment();
            if (!found) {
                tally.nothing().increment();
            }
        }
    }

    /** Returns whether a day is over that was not measured. */
    boolean isDue() {
        return measured.until().isBefore(today());
    }

    /** Returns what demand does to the price of gpus of a class; empty if none is listed or nothing was measured. */
    Optional<DemandState> of(String gpuModel) {
        Measured now = measured;
        return now.states().isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(now.states().get(classOf.apply(gpuModel)));
    }

    /** Returns when a lender's gpus were booked in four weeks; empty if none is listed or nothing was measured. */
    Optional<BookingPattern> of(Account lender) {
        return Optional.ofNullable(measured.patterns().get(lender));
    }

    private Instant today() {
        return clock.instant().truncatedTo(ChronoUnit.DAYS);
    }

    /** Looks at the store and follows it to the end of yesterday. */
    synchronized void measure() {
        Instant today = today();
        Measured before = measured;
        if (!before.until().isBefore(today)) {
            return;
        }
        Instant first = today.minus(LOOK_BACK);
        Instant from = before.until().isBefore(first) ? first : before.until();
        Instant patternFrom = today.minus(PATTERN);
        Listed listed = listed();
        List<Taken> taken = taken(listed, from.isBefore(patternFrom) ? from : patternFrom);
        var states = new HashMap<String, DemandState>();
        listed.classes().forEach((name, gpus) -> {
            DemandState state = before.states().get(name);
            // Before anybody booked such gpus nothing is known, rather than that nobody wants them.
            Instant start = state != null ? from : first(taken, gpus, from);
            if (state == null) {
                state = DemandState.neutral(start);
            }
            for (Instant day = start; day.isBefore(today); day = day.plus(1, ChronoUnit.DAYS)) {
                state = state.next(signals(Window.of(day, Duration.ofDays(1)), gpus, taken, listed));
            }
            if (state.newest().isPresent()) {
                states.put(name, state);
            }
        });
        var patterns = new HashMap<Account, BookingPattern>();
        listed.byLender()
                .forEach((lender, gpus) ->
                        patterns.put(lender, pattern(lender, gpus, taken, new Window(patternFrom, today))));
        measured = new Measured(today, Map.copyOf(states), Map.copyOf(patterns));
        searches.keySet().removeIf(kind -> kind.day().isBefore(today));
    }

    private Listed listed() {
        var gpus = new HashMap<GpuId, Gpu>();
        for (Host host : store.hosts()) {
            host.gpus().forEach(gpu -> gpus.put(new GpuId(host.id(), gpu.address()), gpu));
        }
        var classes = new HashMap<String, Set<GpuId>>();
        var byLender = new HashMap<Account, Set<GpuId>>();
        for (Listing listing : store.listings()) {
            for (GpuId id : listing.gpus()) {
                Gpu gpu = gpus.get(id);
                if (gpu != null) {
                    classes.computeIfAbsent(classOf.apply(gpu.model()), key -> new HashSet<>())
                            .add(id);
                    byLender.computeIfAbsent(listing.lender(), key -> new HashSet<>())
                            .add(id);
                }
            }
        }
        var counts = new HashMap<Account, Integer>();
        byLender.forEach((lender, ids) -> counts.put(lender, ids.size()));
        return new Listed(gpus, classes, counts);
    }

    private List<Taken> taken(Listed listed, Instant from) {
        Instant now = clock.instant();
        var taken = new ArrayList<Taken>();
        for (Account lender : listed.byLender().keySet()) {
            try (Stream<Rental> rentals = store.allOf(lender, now.plusMillis(1))) {
                rentals.takeWhile(rental -> rental.reservedAt().isAfter(from.minus(LONGEST_LEAD)))
                        .filter(rental -> rental.terms().lender().equals(lender))
                        .filter(rental -> !NOT_BOOKED.contains(rental.state()))
                        .forEach(rental ->
                                taken.add(new Taken(lender, rental.gpus(), rental.reservedAt(), rental.window())));
            }
        }
        return taken;
    }

    /** Returns the day on which such gpus were first booked, not before {@code from}; the end of time if they never were. */
    private static Instant first(List<Taken> taken, Set<GpuId> gpus, Instant from) {
        return taken.stream()
                .filter(booking -> booking.gpus().stream().anyMatch(gpus::contains))
                .map(booking -> booking.at().truncatedTo(ChronoUnit.DAYS))
                .min(Comparator.naturalOrder())
                .map(day -> day.isBefore(from) ? from : day)
                .orElse(Instant.MAX);
    }

    private DemandSignals signals(Window day, Set<GpuId> gpus, List<Taken> taken, Listed listed) {
        double hours = 0;
        var leads = new ArrayList<Duration>();
        for (Taken booking : taken) {
            long of = booking.gpus().stream().filter(gpus::contains).count();
            if (of > 0 && booking.window().overlaps(day)) {
                Window window = booking.window();
                Instant start = window.start().isAfter(day.start()) ? window.start() : day.start();
                Instant end = window.end().isBefore(day.end()) ? window.end() : day.end();
                hours += of * Duration.between(start, end).toSeconds() / 3_600.;
            }
            if (of > 0 && day.contains(booking.at())) {
                Duration lead = Duration.between(booking.at(), booking.window().start());
                leads.add(lead.isNegative() ? Duration.ZERO : lead);
            }
        }
        leads.sort(null);
        long all = 0;
        long nothing = 0;
        for (Map.Entry<Kind, Tally> entry : searches.entrySet()) {
            if (entry.getKey().day().equals(day.start()) && fits(entry.getKey().words(), gpus, listed)) {
                // First what is a part of the other: a search that comes between may not make more misses than
                // searches.
                nothing += entry.getValue().nothing().sum();
                all += entry.getValue().all().sum();
            }
        }
        return new DemandSignals(
                day.end(),
                Math.min(1, hours / (24. * gpus.size())),
                all,
                nothing,
                leads.size(),
                leads.isEmpty() ? Duration.ZERO : leads.get(leads.size() / 2));
    }

    private static boolean fits(Set<String> words, Set<GpuId> gpus, Listed listed) {
        return gpus.stream().anyMatch(id -> {
            Gpu gpu = listed.gpus().get(id);
            return gpu != null && ListingQuery.words(gpu.model()).containsAll(words);
        });
    }

    private static BookingPattern pattern(Account lender, int gpus, List<Taken> taken, Window period) {
        List<Booked> own = taken.stream()
                .filter(booking -> booking.lender().equals(lender))
                .filter(booking -> booking.window().overlaps(period))
                .map(booking -> new Booked(
                        booking.at(), booking.window(), booking.gpus().size()))
                .toList();
        return BookingPattern.of(own, gpus, period);
    }
}
