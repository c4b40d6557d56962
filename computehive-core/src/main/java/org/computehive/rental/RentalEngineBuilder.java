package org.computehive.rental;

import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.computehive.audit.AuditLog;
import org.computehive.market.Account;
import org.jspecify.annotations.Nullable;

/** Puts an engine together. Not thread-safe. */
public final class RentalEngineBuilder {
    private @Nullable RentalStore store;
    private @Nullable Escrow escrow;
    private @Nullable SessionAccess access;
    private @Nullable PriceAdvisor advisor;
    private @Nullable SuggestionHistory suggestions;
    private @Nullable AuditLog auditLog;
    private @Nullable Notifier notifier;
    private RentalCalendar calendar = new RentalCalendar();
    private @Nullable Path folder;
    private InstantSource clock = InstantSource.system();
    private RentalPolicy policy = RentalPolicy.DEFAULT;
    private @Nullable LongSupplier monotonic;
    private @Nullable Supplier<RentalId> ids;
    private Retention retention = Retention.DEFAULT;
    private @Nullable Function<Account, OptionalInt> reputation;
    private Attestor attestor = Attestor.NONE;

    RentalEngineBuilder() {}

    /**
     * Keeps what was not set otherwise in a folder, so that it outlives the process: rentals in SQLite, the audit log,
     * keys, calendar messages; renters enter through a gateway on loopback. An escrow must be set then.
     *
     * @param value made if it is missing; for its owner's eyes alone, and one engine's at a time
     */
    public RentalEngineBuilder folder(Path value) {
        folder = value;
        return this;
    }

    /** Sets where rentals are kept; closed with the engine. Not set: in memory, or SQLite in the folder. */
    public RentalEngineBuilder store(RentalStore value) {
        store = value;
        return this;
    }

    /** Sets where rent is locked; closed with the engine. Not set: play money in memory. */
    public RentalEngineBuilder escrow(Escrow value) {
        escrow = value;
        return this;
    }

    /** Sets the way into sessions; closed with the engine. Not set: in memory, or keys in the folder and a gateway. */
    public RentalEngineBuilder access(SessionAccess value) {
        access = value;
        return this;
    }

    /** Sets who suggests prices. Not set: {@code computehive-pricing} where it is on the class path. */
    public RentalEngineBuilder priceAdvisor(PriceAdvisor value) {
        advisor = value;
        return this;
    }

    /** Sets where suggestions to lenders are kept. Not set: in memory, or in the folder. */
    public RentalEngineBuilder suggestions(SuggestionHistory value) {
        suggestions = value;
        return this;
    }

    /** Sets where every change is proved; stays open when the engine closes. Not set: in memory, or in the folder. */
    public RentalEngineBuilder auditLog(AuditLog value) {
        auditLog = value;
        return this;
    }

    /** Sets who delivers calendar messages. Not set: nobody, with a line in the log, or files in the folder. */
    public RentalEngineBuilder notifier(Notifier value) {
        notifier = value;
        return this;
    }

    /** Sets how rentals look in calendars, and who organizes them there. Not set: {@link RentalCalendar#RentalCalendar()}. */
    public RentalEngineBuilder calendar(RentalCalendar value) {
        calendar = value;
        return this;
    }

    /** Sets the clock; the system's if not set. */
    public RentalEngineBuilder clock(InstantSource value) {
        clock = value;
        return this;
    }

    /** Sets how long to wait for what; {@link RentalPolicy#DEFAULT} if not set. */
    public RentalEngineBuilder policy(RentalPolicy value) {
        policy = value;
        return this;
    }

    /** Sets how long quotes and answers are kept; {@link Retention#DEFAULT} if not set. */
    public RentalEngineBuilder retention(Retention value) {
        retention = value;
        return this;
    }

    /**
     * Sets where a search finds a lender's reputation, 0 to 1,000. Not set: from the outcomes of the
     * rentals that the store has settled.
     *
     * @param value answers from memory and from any thread; empty where none is known
     */
    public RentalEngineBuilder reputation(Function<Account, OptionalInt> value) {
        reputation = value;
        return this;
    }

    /**
     * Sets who judges confidential guests. Not set: {@link Attestor#NONE}, and no listing can be of assurance
     * {@link org.computehive.market.Assurance#CONFIDENTIAL}.
     */
    public RentalEngineBuilder attestor(Attestor value) {
        attestor = value;
        return this;
    }

    /** Has a clock of one's own watched for jumps too; the system's is compared with the machine's monotonic clock. */
    RentalEngineBuilder monotonic(LongSupplier value) {
        monotonic = value;
        return this;
    }

    /** Sets where new ids come from, so that a simulation can be repeated; {@link RentalId#at} if not set. */
    RentalEngineBuilder ids(Supplier<RentalId> value) {
        ids = value;
        return this;
    }

    /**
     * Returns the engine; {@link RentalEngine#start} sets it going.
     *
     * @throws IllegalStateException if a part that was not set can't be made, such as an escrow for a folder; what was
     *     made before is closed, what was set stays open
     */
    public RentalEngine build() {
        var made = new ArrayDeque<AutoCloseable>();
        boolean done = false;
        try {
            var engine = new RentalEngine(ports(made), sources(), policy, retention);
            done = true;
            return engine;
        } finally {
            if (!done) {
                made.forEach(RentalEngine::closeQuietly);
            }
        }
    }

    private Sources sources() {
        // A clock of one's own, such as a simulation's, goes as it likes.
        LongSupplier nanos =
                monotonic == null && clock.equals(InstantSource.system()) ? ClockWatch.monotonic() : monotonic;
        return new Sources(clock, Optional.ofNullable(nanos), ids != null ? ids : () -> RentalId.at(clock.instant()));
    }

    private Ports ports(Deque<AutoCloseable> made) {
        EmbeddedParts.Parts parts =
                folder == null ? embedded().inMemory(clock) : embedded().in(folder, clock);
        // First what may be refused, then what opens files and ports.
        Escrow rent = escrow != null ? escrow : kept(made, parts.escrow());
        PriceAdvisor prices = advisor != null ? advisor : parts.priceAdvisor();
        RentalStore rentals = store != null ? store : kept(made, parts.store());
        AuditLog own = auditLog != null ? null : kept(made, parts.auditLog());
        SessionAccess entrance = access != null ? access : kept(made, parts.access());
        return new Ports(
                rentals,
                rent,
                entrance,
                prices,
                suggestions != null ? suggestions : parts.suggestions(),
                auditLog != null ? auditLog : Objects.requireNonNull(own),
                notifier != null ? notifier : parts.notifier(),
                calendar,
                own,
                reputation != null ? reputation : parts.reputation(rentals),
                attestor);
    }

    private static <T extends AutoCloseable> T kept(Deque<AutoCloseable> made, T part) {
        made.push(part);
        return part;
    }

    private static EmbeddedParts embedded() {
        return ServiceLoader.load(EmbeddedParts.class, EmbeddedParts.class.getClassLoader())
                .findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "computehive-core lost its META-INF/services: keep that folder when you repackage the jar"));
    }

    /**
     * What an engine takes from the world by itself.
     *
     * @param monotonic what a clock that is watched is compared with, in nanoseconds from anywhere
     */
    record Sources(InstantSource clock, Optional<LongSupplier> monotonic, Supplier<RentalId> ids) {}

    /** Every port, given or made; {@code ownLog} is the audit log if it was made here and so is ours to close. */
    record Ports(
            RentalStore store,
            Escrow escrow,
            SessionAccess access,
            PriceAdvisor priceAdvisor,
            SuggestionHistory suggestions,
            AuditLog auditLog,
            Notifier notifier,
            RentalCalendar calendar,
            @Nullable AuditLog ownLog,
            Function<Account, OptionalInt> reputation,
            Attestor attestor) {}
}
