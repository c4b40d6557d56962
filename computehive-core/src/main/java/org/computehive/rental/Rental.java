package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.placement.Place;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.Activated;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.Ending;
import org.computehive.rental.RentalEvent.Interrupted;
import org.computehive.rental.RentalEvent.Invited;
import org.computehive.rental.RentalEvent.MachineStarted;
import org.computehive.rental.RentalEvent.OfferSigned;
import org.computehive.rental.RentalEvent.OfferWritten;
import org.computehive.rental.RentalEvent.Placed;
import org.computehive.rental.RentalEvent.PlacementFailed;
import org.computehive.rental.RentalEvent.ReceiptSigned;
import org.computehive.rental.RentalEvent.ReclaimAnnounced;
import org.computehive.rental.RentalEvent.ReleaseSigned;
import org.computehive.rental.RentalEvent.Reserved;
import org.computehive.rental.RentalEvent.Settled;
import org.computehive.rental.RentalEvent.StartFailed;
import org.computehive.rental.RentalEvent.Starting;
import org.computehive.rental.RentalEvent.Stuck;
import org.computehive.rental.RentalEvent.Swept;
import org.computehive.rental.RentalEvent.Told;
import org.computehive.schedule.CalendarMessage;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/**
 * One renter, one listing's gpus, one window, one escrow, from reservation to settlement.
 *
 * <p>Pure: {@link #after} takes an event to a new rental, {@link #effects} says what is to be done outside. No I/O, no
 * clock. Immutable and thread-safe; equal if id and version are.
 */
public final class Rental {
    /** What is true of one place alone. */
    private static final Set<Class<? extends RentalEvent>> OF_A_PLACE = Set.of(
            MachineStarted.class,
            RentalEvent.AccessCut.class,
            RentalEvent.MachineDestroyed.class,
            RentalEvent.DiskErased.class,
            RentalEvent.TurnedOver.class);

    private final RentalId id;
    private final long version;
    private final RentalState state;
    private final Reserved reserved;
    /** The latest event of each kind: all that later decisions look at. */
    private final Map<Class<? extends RentalEvent>, RentalEvent> latest;
    /** What is its own unless it is over. */
    private final Holdings holdings;

    private final boolean holdingsChanged;
    /** What became of its session, place by place. */
    private final Runs runs;

    private final Trouble trouble;

    private Rental(
            RentalId id,
            long version,
            RentalState state,
            Reserved reserved,
            Map<Class<? extends RentalEvent>, RentalEvent> latest,
            Holdings holdings,
            Runs runs,
            Trouble trouble,
            @Nullable Rental before) {
        this.id = id;
        this.version = version;
        this.state = state;
        this.reserved = reserved;
        this.latest = latest;
        this.holdings = holdings;
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
                Map.of(Reserved.class, reserved),
                Holdings.of(reserved.terms()),
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
        return after(event, holdingsAfter(event));
    }

    private Holdings holdingsAfter(RentalEvent event) {
        return switch (event) {
            case Placed e when e.gpus().size() == gpus().size() -> holdings.movedTo(e.host(), e.gpus(), e.at());
            case ReclaimAnnounced e -> holdings.until(e.ends().plus(terms().turnover()));
            default -> holdings;
        };
    }

    /** Returns this rental after an event that leaves it other holdings. */
    Rental after(RentalEvent event, Holdings then) {
        RentalState next = stateAfter(event);
        var known = new HashMap<>(latest);
        known.put(event.getClass(), event);
        if (event instanceof Placed) {
            known.keySet().removeAll(OF_A_PLACE);
        } else if (event instanceof Ending || event instanceof StartFailed) {
            // Access that was only withdrawn from a place is now to be cut for good.
            known.remove(RentalEvent.AccessCut.class);
        }
        return new Rental(
                id, version + 1, next, reserved, Map.copyOf(known), then, runsAfter(event), trouble.after(event), this);
    }

    private Runs runsAfter(RentalEvent event) {
        return switch (event) {
            case Activated e -> runs.usableFrom(e.at());
            case Interrupted e ->
                runs.usableUntil(earlier(e.lastUsable(), sessionEnd()))
                        .interrupted(e.at())
                        .leaving(e.fault(), e.hostLost(), gpus());
            case PlacementFailed e -> runs.leaving(e.fault(), e.hostLost(), gpus());
            case Placed e -> runs.placed(e.at(), place(), new Place(e.host(), e.gpus()));
            case Swept e -> leftAt(e.host()).map(runs::swept).orElse(runs);
            case Ending e -> runs.usableUntil(earlier(e.at(), sessionEnd()));
            case Invited e -> runs.told();
            default -> runs;
        };
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    private RentalState stateAfter(RentalEvent event) {
        return switch (event) {
            case Reserved e -> throw wrong(e);
            case OfferWritten e -> from(e, state == RentalState.RESERVED && offer().isEmpty(), state);
            case OfferSigned e ->
                from(
                        e,
                        state == RentalState.RESERVED
                                && offer().isPresent()
                                && offerSignature().isEmpty(),
                        state);
            case RentalEvent.HoldExpired e -> from(e, state == RentalState.RESERVED, RentalState.EXPIRED);
            case RentalEvent.Funded e ->
                from(
                        e,
                        state == RentalState.RESERVED
                                && offerSignature().isPresent()
                                && e.deposit().equals(terms().deposit()),
                        RentalState.FUNDED);
            case Invited e -> from(e, e.sequence() > lastInvitation(), state);
            case RentalEvent.Cancelled e -> from(e, canCancel(e.by()), RentalState.CANCELLED);
            case Starting e -> from(e, state == RentalState.FUNDED, RentalState.STARTING);
            case MachineStarted e ->
                from(
                        e,
                        state == RentalState.STARTING
                                && !isLeaving()
                                && machine().isEmpty(),
                        state);
            case Activated e ->
                from(
                        e,
                        state == RentalState.STARTING
                                && !isLeaving()
                                && machine().isPresent()
                                && terms().window().contains(e.at()),
                        RentalState.ACTIVE);
            case StartFailed e ->
                from(e, state == RentalState.FUNDED || state == RentalState.STARTING, RentalState.FAILED);
            case RentalEvent.CertificateIssued e -> from(e, mayEnter(), state);
            case Ending e -> from(e, state == RentalState.STARTING || state == RentalState.ACTIVE, RentalState.ENDING);
            case RentalEvent.AccessCut e ->
                from(
                        e,
                        nextTeardown().equals(Optional.of(Step.CUT_ACCESS)),
                        latest.containsKey(RentalEvent.TurnedOver.class) && !isLeaving() ? RentalState.ENDED : state);
            case RentalEvent.MachineDestroyed e -> from(e, nextTeardown().equals(Optional.of(Step.DESTROY)), state);
            case RentalEvent.DiskErased e -> from(e, nextTeardown().equals(Optional.of(Step.ERASE)), state);
            case RentalEvent.TurnedOver e ->
                from(e, nextTeardown().equals(Optional.of(Step.TURN_OVER)), isLeaving() ? state : RentalState.ENDED);
            case PlacementFailed e ->
                from(e, state == RentalState.STARTING && (!isLeaving() || (e.hostLost() && !runs.hostLost())), state);
            case Interrupted e ->
                from(e, state == RentalState.ACTIVE && !e.lastUsable().isAfter(e.at()), RentalState.STARTING);
            case Placed e ->
                from(e, isLeaving() && nextTeardown().isEmpty() && e.gpus().size() == gpus().size(), state);
            case Swept e -> from(e, leftAt(e.host()).isPresent(), state);
            case ReclaimAnnounced e ->
                from(
                        e,
                        mayEnter()
                                && reclaimedAt().isEmpty()
                                && !e.ends().isBefore(e.at())
                                && e.ends().isBefore(terms().window().end()),
                        state == RentalState.FUNDED && neverBegins(e.ends()) ? RentalState.CANCELLED : state);
            case RentalEvent.Stuck e -> from(e, !trouble.stuck().containsKey(e.step()), state);
            case RentalEvent.Resumed e -> from(e, trouble.stuck().containsKey(e.step()), state);
            // A receipt can't be taken back, so each party signs one, and the lender only once the VM is gone.
            case ReceiptSigned e ->
                from(
                        e,
                        owesSettlement()
                                && e.used().equals(used())
                                && find(ReceiptSigned.class).isEmpty(),
                        state);
            case RentalEvent.ReceiptCountersigned e ->
                from(
                        e,
                        state == RentalState.ENDED
                                && find(ReceiptSigned.class).isPresent()
                                && find(RentalEvent.ReceiptCountersigned.class).isEmpty(),
                        state);
            // A lender that gives all back before the start calls the rental off.
            case ReleaseSigned e ->
                from(
                        e,
                        owesSettlement() || state == RentalState.FUNDED,
                        state == RentalState.FUNDED ? RentalState.CANCELLED : state);
            case Settled e ->
                from(
                        e,
                        (state == RentalState.ENDED || state == RentalState.CANCELLED)
                                && funded()
                                && e.paid().plus(e.refunded()).equals(terms().deposit()),
                        RentalState.SETTLED);
        };
    }

    private RentalState from(RentalEvent event, boolean possible, RentalState next) {
        if (!possible) {
            throw wrong(event);
        }
        return next;
    }

    private RentalException.WrongState wrong(RentalEvent event) {
        return new RentalException.WrongState("rental %s is %s (version %d): %s can't happen to it now"
                .formatted(id, state, version, event.getClass().getSimpleName()));
    }

    /**
     * Returns what is to be done outside, given how long to wait for what. The same until an event changes it.
     *
     * @param policy how long to wait for what
     */
    public List<RentalEffect> effects(RentalPolicy policy) {
        Stream<RentalEffect> beside = runs.left().isEmpty() ? Stream.empty() : Stream.of(atOnce(Step.SWEEP));
        return Stream.concat(effectsOfState(policy).stream(), beside).toList();
    }

    private List<RentalEffect> effectsOfState(RentalPolicy policy) {
        Window window = terms().window();
        return switch (state) {
            case RESERVED -> List.of(atOnce(offer().isEmpty() ? Step.WRITE_OFFER : Step.WATCH_FUNDING));
            case FUNDED ->
                Stream.of(
                                invitationDue().isEmpty() ? null : atOnce(Step.NOTIFY),
                                new RentalEffect(Step.START, window.start().minus(policy.lead())),
                                atOnce(Step.WATCH_ESCROW))
                        .filter(Objects::nonNull)
                        .toList();
            // A calendar that is slow must not hold up what has its time: it comes after.
            case STARTING -> thenNotify(toStart());
            case ACTIVE -> thenNotify(end(), atOnce(Step.WATCH_ESCROW));
            case ENDING, FAILED -> List.of(atOnce(nextTeardown().orElseThrow()));
            case CANCELLED -> funded() ? notifyThenSettle() : List.of();
            case ENDED -> notifyThenSettle();
            case SETTLED -> thenNotify();
            case DISPUTED, EXPIRED -> List.of();
        };
    }

    private RentalEffect[] toStart() {
        if (isLeaving()) {
            return new RentalEffect[] {atOnce(nextTeardown().orElse(Step.PLACE)), end()};
        }
        RentalEffect next = machine().isEmpty()
                ? atOnce(Step.BOOT)
                : new RentalEffect(Step.PROVE, terms().window().start());
        return reclaimedAt().isPresent() ? new RentalEffect[] {end(), next} : new RentalEffect[] {next};
    }

    private RentalEffect end() {
        return neverBegins(sessionEnd()) ? atOnce(Step.END) : new RentalEffect(Step.END, sessionEnd());
    }

    private List<RentalEffect> thenNotify(RentalEffect... first) {
        var all = new ArrayList<>(List.of(first));
        invitationDue().ifPresent(method -> all.add(atOnce(Step.NOTIFY)));
        return List.copyOf(all);
    }

    private List<RentalEffect> notifyThenSettle() {
        return invitationDue().isPresent()
                ? List.of(atOnce(Step.NOTIFY), atOnce(Step.SETTLE))
                : List.of(atOnce(Step.SETTLE));
    }

    private static RentalEffect atOnce(Step step) {
        return new RentalEffect(step, Instant.EPOCH);
    }

    /** What is to be taken down next; empty once all was, or while nothing is to be. */
    private Optional<Step> nextTeardown() {
        if (state != RentalState.ENDING && state != RentalState.FAILED && !isLeaving()) {
            return Optional.empty();
        }
        if (!latest.containsKey(RentalEvent.AccessCut.class)) {
            return Optional.of(Step.CUT_ACCESS);
        }
        if ((isLeaving() && runs.hostLost()) || latest.containsKey(RentalEvent.TurnedOver.class)) {
            return Optional.empty();
        }
        if (!latest.containsKey(RentalEvent.MachineDestroyed.class)) {
            return Optional.of(Step.DESTROY);
        }
        return Optional.of(latest.containsKey(RentalEvent.DiskErased.class) ? Step.TURN_OVER : Step.ERASE);
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

    private Optional<Place> leftAt(HostId host) {
        return runs.left().stream().filter(place -> place.host().equals(host)).findFirst();
    }

    /** Returns when the lender takes its gpus back, if it gave notice. */
    public Optional<Instant> reclaimedAt() {
        return find(ReclaimAnnounced.class).map(ReclaimAnnounced::ends);
    }

    /** Returns when the session ends unless somebody ends it earlier: the window's end, or when the lender reclaims. */
    public Instant sessionEnd() {
        return reclaimedAt().orElse(terms().window().end());
    }

    private boolean neverBegins(Instant ends) {
        return !ends.isAfter(terms().window().start());
    }

    /** Once the deposit is locked a lender calls off by its release alone, so that nobody is paid for nothing. */
    private boolean canCancel(Account by) {
        return (state == RentalState.FUNDED && by.equals(terms().renter()))
                || (state == RentalState.RESERVED && offerSignature().isEmpty());
    }

    private boolean owesSettlement() {
        return funded()
                && (state == RentalState.ENDING
                        || state == RentalState.ENDED
                        || state == RentalState.FAILED
                        || state == RentalState.CANCELLED);
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
        return find(OfferWritten.class).map(OfferWritten::offer);
    }

    /** Returns the lender's signature of the offer, once it signed. */
    public Optional<Signature> offerSignature() {
        return find(OfferSigned.class).map(OfferSigned::lenderSignature);
    }

    /** Returns whether the escrow was seen funded. */
    public boolean funded() {
        return latest.containsKey(RentalEvent.Funded.class);
    }

    /** Returns what the VM runs on, once it was started. */
    public Optional<Map<String, String>> machine() {
        return find(MachineStarted.class).map(MachineStarted::facts);
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
        if (endCause().equals(Optional.of(EndCause.MACHINE_LOST))) {
            return runs.faults().stream()
                    .reduce((earlier, later) -> later)
                    .or(() -> Optional.of(new Fault(Fault.Blame.LENDER, "the VM was no longer on its host")));
        }
        if (wasReclaimed()) {
            return Optional.of(new Fault(
                    Fault.Blame.LENDER,
                    "the lender took its gpus back at %s, as it had announced".formatted(sessionEnd())));
        }
        return find(StartFailed.class).map(StartFailed::fault);
    }

    private boolean wasReclaimed() {
        return endCause().equals(Optional.of(EndCause.RECLAIMED))
                || reclaimedAt().filter(this::neverBegins).isPresent();
    }

    /**
     * Returns the time used, in whole seconds: the sum of the times in which the session was {@link #usable}. Zero for one
     * that never was, or still is.
     */
    public Duration used() {
        return Duration.ofSeconds(endedAt().isPresent() ? runs.used().toSeconds() : 0);
    }

    /** Returns what the lender is due for the time used. */
    public Amount due() {
        return terms().rate().cost(used());
    }

    /** Returns by what right the escrow can be settled now: a receipt that both parties signed, or a lender's release. */
    public Optional<Escrow.Settlement> signedSettlement() {
        Optional<Escrow.Settlement> receipt = find(ReceiptSigned.class)
                .flatMap(renter -> find(RentalEvent.ReceiptCountersigned.class)
                        .map(lender -> new Escrow.Settlement.ByReceipt(
                                renter.used(), renter.renterSignature(), lender.lenderSignature())));
        return receipt.or(
                () -> find(ReleaseSigned.class).map(e -> new Escrow.Settlement.ByRelease(e.lenderSignature())));
    }

    /**
     * Returns whether the platform may have the lender paid in full once the time lock is over: the session ran to the
     * window's end without an interruption, nobody is at fault, and the renter, who could have signed for what it used, did not. Otherwise that is
     * for the parties to do.
     */
    public boolean mayTimeLock() {
        return state == RentalState.ENDED
                && endCause().equals(Optional.of(EndCause.WINDOW_OVER))
                && activeSince().isPresent()
                && fault().isEmpty()
                && runs.interruptedAt().isEmpty()
                && find(ReceiptSigned.class).isEmpty();
    }

    /** Returns the settlement, once the chain has it. */
    public Optional<Settled> settlement() {
        return find(Settled.class);
    }

    /** Returns the sequence of the last calendar message, or -1. */
    public int lastInvitation() {
        return find(Invited.class).map(Invited::sequence).orElse(-1);
    }

    /** Returns what the last calendar message told the parties; empty if none was sent. */
    public Optional<Told> told() {
        return find(Invited.class).map(sent -> sent.told().orElseGet(() -> Told.of(reserved.terms())));
    }

    /**
     * Returns what the parties' calendars are to show: the terms as they are now, and of a session that was ended early
     * the time until then. Empty if the window has nothing to show, since it never took place.
     */
    public Optional<Told> toTell() {
        Window window = terms().window();
        if (calledOffBy().isPresent() || (fault().isPresent() && !wasReclaimed())) {
            return Optional.empty();
        }
        Instant end = endedAt()
                .map(at -> at.truncatedTo(ChronoUnit.SECONDS))
                .filter(sessionEnd()::isAfter)
                .orElse(sessionEnd());
        return end.isAfter(window.start())
                ? Optional.of(new Told(new Window(window.start(), end), terms().listing(), host()))
                : Optional.empty();
    }

    /** Returns what its calendar entry says: what is to be shown, or for one that is off what was shown last. */
    Told shown() {
        return toTell().or(this::told).orElseGet(() -> Told.of(terms()));
    }

    /** Returns when the parties were told last; when it was reserved, if never. */
    Instant toldAt() {
        return find(Invited.class).map(Invited::at).orElse(reservedAt());
    }

    /** Returns the calendar message that is due because the parties know nothing yet, or what no longer holds. */
    public Optional<CalendarMessage.Method> invitationDue() {
        boolean concerns = funded()
                && switch (state) {
                    case FUNDED, STARTING, ACTIVE, CANCELLED, ENDED, SETTLED -> true;
                    case RESERVED, EXPIRED, ENDING, FAILED, DISPUTED -> false;
                };
        boolean cancelled = find(Invited.class)
                .filter(sent -> sent.method().equals(CalendarMessage.Method.CANCEL.name()))
                .isPresent();
        Optional<Told> current = toTell();
        boolean known = current.equals(told()) && runs.movesTold() == runs.moves();
        if (!concerns || (current.isEmpty() ? cancelled : !cancelled && known)) {
            return Optional.empty();
        }
        return Optional.of(current.isEmpty() ? CalendarMessage.Method.CANCEL : CalendarMessage.Method.REQUEST);
    }

    /** Returns who called it off before it began. */
    Optional<Account> calledOffBy() {
        return find(RentalEvent.Cancelled.class)
                .map(RentalEvent.Cancelled::by)
                .or(() -> find(ReleaseSigned.class)
                        .filter(release -> !latest.containsKey(Starting.class))
                        .map(release -> terms().lender()))
                .or(() -> reclaimedAt().filter(this::neverBegins).map(reclaimed -> terms().lender()));
    }

    private <E extends RentalEvent> Optional<E> find(Class<E> kind) {
        return Optional.ofNullable(latest.get(kind)).map(kind::cast);
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
