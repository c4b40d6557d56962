package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Amount;
import org.computehive.market.Rate;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.schedule.Window;

/**
 * A part of a rental's time with an escrow of its own: leg 0 is what was booked, each extension is one more. Legs follow one
 * upon the other without a gap.
 *
 * <p>Immutable and thread-safe.
 */
public final class Leg {
    private final int number;
    private final Window window;
    private final Rate rate;
    private final long lane;
    private final Instant holdUntil;
    private final boolean dropped;
    /** The latest event of each kind. */
    private final Map<Class<? extends OfLeg>, OfLeg> latest;

    private Leg(
            int number,
            Window window,
            Rate rate,
            long lane,
            Instant holdUntil,
            boolean dropped,
            Map<Class<? extends OfLeg>, OfLeg> latest) {
        this.number = number;
        this.window = window;
        this.rate = rate;
        this.lane = lane;
        this.holdUntil = holdUntil;
        this.dropped = dropped;
        this.latest = latest;
    }

    static Leg booked(RentalTerms terms) {
        return new Leg(0, terms.window(), terms.rate(), terms.lane(), terms.holdUntil(), false, Map.of());
    }

    static Leg held(OfLeg.Held event) {
        Extension extension = event.extension();
        return new Leg(
                event.leg(),
                extension.window(),
                extension.rate(),
                extension.lane(),
                extension.holdUntil(),
                false,
                Map.of(OfLeg.Held.class, event));
    }

    Leg after(OfLeg event) {
        var known = new HashMap<>(latest);
        known.put(event.getClass(), event);
        return new Leg(number, window, rate, lane, holdUntil, dropped, Map.copyOf(known));
    }

    /** Returns this leg as one whose time never comes. */
    Leg drop() {
        return new Leg(number, window, rate, lane, holdUntil, true, latest);
    }

    /** Returns whether an event can happen to it, as far as that is for the leg alone to say. */
    boolean canFollow(OfLeg event) {
        return switch (event) {
            case OfLeg.Held e -> false;
            case OfLeg.OfferWritten e -> isPending() && offer().isEmpty();
            case OfLeg.OfferSigned e ->
                isPending() && offer().isPresent() && offerSignature().isEmpty();
            case OfLeg.Funded e ->
                isPending() && offerSignature().isPresent() && e.deposit().equals(deposit());
            case OfLeg.Lapsed e -> isPending();
            case OfLeg.ReceiptSigned e -> isLocked() && !isDisputed() && !has(OfLeg.ReceiptSigned.class);
            case OfLeg.ReceiptCountersigned e ->
                isLocked() && !isDisputed() && has(OfLeg.ReceiptSigned.class) && !has(OfLeg.ReceiptCountersigned.class);
            case OfLeg.ReleaseSigned e -> isLocked();
            case OfLeg.Disputed e -> isLocked() && !isDisputed();
            case OfLeg.Settled e ->
                isLocked()
                        && e.paid()
                                .units()
                                .add(e.refunded().units())
                                .equals(deposit().units());
        };
    }

    /** Returns its number: 0 for what was booked. */
    public int number() {
        return number;
    }

    /** Returns its part of the rental's time, in whole seconds. */
    public Window window() {
        return window;
    }

    /** Returns its price, for all gpus. */
    public Rate rate() {
        return rate;
    }

    /** Returns the lender's storage slot on the chain that its escrow takes. */
    public long lane() {
        return lane;
    }

    /** Returns until when its time is held without being funded. */
    public Instant holdUntil() {
        return holdUntil;
    }

    /** Returns what the renter locks for it. */
    public Amount deposit() {
        return rate.cost(window.length());
    }

    /** Returns what was agreed, for an extension. */
    public Optional<Extension> extension() {
        return find(OfLeg.Held.class).map(OfLeg.Held::extension);
    }

    /** Returns its offer, once it was written. */
    public Optional<EscrowOffer> offer() {
        return find(OfLeg.OfferWritten.class).map(OfLeg.OfferWritten::offer);
    }

    /** Returns the lender's signature of the offer, once it signed. */
    public Optional<Signature> offerSignature() {
        return find(OfLeg.OfferSigned.class).map(OfLeg.OfferSigned::lenderSignature);
    }

    /** Returns whether it waits to be funded. */
    public boolean isPending() {
        return !isFunded() && !isLapsed();
    }

    /** Returns whether its escrow was seen funded. */
    public boolean isFunded() {
        return has(OfLeg.Funded.class);
    }

    /** Returns whether it ran out unfunded. */
    public boolean isLapsed() {
        return has(OfLeg.Lapsed.class);
    }

    /** Returns whether money is locked for it: funded, and not settled. */
    public boolean isLocked() {
        return isFunded() && settlement().isEmpty();
    }

    /** Returns whether nothing more can happen to it: settled, or never funded. */
    public boolean isClosed() {
        return isLapsed() || settlement().isPresent();
    }

    /** Returns whether its payout is for an arbiter to decide. */
    public boolean isDisputed() {
        return has(OfLeg.Disputed.class);
    }

    /** Returns whether its time never comes, though it was funded: the renter took its deposit back before. */
    public boolean isDropped() {
        return dropped;
    }

    /** Returns the dispute, once one was opened. */
    public Optional<OfLeg.Disputed> dispute() {
        return find(OfLeg.Disputed.class);
    }

    /** Returns what the chain paid, once it is settled. */
    public Optional<OfLeg.Settled> settlement() {
        return find(OfLeg.Settled.class);
    }

    /** Returns whether the renter signed its receipt. */
    public boolean hasReceipt() {
        return has(OfLeg.ReceiptSigned.class);
    }

    /** Returns whether the lender signed its receipt too. */
    boolean isCountersigned() {
        return has(OfLeg.ReceiptCountersigned.class);
    }

    /** Returns by what right its escrow can be settled now: a receipt that both parties signed, or a lender's release. */
    public Optional<Escrow.Settlement> signedSettlement() {
        Optional<Escrow.Settlement> receipt = find(OfLeg.ReceiptSigned.class)
                .flatMap(renter -> find(OfLeg.ReceiptCountersigned.class)
                        .map(lender -> new Escrow.Settlement.ByReceipt(
                                renter.used(), renter.renterSignature(), lender.lenderSignature())));
        return receipt.or(
                () -> find(OfLeg.ReleaseSigned.class).map(e -> new Escrow.Settlement.ByRelease(e.lenderSignature())));
    }

    /** Returns how much of a time falls into its window. */
    Duration part(Instant from, Instant to) {
        Instant start = from.isAfter(window.start()) ? from : window.start();
        Instant end = to.isBefore(window.end()) ? to : window.end();
        return start.isBefore(end) ? Duration.between(start, end) : Duration.ZERO;
    }

    private boolean has(Class<? extends OfLeg> kind) {
        return latest.containsKey(kind);
    }

    private <E extends OfLeg> Optional<E> find(Class<E> kind) {
        return Optional.ofNullable(latest.get(kind)).map(kind::cast);
    }

    @Override
    public String toString() {
        return "leg " + number + " " + window;
    }
}
