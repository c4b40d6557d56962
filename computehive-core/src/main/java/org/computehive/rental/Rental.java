package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.computehive.manifest.Manifest;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.placement.Place;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.Ending;
import org.computehive.rental.RentalEvent.Entered;
import org.computehive.rental.RentalEvent.Invited;
import org.computehive.rental.RentalEvent.MachineStarted;
import org.computehive.rental.RentalEvent.ReclaimAnnounced;
import org.computehive.rental.RentalEvent.Reserved;
import org.computehive.rental.RentalEvent.Settled;
import org.computehive.rental.RentalEvent.Starting;
import org.computehive.rental.RentalEvent.Stuck;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/**
 * One renter, one listing's gpus, one window, one escrow, from reservation to settlement.
 *
 * <p>Pure: {@link #after} takes an event to a new rental, {@link #effects} says what is to be done outside. No I/O, no
 * clock. {@link RentalState} draws its way. Immutable and thread-safe; equal if id and version are.
 */
public final class Rental {
    private final RentalId id;
    private final long version;
    private final RentalState state;
    private final Reserved reserved;
    private final LatestEvents latest;
    /** What is its own unless it is over. */
    private final Holdings holdings;

    private final Legs legs;
    private final boolean holdingsChanged;
    /** What became of its session, place by place. */
    private final Runs runs;

    private final Trouble trouble;

    private Rental(
            RentalId id,
            long version,
            RentalState state,
            Reserved reserved,
            LatestEvents latest,
            Holdings holdings,
            Legs legs,
            Runs runs,
            Trouble trouble,
            @Nullable Rental before) {
        this.id = id;
        this.version = version;
        this.state = state;
        this.reserved = reserved;
        this.latest = latest;
        this.holdings = holdings;
        this.legs = legs;
        this.runs = runs;
        this.trouble = trouble;
        this.holdingsChanged =
                before == null || !occupied().equals(before.occupied()) || !lanes().equals(before.lanes());
    }

    /** Returns a rental at version 1. */
    public static Rental of(RentalId id, Reserved reserved) {
        return new Rental(
                id,
                1,
                RentalState.RESERVED,
                reserved,
                LatestEvents.of(reserved),
                Holdings.of(reserved.terms()),
                Legs.of(reserved.terms()),
                Runs.from(reserved.terms().window().start()),
                new Trouble(reserved.at(), Map.of()),
                null);
    }

    /**
     * Returns the rental that a history leads to.
     *
     * @param id its id
     * @param history its events in order, the first being {@link Reserved}
     * @throws IllegalArgumentException if the history doesn't begin with {@link Reserved}
     * @throws RentalException.WrongState if an event can't follow those before it
     */
    public static Rental of(RentalId id, List<RentalEvent> history) {
        if (history.isEmpty() || !(history.getFirst() instanceof Reserved first)) {
            throw new IllegalArgumentException(
                    "the history of rental %s doesn't begin with its reservation".formatted(id));
        }
        Rental rental = of(id, first);
        for (RentalEvent event : history.subList(1, history.size())) {
            rental = rental.after(event);
        }
        return rental;
    }

    /**
     * Returns this rental after an event.
     *
     * @throws RentalException.WrongState if the event can't happen in this state
     */
    public Rental after(RentalEvent event) {
        return after(event, holdings.after(event, terms().turnover()));
    }

    /** Returns this rental after an event that leaves it other holdings. */
    Rental after(RentalEvent event, Holdings then) {
        RentalState next = new Transitions(this).stateAfter(event);
        Legs legsThen = legs.following(event, mayEnter());
        return new Rental(
                id,
                version + 1,
                next,
                reserved,
                latest.after(event),
                legsThen.holdings(then, event, terms().turnover()),
                legsThen,
                runs.after(event, place(), sessionEnd()),
                trouble.after(event),
                this);
    }

    /**
     * Returns what is to be done outside, given how long to wait for what. The same until an event changes it.
     *
     * @param policy how long to wait for what
     */
    public List<RentalEffect> effects(RentalPolicy policy) {
        return new Effects(this, policy).all();
    }

    /** Returns what is to be taken down next; empty once all was, or while nothing is to be. */
    Optional<Step> nextTeardown() {
        if (state != RentalState.ENDING && state != RentalState.FAILED && !isLeaving()) {
            return Optional.empty();
        }
        return latest.nextTeardown(isLeaving() && runs.hostLost());
    }

    /** Returns whether its place is being given up, so that another can be found; no session runs then. */
    public boolean isLeaving() {
        return state == RentalState.STARTING && runs.leaving();
    }

    /** Returns what became of its session so far, place by place. */
    Runs runs() {
        return runs;
    }

    /** Returns since when what is to be done now is tried. */
    Instant tryingSince() {
        return trouble.since();
    }

    /** Returns the steps that failed for too long, and wait for an operator or are tried slowly. */
    public Map<Step, Stuck> stuck() {
        return trouble.stuck();
    }

    /** Returns where it runs, or is to run. */
    Place place() {
        return new Place(host(), gpus());
    }

    /** Returns when the lender takes its gpus back, if it gave notice. */
    public Optional<Instant> reclaimedAt() {
        return find(ReclaimAnnounced.class).map(ReclaimAnnounced::ends);
    }

    /** Returns when the session ends unless somebody ends it earlier: the window's end, or when the lender reclaims. */
    public Instant sessionEnd() {
        return reclaimedAt().filter(window().end()::isAfter).orElse(window().end());
    }

    /** Returns whether a session that ends then never begins. */
    boolean neverBegins(Instant ends) {
        return !ends.isAfter(terms().window().start());
    }

    /** Returns whether the session is over, or never was, and its deposit is not settled. */
    boolean owesSettlement() {
        return funded()
                && (state == RentalState.ENDING
                        || state == RentalState.ENDED
                        || state == RentalState.FAILED
                        || state == RentalState.CANCELLED
                        || state == RentalState.DISPUTED);
    }

    /** Returns whether an account is its renter or its lender. */
    boolean isParty(Account account) {
        return account.equals(terms().renter()) || account.equals(terms().lender());
    }

    /** Returns whether a certificate may be issued: the escrow is funded and the session not over. */
    public boolean mayEnter() {
        return state == RentalState.FUNDED || state == RentalState.STARTING || state == RentalState.ACTIVE;
    }

    /** Returns its name. */
    public RentalId id() {
        return id;
    }

    /** Returns how many events led here. */
    public long version() {
        return version;
    }

    /** Returns where it stands. */
    public RentalState state() {
        return state;
    }

    /** Returns what was agreed. */
    public RentalTerms terms() {
        return reserved.terms();
    }

    /** Returns when it was reserved. */
    public Instant reservedAt() {
        return reserved.at();
    }

    /** Returns where its VM runs, or is to run; at first what the terms say. */
    public HostId host() {
        return holdings.host();
    }

    /** Returns the devices that its VM has, or is to have; at first what the terms say. */
    public List<GpuId> gpus() {
        return holdings.gpus();
    }

    /** Returns which gpus nobody else may have when, disjoint for each gpu; empty once they are free again. */
    public Set<Occupancy> occupied() {
        return switch (state) {
            case RESERVED, FUNDED, STARTING, ACTIVE, ENDING, FAILED -> holdings.occupied();
            case EXPIRED, CANCELLED, ENDED, DISPUTED, SETTLED -> Set.of();
        };
    }

    /** Returns the lender's lanes on the chain that it takes: from the reservation until the escrow is closed for good. */
    public Set<Long> lanes() {
        boolean free = state.isOver() || (state == RentalState.CANCELLED && !funded());
        return free ? Set.of() : holdings.lanes();
    }

    /** Returns whether its last event changed {@link #occupied} or {@link #lanes}. */
    public boolean holdingsChanged() {
        return holdingsChanged;
    }

    /** Returns what is its own unless it is over. */
    Holdings holdings() {
        return holdings;
    }

    /** Returns the offer, once it was written. */
    public Optional<EscrowOffer> offer() {
        return legs.first().offer();
    }

    /** Returns the lender's signature of the offer, once it signed. */
    public Optional<Signature> offerSignature() {
        return legs.first().offerSignature();
    }

    /** Returns whether the escrow was seen funded. */
    public boolean funded() {
        return legs.first().isFunded();
    }

    /** Returns what the VM runs on, once it was started. */
    public Optional<Map<String, String>> machine() {
        return find(MachineStarted.class).map(MachineStarted::facts);
    }

    /** Returns what the session really ran on, and on what terms, once its VM was started. */
    public Optional<Manifest> manifest() {
        return find(MachineStarted.class)
                .map(MachineStarted::setup)
                .filter(setup -> !setup.equals(Setup.UNSTATED))
                .map(setup -> new Manifest(setup, terms().manifest(id).terms()));
    }

    /** Returns when the lead time began. */
    public Optional<Instant> startingSince() {
        return find(Starting.class).map(Starting::at);
    }

    /** Returns when the session first became usable: the meter's start. */
    public Optional<Instant> activeSince() {
        return usable().stream().findFirst().map(Window::start).or(runs::usableSince);
    }

    /**
     * Returns the times in which the session was usable, which is what is metered: in order, disjoint, within the window.
     * The time that goes on while it is {@link RentalState#ACTIVE} comes once it is over.
     */
    public List<Window> usable() {
        return runs.usable();
    }

    /** Returns what interrupted its session or kept it from starting at a place, in order. */
    public List<Fault> interruptions() {
        return runs.faults();
    }

    /** Returns when the session was ended: the meter's stop. */
    public Optional<Instant> endedAt() {
        return find(Ending.class).map(Ending::at);
    }

    /** Returns why the session ended. */
    public Optional<EndCause> endCause() {
        return find(Ending.class).map(Ending::cause);
    }

    /** Returns what went wrong for good, if it could not start, its VM was lost or its lender took the gpus back. */
    public Optional<Fault> fault() {
        return Endings.fault(this);
    }

    /** Returns when the renter first came in; empty if it has not. */
    public Optional<Instant> enteredAt() {
        return find(Entered.class).map(Entered::at);
    }

    /** Returns the serials of its certificates that count no more. */
    public Set<String> revokedSerials() {
        return find(RentalEvent.CertificatesRevoked.class)
                .map(revoked -> Set.copyOf(revoked.serials()))
                .orElse(Set.of());
    }

    /** Returns the time that the session is paid for: what was booked, and the extensions that were funded. */
    public Window window() {
        return new Window(terms().window().start(), legs.end());
    }

    /** Returns what was booked and each extension, in the order agreed; those included that lapsed. */
    public List<Leg> legs() {
        return legs.all();
    }

    /** Returns the legs with what is true of all together. */
    Legs allLegs() {
        return legs;
    }

    /** Returns the offer that its lender is asked to sign now: of what was booked, or of an extension. */
    public Optional<EscrowOffer> offerToSign() {
        Optional<Leg> waiting = state == RentalState.RESERVED ? Optional.of(legs.first()) : legs.pending();
        return mayEnter() || state == RentalState.RESERVED
                ? waiting.filter(leg -> leg.offerSignature().isEmpty()).flatMap(Leg::offer)
                : Optional.empty();
    }

    /** Returns the extension that waits to be funded. */
    public Optional<Leg> pendingExtension() {
        return legs.pending();
    }

    /** Returns what the renter locked, over all legs. */
    public Amount deposit() {
        return legs.deposit();
    }

    /**
     * Returns the time used, in whole seconds: the sum of the times in which the session was {@link #usable}, leg by leg.
     * Zero for one that never was, or still is.
     */
    public Duration used() {
        return Dues.used(this);
    }

    /**
     * Returns the whole seconds of a leg that its receipt is for: those used, or by the {@link
     * org.computehive.market.Cancellation terms} more, if the renter called off late, ended early or never came.
     */
    public Duration charged(Leg leg) {
        return Dues.charged(this, leg);
    }

    /**
     * Returns what the lender is due by the terms, over all legs. The chain pays another amount where a party settles there
     * without the other's word: it counts by its own clock, and from the window's start.
     */
    public Amount due() {
        return Dues.due(this);
    }

    /**
     * Returns by what right the escrow of what was booked can be settled now: a receipt that both parties signed, or a
     * lender's release.
     */
    public Optional<Escrow.Settlement> signedSettlement() {
        return legs.first().signedSettlement();
    }

    /**
     * Returns whether the platform may have the lender paid in full once the time lock of a leg is over: the session ran to
     * the leg's end without an interruption, nobody is at fault, and the renter, who could have signed for what it used, did
     * not. Otherwise that is for the parties to do.
     */
    public boolean mayTimeLock(Leg leg) {
        return Dues.mayTimeLock(this, leg);
    }

    /** Returns what the chain paid over all legs, once every one is closed; the transaction is the last one. */
    public Optional<Settled> settlement() {
        return state == RentalState.SETTLED ? legs.settlement() : Optional.empty();
    }

    /** Returns the sequence of the last calendar message, or -1. */
    public int lastInvitation() {
        return find(Invited.class).map(Invited::sequence).orElse(-1);
    }

    /** Returns what the last calendar message told the parties; empty if none was sent. */
    public Optional<Told> told() {
        return Telling.told(this);
    }

    /**
     * Returns what the parties' calendars are to show: the terms as they are now, and of a session that was ended early
     * the time until then. Empty if the window has nothing to show, since it never took place.
     */
    public Optional<Told> toTell() {
        return Telling.toTell(this);
    }

    /** Returns the calendar message that is due because the parties know nothing yet, or what no longer holds. */
    public Optional<CalendarMessage.Method> invitationDue() {
        return Telling.due(this);
    }

    /** Returns who called it off before it began. */
    public Optional<Account> calledOffBy() {
        return Endings.calledOffBy(this);
    }

    boolean has(Class<? extends RentalEvent> kind) {
        return latest.has(kind);
    }

    <E extends RentalEvent> Optional<E> find(Class<E> kind) {
        return latest.find(kind);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Rental rental && id.equals(rental.id) && version == rental.version;
    }

    @Override
    public int hashCode() {
        return Objects.hash(id, version);
    }

    @Override
    public String toString() {
        return "rental " + id + " version " + version + " " + state;
    }
}
