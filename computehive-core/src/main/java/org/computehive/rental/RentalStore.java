package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingStore;
import org.computehive.market.Maintenance;
import org.computehive.market.search.MarketFeed;
import org.computehive.once.Answer;
import org.computehive.once.AnswerStore;
import org.computehive.schedule.Window;

/**
 * Keeps quotes, rentals and their wake-ups. Implementations are thread-safe; each call is atomic, and durable when it
 * returns.
 *
 * <h2>Guarantees</h2>
 *
 * No gpu is ever in two rentals whose {@link Rental#occupied() occupied} windows overlap, no lane of a lender's is in the
 * {@link Rental#lanes() lanes} of two, and no rental has two events of one version: under any number of
 * threads and processes.
 */
public interface RentalStore extends ListingStore, MarketFeed, AnswerStore, AutoCloseable {
    /** How many rentals or events one call hands out at the most. */
    int MOST = 10_000;

    /** How many rentals {@link #allInStates} and {@link #allOf} read at a time. */
    int PAGE = 1_000;

    /** Keeps a quote. */
    void putQuote(Quote quote);

    /**
     * Keeps a quote if, as far as can be seen now, it can be taken up: a hint, {@link #append} decides. Else nothing is kept.
     * A kept quote outlives this process. If the database's own machine fails within a second, the quote may be lost, but not
     * a rental that took it up.
     *
     * @param change the {@link org.computehive.market.Offering#change} of what it was made from
     * @throws RentalException.Superseded if the listing or its host was kept anew since
     * @throws RentalException.Unacceptable if a gpu is quarantined
     * @throws RentalException.Overlap if a gpu is taken in a part of the time that the quote would occupy
     */
    void putQuote(Quote quote, long change);

    /**
     * Keeps a quote as {@link #putQuote(Quote, long)} does, and the answer to the request for it, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void putQuote(Quote quote, long change, Answer answer);

    /**
     * Keeps a quote and the answer to the request for it, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void putQuote(Quote quote, Answer answer);

    /** Returns a quote. */
    Optional<Quote> quote(RentalId id);

    /**
     * Forgets quotes that expired before an instant.
     *
     * @param limit how many at the most, 1 to 10,000, so that nobody waits long for it
     * @return how many were forgotten
     */
    int pruneQuotes(Instant before, int limit);

    /**
     * Keeps a host and the answer to the request to, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void putHost(Host host, Answer answer);

    /**
     * Keeps a listing and the answer to the request to, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void putListing(Listing listing, Answer answer);

    /**
     * Keeps a gpu's condition and the answer to the request to, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void putCondition(GpuCondition condition, Answer answer);

    /**
     * Appends an event, its wake-up, and what it changes in bookings and lanes, all or nothing: what the rental newly
     * {@link Rental#occupied() occupies} is taken, what it no longer occupies is free, and so for its lanes.
     *
     * @param event what happened, and the rental after it, whose version is one more than what is stored
     * @throws RentalException.Superseded if the stored version is not one less
     * @throws RentalException.Unacceptable if it is a rental's first event and a gpu that it would occupy is quarantined
     * @throws RentalException.Overlap if another rental has a gpu at a time that this one would newly occupy
     * @throws RentalException.LaneTaken if another rental has a lane that this one would newly take
     */
    void append(Recorded event);

    /**
     * Appends a rental's first event as {@link #append(Recorded)} does, if what the rental is made from is as it was read.
     *
     * @param change the {@link org.computehive.market.Offering#change} of what it is made from
     * @throws RentalException.Superseded if the listing or its host was kept anew since
     */
    void begin(Recorded first, long change);

    /**
     * Appends a rental's first event as {@link #begin(Recorded, long)} does, and keeps the answer to the request that led to
     * it, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void begin(Recorded first, long change, Answer answer);

    /**
     * Appends events of one rental, each as {@link #append(Recorded)} does, all or nothing.
     *
     * @param events one at least, each of the version after the one before it
     */
    void append(List<Recorded> events);

    /**
     * Appends events as {@link #append(List)} does, and keeps the answer to the request that led to them, all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void append(List<Recorded> events, Answer answer);

    /** Returns a rental as its events left it. */
    Optional<Rental> rental(RentalId id);

    /** Returns how many events a rental has; 0 if there is none. Costs less than to read it. */
    long version(RentalId id);

    /** Returns a rental's events in order; none if there is no such rental. */
    List<Recorded> history(RentalId id);

    /**
     * Returns rentals in some states, oldest first.
     *
     * @param states the states
     * @param after where to begin; what lies there is left out
     * @param limit how many at the most, 1 to 10,000
     */
    List<Rental> inStates(Set<RentalState> states, Position after, int limit);

    /** Returns the oldest rentals in some states, oldest first. */
    default List<Rental> inStates(Set<RentalState> states, int limit) {
        return inStates(states, Position.FIRST, limit);
    }

    /** Returns every rental in some states, oldest first, read from the store in pages as they are asked for. */
    default Stream<Rental> allInStates(Set<RentalState> states) {
        return pages(Position.FIRST, from -> inStates(states, from, PAGE));
    }

    /**
     * Returns a party's rentals, newest first.
     *
     * @param party their renter or lender
     * @param before where to begin; what lies there is left out
     * @param limit how many at the most, 1 to 10,000
     */
    List<Rental> of(Account party, Position before, int limit);

    /** Returns a party's newest rentals, newest first. */
    default List<Rental> of(Account party, int limit) {
        return of(party, Position.LAST, limit);
    }

    /**
     * Returns every rental of a party's that was reserved before an instant, newest first, read from the store in pages as
     * they are asked for.
     */
    default Stream<Rental> allOf(Account party, Instant before) {
        return pages(Position.before(before), from -> of(party, from, PAGE));
    }

    private static Stream<Rental> pages(Position first, Function<Position, List<Rental>> read) {
        return Stream.iterate(
                        read.apply(first),
                        page -> !page.isEmpty(),
                        page -> page.size() < PAGE ? List.of() : read.apply(Position.of(page.getLast())))
                .flatMap(List::stream);
    }

    /**
     * Returns rentals that have a step that is {@link Rental#stuck stuck}, oldest first.
     *
     * @param limit how many at the most, 1 to 10,000
     */
    List<Rental> stuck(int limit);

    /**
     * Keeps gpus from being rented in a window, under the same exclusion as rentals; all of them or none. Repeating it
     * changes nothing.
     *
     * @throws RentalException.Overlap if a gpu is taken in the window, naming when
     * @throws IllegalArgumentException if the host has another maintenance of that name
     */
    void putMaintenance(Maintenance maintenance);

    /**
     * Keeps gpus from being rented, as {@link #putMaintenance(Maintenance)} does, and keeps the answer to the request to,
     * all or nothing.
     *
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    void putMaintenance(Maintenance maintenance, Answer answer);

    /** Lets gpus be rented again. Returns whether there was such a maintenance. */
    boolean removeMaintenance(HostId host, String name);

    /**
     * Lets gpus be rented again and keeps the answer to the request to, all or nothing.
     *
     * @return whether there was such a maintenance; if there was none, nothing is kept
     * @throws org.computehive.once.KeyTakenException if there is an answer under that key
     */
    boolean removeMaintenance(HostId host, String name, Answer answer);

    /** Returns a host's maintenance windows, by start. */
    List<Maintenance> maintenances(HostId host);

    /** Notes that a rental's session was seen running; an older sighting than is kept changes nothing. */
    void saw(RentalId id, Instant at);

    /** Returns when a rental's session was last noted to run. */
    Optional<Instant> lastSaw(RentalId id);

    /** Returns whether nothing occupies a gpu in a window: a hint; {@link #append} decides. */
    boolean isFree(List<GpuId> gpus, Window window);

    /**
     * Returns a lane of a lender's that no rental holds, the lowest unless another caller was just given that: a hint;
     * {@link #append} decides.
     */
    long freeLane(Account lender);

    /**
     * Returns events that are not yet known to be in any audit log, in the order in which they were appended.
     *
     * @param limit how many at the most, 1 to 10,000
     */
    List<Recorded> unaudited(int limit);

    /** Returns a rental's events that are not yet known to be in any audit log, in order. */
    List<Recorded> unaudited(RentalId id);

    /**
     * Notes where in an audit log events are, all or nothing. The first place that is noted for an event stays: a later
     * one, such as of a replica that took the event over from one it held for dead, changes nothing.
     *
     * @throws IllegalArgumentException if there is no such event
     * @throws IllegalStateException if a place is another event's
     */
    void audited(List<Audited> places);

    /** Returns the largest index of one audit log's that {@link #audited} noted. */
    OptionalLong lastAudited(String log);

    /**
     * Takes a rental to work on it: of all replicas on this store, and in each of all threads, one has it at a time.
     * Events need no claim; their versions decide. It keeps two from doing outside what is to be done once.
     *
     * @return the claim; empty if another has it. It is gone when it is closed, and when the process dies.
     */
    Optional<Claim> claim(RentalId id);

    /** Returns the wake-ups that {@link #append} sets. One instance per store; closed with it. */
    Timers timers();

    /** Lets go of connections; everything acknowledged is durable. */
    @Override
    void close();

    /** The right to work on a rental. */
    interface Claim extends AutoCloseable {
        /** Gives it back. */
        @Override
        void close();
    }

    /**
     * A place in the order of rentals: by when they were reserved, then by id. It never changes, so pages that are read one
     * after the other leave no rental out and repeat none.
     *
     * @param reservedAt when, in the years 1 to 9999
     * @param rental a rental's id; empty for the place before all that were reserved then
     */
    record Position(Instant reservedAt, String rental) {
        /** Before all. */
        public static final Position FIRST = before(Instant.parse("0001-01-01T00:00:00Z"));

        /** After all. */
        public static final Position LAST = before(Instant.parse("9999-12-31T00:00:00Z"));

        /** Returns a rental's. */
        public static Position of(Rental rental) {
            return new Position(rental.reservedAt(), rental.id().value());
        }

        /** Returns the place before all rentals that were reserved at an instant or later. */
        public static Position before(Instant reservedAt) {
            return new Position(reservedAt, "");
        }
    }

    /**
     * An event as it is stored.
     *
     * @param after the rental after it
     * @param event what happened
     * @param payload the event's JSON, to the letter as it is stored and as the audit log commits to it
     * @param salt 32 random bytes, hexadecimal, that keep its audit commitment from being guessed
     * @param wake when the rental is to be looked at next; empty if never
     */
    record Recorded(Rental after, RentalEvent event, String payload, String salt, Optional<Instant> wake) {
        /** Writes a new event's JSON. */
        public Recorded(Rental after, RentalEvent event, String salt, Optional<Instant> wake) {
            this(after, event, EventCodec.write(event), salt, wake);
        }
    }

    /**
     * Where an event is proved.
     *
     * @param rental whose event
     * @param version which of its events
     * @param log the audit log's {@linkplain org.computehive.audit.AuditLog#origin() name}
     * @param index the entry's index in it
     */
    record Audited(RentalId rental, long version, String log, long index) {}
}
