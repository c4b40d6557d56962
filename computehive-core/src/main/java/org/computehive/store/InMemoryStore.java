package org.computehive.store;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.computehive.feed.FeedStore;
import org.computehive.market.Account;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.Maintenance;
import org.computehive.market.Offering;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.Occupancy;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalState;
import org.computehive.rental.RentalStore;
import org.computehive.rental.Timers;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/**
 * Keeps everything in this process's memory, for trying things out and for simulations: the promises of
 * {@link RentalStore}, but for durability. Thread-safe.
 */
public final class InMemoryStore implements RentalStore, FeedStore {
    private static final Comparator<Position> BY_POSITION =
            Comparator.comparing(Position::reservedAt).thenComparing(Position::rental);
    private static final Comparator<Rental> OLDEST_FIRST = Comparator.comparing(Position::of, BY_POSITION);

    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, Host> hosts = new TreeMap<>();
    private final Map<String, Listing> listings = new TreeMap<>();
    private final LatestChanges hostChanges = new LatestChanges();
    private final LatestChanges listingChanges = new LatestChanges();
    private final Map<GpuId, GpuCondition> conditions = new HashMap<>();
    private final Map<RentalId, Quote> quotes = new HashMap<>();
    private final Map<CallerKey, Answer> answers = new HashMap<>();
    private final Map<RentalId, List<Recorded>> histories = new HashMap<>();
    private final List<Recorded> log = new ArrayList<>();
    private final Map<EventKey, Place> audited = new HashMap<>();
    private final Map<Place, EventKey> places = new HashMap<>();
    private final Map<String, Long> lastAudited = new HashMap<>();
    private final Map<GpuId, TreeMap<Instant, Booking>> bookings = new HashMap<>();
    private final Map<Lane, RentalId> lanes = new HashMap<>();
    private final Map<Account, Long> feedGenerations = new HashMap<>();
    private final Map<String, Maintenance> maintenances = new TreeMap<>();
    private final Map<RentalId, Instant> sightings = new HashMap<>();
    private final Claims claims = Claims.inProcess();
    private final InMemoryTimers timers;
    private int auditedPrefix;

    /**
     * Creates an empty store whose timers wake by themselves, on threads of their own.
     *
     * @param clock what says whether a wake-up is due; should run like the machine's
     */
    public InMemoryStore(InstantSource clock) {
        this(new InMemoryTimers(clock, true));
    }

    private InMemoryStore(InMemoryTimers timers) {
        this.timers = timers;
    }

    /**
     * Creates an empty store without threads: wake-ups come in {@link #runDue} alone, so days pass as fast as the clock
     * is set.
     *
     * @param clock what says whether a wake-up is due
     */
    public static InMemoryStore simulated(InstantSource clock) {
        return new InMemoryStore(new InMemoryTimers(clock, false));
    }

    /**
     * Runs, on this thread, every wake-up that is due by the clock, those that come due meanwhile included. Nothing runs
     * before {@link Timers#start}.
     *
     * @return how many were run
     * @throws IllegalStateException if a handler asks for ever to be woken at once
     */
    public int runDue() {
        return timers.runDue();
    }

    /** Returns when the next wake-up is due, if one is set. */
    public Optional<Instant> nextDue() {
        return timers.nextDue();
    }

    @Override
    public void putHost(Host host) {
        locked(() -> {
            hostChanges.changed(host.id().value());
            return hosts.put(host.id().value(), host);
        });
    }

    @Override
    public Optional<Host> host(HostId id) {
        return locked(() -> Optional.ofNullable(hosts.get(id.value())));
    }

    @Override
    public List<Host> hosts() {
        return locked(() -> List.copyOf(hosts.values()));
    }

    @Override
    public void putListing(Listing listing) {
        locked(() -> {
            listingChanges.changed(listing.id().value());
            return listings.put(listing.id().value(), listing);
        });
    }

    @Override
    public Optional<Listing> listing(ListingId id) {
        return locked(() -> Optional.ofNullable(listings.get(id.value())));
    }

    @Override
    public Optional<Offering> offering(ListingId id) {
        return locked(() -> {
            Listing listing = listings.get(id.value());
            Host host = listing == null ? null : hosts.get(listing.host().value());
            return listing == null || host == null
                    ? Optional.empty()
                    : Optional.of(new Offering(
                            listing,
                            host,
                            listingChanges.of(id.value())
                                    + hostChanges.of(host.id().value())));
        });
    }

    @Override
    public List<Listing> listings() {
        return locked(() -> List.copyOf(listings.values()));
    }

    @Override
    public List<Changed<Listing>> listingsChangedAfter(long change, int limit) {
        Preconditions.limit(limit);
        return locked(() -> listingChanges.after(change, limit, listings));
    }

    @Override
    public List<Changed<Host>> hostsChangedAfter(long change, int limit) {
        Preconditions.limit(limit);
        return locked(() -> hostChanges.after(change, limit, hosts));
    }

    @Override
    public void putCondition(GpuCondition condition) {
        locked(() -> conditions.put(condition.gpu(), condition));
    }

    @Override
    public Optional<GpuCondition> condition(GpuId gpu) {
        return locked(() -> Optional.ofNullable(conditions.get(gpu)));
    }

    @Override
    public void putHost(Host host, Answer answer) {
        together(answer, () -> putHost(host));
    }

    @Override
    public void putListing(Listing listing, Answer answer) {
        together(answer, () -> putListing(listing));
    }

    @Override
    public void putCondition(GpuCondition condition, Answer answer) {
        together(answer, () -> putCondition(condition));
    }

    @Override
    public void putQuote(Quote quote) {
        locked(() -> {
            Quote kept = quotes.putIfAbsent(quote.id(), quote);
            if (kept != null && !kept.equals(quote)) {
                throw Preconditions.otherQuote(quote);
            }
            return kept;
        });
    }

    @Override
    public void putQuote(Quote quote, Answer answer) {
        together(answer, () -> putQuote(quote));
    }

    @Override
    public void putQuote(Quote quote, long change) {
        locked(() -> {
            Preconditions.open(this, quote, change);
            putQuote(quote);
            return quote;
        });
    }

    @Override
    public void putQuote(Quote quote, long change, Answer answer) {
        together(answer, () -> putQuote(quote, change));
    }

    @Override
    public int pruneQuotes(Instant before, int limit) {
        return prune(quotes, quote -> quote.expires().isBefore(before), limit);
    }

    @Override
    public Optional<Answer> answer(Account caller, IdempotencyKey key) {
        return locked(() -> Optional.ofNullable(answers.get(new CallerKey(caller, key))));
    }

    @Override
    public void putAnswer(Answer answer) {
        together(answer, () -> {});
    }

    @Override
    public int pruneAnswers(Instant before, int limit) {
        return prune(answers, answer -> answer.at().isBefore(before), limit);
    }

    private <T> int prune(Map<?, T> kept, Predicate<T> old, int limit) {
        Preconditions.limit(limit);
        return locked(() -> {
            List<T> gone = kept.values().stream().filter(old).limit(limit).toList();
            kept.values().removeAll(Set.copyOf(gone));
            return gone.size();
        });
    }

    /** Does a change that may throw before it changed anything, and keeps the answer, all or nothing. */
    private void together(Answer answer, Runnable change) {
        locked(() -> {
            var key = new CallerKey(answer.caller(), answer.key());
            if (answers.containsKey(key)) {
                throw Preconditions.keyTaken(answer);
            }
            change.run();
            return answers.put(key, answer);
        });
    }

    @Override
    public Optional<Quote> quote(RentalId id) {
        return locked(() -> Optional.ofNullable(quotes.get(id)));
    }

    @Override
    public void append(Recorded event) {
        append(List.of(event));
    }

    @Override
    public void begin(Recorded first, long change) {
        locked(() -> {
            Preconditions.unchanged(this, first.after().terms().listing(), change);
            append(first);
            return first;
        });
    }

    @Override
    public void begin(Recorded first, long change, Answer answer) {
        together(answer, () -> begin(first, change));
    }

    /** Checks everything before it changes anything. */
    @Override
    public void append(List<Recorded> events) {
        Preconditions.storable(events);
        locked(() -> {
            Rental first = events.getFirst().after();
            long version = histories.getOrDefault(first.id(), List.of()).size();
            if (first.version() != version + 1) {
                throw Preconditions.superseded(first, version);
            }
            for (Recorded event : events) {
                if (event.after().holdingsChanged()) {
                    checkFree(event.after());
                }
            }
            for (Recorded event : events) {
                if (event.after().holdingsChanged()) {
                    hold(event.after());
                }
                keep(event);
            }
            return events;
        });
    }

    @Override
    public void append(List<Recorded> events, Answer answer) {
        together(answer, () -> append(events));
    }

    private void checkFree(Rental after) {
        if (after.version() == 1) {
            after.gpus().forEach(gpu -> condition(gpu).ifPresent(Preconditions::mayBeRented));
        }
        for (long lane : new TreeSet<>(after.lanes())) {
            RentalId holder = lanes.get(new Lane(after.terms().lender(), lane));
            if (holder != null && !holder.equals(after.id())) {
                throw Preconditions.laneTaken(after, lane);
            }
        }
        Set<Occupancy> had = before(after).map(Rental::occupied).orElse(Set.of());
        for (Occupancy occupancy :
                after.occupied().stream().sorted(Occupancy.ORDER).toList()) {
            if (!had.contains(occupancy)
                    && isTaken(
                            occupancy.gpu(),
                            occupancy.window(),
                            booking -> !after.id().equals(booking.rental()))) {
                throw Preconditions.overlap(occupancy);
            }
        }
    }

    /** Returns a rental as it is kept now. */
    private Optional<Rental> before(Rental after) {
        return Optional.ofNullable(histories.get(after.id())).map(InMemoryStore::last);
    }

    private void hold(Rental after) {
        Set<Occupancy> had = before(after).map(Rental::occupied).orElse(Set.of());
        Set<Long> hadLanes = before(after).map(Rental::lanes).orElse(Set.of());
        had.stream()
                .filter(occupancy -> !after.occupied().contains(occupancy))
                .forEach(occupancy ->
                        booked(occupancy.gpu()).remove(occupancy.window().start()));
        after.occupied().stream()
                .filter(occupancy -> !had.contains(occupancy))
                .forEach(occupancy -> booked(occupancy.gpu())
                        .put(occupancy.window().start(), new Booking(after.id(), occupancy.window())));
        hadLanes.forEach(lane -> lanes.remove(new Lane(after.terms().lender(), lane)));
        after.lanes().forEach(lane -> lanes.put(new Lane(after.terms().lender(), lane), after.id()));
    }

    private TreeMap<Instant, Booking> booked(GpuId gpu) {
        return bookings.computeIfAbsent(gpu, id -> new TreeMap<>());
    }

    private void keep(Recorded event) {
        Rental after = event.after();
        histories.computeIfAbsent(after.id(), id -> new ArrayList<>()).add(event);
        log.add(event);
        timers.set(after.id(), after.version(), event.wake());
    }

    @Override
    public Optional<Rental> rental(RentalId id) {
        return locked(() -> Optional.ofNullable(histories.get(id)).map(InMemoryStore::last));
    }

    @Override
    public long version(RentalId id) {
        return locked(() -> (long) histories.getOrDefault(id, List.of()).size());
    }

    @Override
    public List<Recorded> history(RentalId id) {
        return locked(() -> List.copyOf(histories.getOrDefault(id, List.of())));
    }

    @Override
    public List<Rental> inStates(Set<RentalState> states, Position after, int limit) {
        return rentals(
                rental -> states.contains(rental.state()) && BY_POSITION.compare(Position.of(rental), after) > 0,
                OLDEST_FIRST,
                limit);
    }

    @Override
    public List<Rental> of(Account party, Position before, int limit) {
        return rentals(
                rental -> (rental.terms().renter().equals(party)
                                || rental.terms().lender().equals(party))
                        && BY_POSITION.compare(Position.of(rental), before) < 0,
                OLDEST_FIRST.reversed(),
                limit);
    }

    private List<Rental> rentals(Predicate<Rental> wanted, Comparator<Rental> order, int limit) {
        Preconditions.limit(limit);
        return locked(() -> histories.values().stream()
                .map(InMemoryStore::last)
                .filter(wanted)
                .sorted(order)
                .limit(limit)
                .toList());
    }

    @Override
    public List<Rental> stuck(int limit) {
        return rentals(rental -> !rental.stuck().isEmpty(), OLDEST_FIRST, limit);
    }

    @Override
    public void putMaintenance(Maintenance maintenance) {
        locked(() -> {
            String id = Preconditions.maintenanceId(maintenance.host(), maintenance.name());
            Maintenance known = maintenances.get(id);
            if (known != null) {
                if (!known.equals(maintenance)) {
                    throw Preconditions.otherMaintenance(maintenance);
                }
                return id;
            }
            for (GpuId gpu : maintenance.gpus()) {
                takenBy(gpu, maintenance.window(), booking -> true).ifPresent(booking -> {
                    throw Preconditions.taken(new Occupancy(gpu, maintenance.window()), Optional.of(booking.window()));
                });
            }
            maintenance
                    .gpus()
                    .forEach(gpu ->
                            booked(gpu).put(maintenance.window().start(), new Booking(null, maintenance.window())));
            maintenances.put(id, maintenance);
            hostChanged(maintenance.host());
            return id;
        });
    }

    @Override
    public void putMaintenance(Maintenance maintenance, Answer answer) {
        together(answer, () -> putMaintenance(maintenance));
    }

    @Override
    public boolean removeMaintenance(HostId host, String name, Answer answer) {
        return locked(() -> {
            boolean known = maintenances.containsKey(Preconditions.maintenanceId(host, name));
            if (known) {
                together(answer, () -> removeMaintenance(host, name));
            }
            return known;
        });
    }

    @Override
    public boolean removeMaintenance(HostId host, String name) {
        return locked(() -> {
            Maintenance removed = maintenances.remove(Preconditions.maintenanceId(host, name));
            if (removed != null) {
                removed.gpus()
                        .forEach(gpu -> booked(gpu).remove(removed.window().start()));
                hostChanged(host);
            }
            return removed != null;
        });
    }

    private void hostChanged(HostId host) {
        if (hosts.containsKey(host.value())) {
            hostChanges.changed(host.value());
        }
    }

    @Override
    public List<Maintenance> maintenances(HostId host) {
        return maintained(List.of(host));
    }

    @Override
    public List<Maintenance> maintained(Collection<HostId> wanted) {
        Preconditions.names(wanted);
        return locked(() -> maintenances.values().stream()
                .filter(maintenance -> wanted.contains(maintenance.host()))
                .sorted(Preconditions.BY_START)
                .toList());
    }

    @Override
    public void saw(RentalId id, Instant at) {
        locked(() -> sightings.merge(id, at, (one, other) -> one.isAfter(other) ? one : other));
    }

    @Override
    public Optional<Instant> lastSaw(RentalId id) {
        return locked(() -> Optional.ofNullable(sightings.get(id)));
    }

    @Override
    public boolean isFree(List<GpuId> gpus, Window window) {
        return locked(() -> gpus.stream().noneMatch(gpu -> isTaken(gpu, window, booking -> true)));
    }

    private boolean isTaken(GpuId gpu, Window window, Predicate<Booking> counts) {
        return takenBy(gpu, window, counts).isPresent();
    }

    private Optional<Booking> takenBy(GpuId gpu, Window window, Predicate<Booking> counts) {
        TreeMap<Instant, Booking> booked = bookings.getOrDefault(gpu, new TreeMap<>());
        // Bookings of a gpu are disjoint: of those that begin before the window's end, only the last can reach into it.
        return booked.headMap(window.end(), false).descendingMap().values().stream()
                .filter(counts)
                .limit(1)
                .filter(booking -> booking.window().overlaps(window))
                .findFirst();
    }

    @Override
    public long lastBookingChange() {
        return locked(log::size);
    }

    @Override
    public List<BookingChange> bookingChangesAfter(long change, int limit) {
        Preconditions.limit(limit);
        return locked(() -> LongStream.range(Math.max(0, change), log.size())
                .limit(limit)
                .mapToObj(i ->
                        new BookingChange(i + 1, log.get((int) i).after().id().value()))
                .toList());
    }

    @Override
    public List<Booked> booked(Collection<String> names) {
        Preconditions.names(names);
        return locked(() -> names.stream()
                .flatMap(name -> booked(histories.get(new RentalId(name))))
                .toList());
    }

    @Override
    public List<Booked> bookedAfter(String booking, int limit) {
        Preconditions.limit(limit);
        return locked(() -> histories.entrySet().stream()
                .filter(entry -> entry.getKey().value().compareTo(booking) > 0)
                .filter(entry -> !last(entry.getValue()).occupied().isEmpty())
                .sorted(Map.Entry.comparingByKey())
                .limit(limit)
                .flatMap(entry -> booked(entry.getValue()))
                .toList());
    }

    private static Stream<Booked> booked(@Nullable List<Recorded> history) {
        return history == null
                ? Stream.of()
                : last(history).occupied().stream()
                        .sorted(Occupancy.ORDER)
                        .map(held -> new Booked(last(history).id().value(), held.gpu(), held.window()));
    }

    @Override
    public long freeLane(Account lender) {
        return locked(() -> {
            long lane = 0;
            while (lanes.containsKey(new Lane(lender, lane))) {
                lane++;
            }
            return lane;
        });
    }

    @Override
    public List<Recorded> unaudited(int limit) {
        Preconditions.limit(limit);
        return locked(() -> {
            while (auditedPrefix < log.size() && audited.containsKey(EventKey.of(log.get(auditedPrefix)))) {
                auditedPrefix++;
            }
            return log.subList(auditedPrefix, log.size()).stream()
                    .filter(event -> !audited.containsKey(EventKey.of(event)))
                    .limit(limit)
                    .toList();
        });
    }

    @Override
    public List<Recorded> unaudited(RentalId id) {
        return locked(() -> histories.getOrDefault(id, List.of()).stream()
                .filter(event -> !audited.containsKey(EventKey.of(event)))
                .toList());
    }

    @Override
    public void audited(List<Audited> noted) {
        locked(() -> {
            List<Audited> fresh = noted.stream().filter(this::isFresh).toList();
            for (Audited place : fresh) {
                EventKey key = new EventKey(place.rental(), place.version());
                EventKey other = places.getOrDefault(new Place(place.log(), place.index()), key);
                if (!other.equals(key)) {
                    throw Preconditions.placeTaken(noted, null);
                }
            }
            for (Audited place : fresh) {
                var at = new Place(place.log(), place.index());
                var key = new EventKey(place.rental(), place.version());
                audited.put(key, at);
                places.put(at, key);
                lastAudited.merge(place.log(), place.index(), Math::max);
            }
            return fresh;
        });
    }

    private boolean isFresh(Audited place) {
        if (place.version() < 1
                || place.version()
                        > histories.getOrDefault(place.rental(), List.of()).size()) {
            throw Preconditions.unknownEvent(place.rental(), place.version());
        }
        return !audited.containsKey(new EventKey(place.rental(), place.version()));
    }

    @Override
    public OptionalLong lastAudited(String name) {
        return locked(() -> {
            Long last = lastAudited.get(name);
            return last == null ? OptionalLong.empty() : OptionalLong.of(last);
        });
    }

    @Override
    public long feedGeneration(Account party) {
        return locked(() -> feedGenerations.getOrDefault(party, 0L));
    }

    @Override
    public long raiseFeedGeneration(Account party) {
        return locked(() -> feedGenerations.merge(party, 1L, Long::sum));
    }

    @Override
    public void raiseFeedGeneration(Account party, Answer answer) {
        together(answer, () -> raiseFeedGeneration(party));
    }

    @Override
    public Optional<Claim> claim(RentalId id) {
        return claims.claim(id);
    }

    @Override
    public Timers timers() {
        return timers;
    }

    @Override
    public void close() {
        timers.close();
    }

    private <T> T locked(Supplier<T> action) {
        lock.lock();
        try {
            return action.get();
        } finally {
            lock.unlock();
        }
    }

    private static Rental last(List<Recorded> history) {
        return history.getLast().after();
    }

    /** Of a rental, or of nobody but the lender itself. */
    private record Booking(@Nullable RentalId rental, Window window) {}

    private record CallerKey(Account caller, IdempotencyKey key) {}

    private record Lane(Account lender, long lane) {}

    private record Place(String log, long index) {}

    private record EventKey(RentalId rental, long version) {
        static EventKey of(Recorded event) {
            return new EventKey(event.after().id(), event.after().version());
        }
    }
}
