package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.PciAddress;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

/**
 * Offers events in random order to rentals, those refused included, and checks after each that what must always hold still
 * does. A failure names its seed: {@code -Dcomputehive.seed=...} runs it again.
 */
class RentalPropertyTest {
    private static final int RENTALS = Integer.getInteger("computehive.rentals", 2_000);
    private static final int OFFERED = 220;
    private static final Set<Step> BESIDE = Set.of(Step.NOTIFY, Step.SWEEP);
    private static final List<Step> TEARDOWN = List.of(Step.CUT_ACCESS, Step.DESTROY, Step.ERASE, Step.TURN_OVER);

    private final long seed = Long.getLong("computehive.seed", 1);
    private final Map<RentalState, Integer> reached = new EnumMap<>(RentalState.class);
    private int longest;
    private int moved;

    @Test
    void anyOrderOfEvents_keepsEveryPromise() {
        System.out.println("RentalPropertyTest: computehive.seed=" + seed + ", " + RENTALS + " rentals");
        for (int i = 0; i < RENTALS; i++) {
            long one = seed + i;
            try {
                live(new Random(one));
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("with -Dcomputehive.seed=" + one, e);
            }
        }
        System.out.println("reached " + reached + ", most legs " + longest + ", moved " + moved);
        for (RentalState state : RentalState.values()) {
            assertTrue(reached.containsKey(state), state + " was never reached, so nothing was said of it");
        }
        assertTrue(longest >= 3 && moved > 0, "legs and moves were tried");
    }

    private void live(Random random) {
        Cancellation terms = random.nextBoolean()
                ? Cancellation.FREE
                : new Cancellation(Duration.ofMinutes(5), random.nextInt(10_001), Duration.ofMinutes(20), 5_000);
        RentalId id = RentalId.random();
        var history = new ArrayList<RentalEvent>();
        history.add(new RentalEvent.Reserved(Sample.NOW, Sample.terms(terms)));
        Rental rental = Rental.of(id, history);
        Instant now = Sample.NOW;
        int afterwards = 0;
        for (int i = 0; i < OFFERED && afterwards < 8; i++) {
            afterwards += rental.state().isOver() ? 1 : 0;
            now = now.plusSeconds(random.nextInt(120));
            // Half of what is offered is what the rental itself asks for: else few would ever get far.
            RentalEvent event = random.nextInt(5) < 2 ? any(rental, now, random) : asked(rental, now, random);
            Rental after;
            try {
                after = rental.after(event);
            } catch (RentalException.WrongState e) {
                continue;
            }
            follows(rental, event, after);
            history.add(event);
            rental = after;
            reached.merge(rental.state(), 1, Integer::sum);
        }
        longest = Math.max(longest, rental.legs().size());
        sameAgain(id, history, rental);
    }

    private static void follows(Rental before, RentalEvent event, Rental after) {
        assertEquals(before.version() + 1, after.version());
        if (before.state().isOver()) {
            assertEquals(before.state(), after.state(), "nothing leads out of a final state");
        }
        holds(after);
        // Gpus that are reclaimed before the window begins are not held for it any more.
        boolean reclaimed = event instanceof RentalEvent.ReclaimAnnounced;
        if (!before.occupied().isEmpty() && after.occupied().isEmpty() && !reclaimed) {
            assertTrue(isFree(after.state()), after + " gave its gpus back too early: " + event);
        }
        assertFalse(before.occupied().isEmpty() && !after.occupied().isEmpty(), "free gpus are not taken back");
        for (Leg leg : before.legs()) {
            Leg then = after.legs().get(leg.number());
            assertTrue(!leg.isClosed() || then.isClosed(), "a leg is closed once");
            assertTrue(leg.settlement().isEmpty() || leg.settlement().equals(then.settlement()), "a leg is paid once");
        }
    }

    private static boolean isFree(RentalState state) {
        return switch (state) {
            case EXPIRED, CANCELLED, ENDED, DISPUTED, SETTLED -> true;
            case RESERVED, FUNDED, STARTING, ACTIVE, ENDING, FAILED -> false;
        };
    }

    private static void holds(Rental rental) {
        List<Occupancy> all = List.copyOf(rental.occupied());
        for (int i = 0; i < all.size(); i++) {
            assertTrue(rental.gpus().contains(all.get(i).gpu()), "only its own gpus");
            for (int j = i + 1; j < all.size(); j++) {
                assertFalse(all.get(i).overlaps(all.get(j)), "occupancies are disjoint");
            }
        }
        Amount paid = Amount.ZERO;
        for (Leg leg : rental.legs()) {
            Duration charged = rental.charged(leg);
            assertTrue(charged.compareTo(leg.window().length()) <= 0 && !charged.isNegative(), "at most the whole leg");
            assertEquals(0, charged.toNanosPart(), "in whole seconds");
            leg.settlement()
                    .ifPresent(settled -> assertEquals(
                            leg.deposit(),
                            settled.paid().plus(settled.refunded()),
                            "paid and refunded are the deposit"));
            paid = paid.plus(leg.settlement().map(OfLeg.Settled::paid).orElse(Amount.ZERO));
        }
        assertTrue(rental.due().compareTo(rental.deposit()) <= 0, "no more is due than is locked");
        assertTrue(paid.compareTo(rental.deposit()) <= 0);
        if (rental.mayEnter()) {
            assertTrue(rental.funded(), "nobody enters unpaid");
            assertFalse(rental.window().end().isBefore(rental.terms().window().end()));
        }
        effects(rental);
    }

    private static void effects(Rental rental) {
        List<Step> steps = rental.effects(Sample.POLICY).stream()
                .map(RentalEffect::step)
                .filter(step -> !BESIDE.contains(step))
                .toList();
        boolean over = rental.state().isOver() || (rental.state() == RentalState.CANCELLED && !rental.funded());
        assertEquals(over, steps.isEmpty(), () -> rental + " asks for " + steps);
        assertEquals(
                over, rental.lanes().isEmpty() || rental.legs().stream().allMatch(Leg::isClosed), rental::toString);
        assertEquals(steps.size(), new HashSet<>(steps).size(), "each step once");
        long down = steps.stream().filter(TEARDOWN::contains).count();
        assertTrue(down <= 1, "taken down one after the other");
        if (rental.state() == RentalState.ENDED) {
            assertTrue(rental.find(RentalEvent.AccessCut.class).isPresent(), "nobody enters what has ended");
            boolean gone = rental.find(RentalEvent.MachineDestroyed.class).isPresent()
                    && rental.find(RentalEvent.DiskErased.class).isPresent()
                    && rental.find(RentalEvent.TurnedOver.class).isPresent();
            boolean left = rental.find(RentalEvent.TeardownLeft.class)
                    .filter(event -> rental.runs().leftAt(event.host()).isPresent()
                            || rental.find(RentalEvent.Swept.class).isPresent())
                    .isPresent();
            assertTrue(gone || left, "ended only once all was seen to be gone, or is known to be left");
        }
    }

    private static void sameAgain(RentalId id, List<RentalEvent> history, Rental live) {
        var read = new ArrayList<RentalEvent>();
        for (RentalEvent event : history) {
            RentalEvent again = EventCodec.read(EventCodec.name(event), EventCodec.write(event));
            assertEquals(event, again);
            assertEquals(EventCodec.write(event), EventCodec.write(again));
            read.add(again);
        }
        Rental folded = Rental.of(id, read);
        assertEquals(live.state(), folded.state());
        assertEquals(live.version(), folded.version());
        assertEquals(live.occupied(), folded.occupied());
        assertEquals(live.lanes(), folded.lanes());
        assertEquals(live.due(), folded.due());
        assertEquals(live.window(), folded.window());
        assertEquals(live.effects(Sample.POLICY), folded.effects(Sample.POLICY));
    }

    /** What might come of what the rental asks for. */
    private RentalEvent asked(Rental rental, Instant now, Random random) {
        List<RentalEffect> effects = rental.effects(Sample.POLICY);
        if (effects.isEmpty() || random.nextInt(6) == 0) {
            return any(rental, now, random);
        }
        Instant start = rental.terms().window().start();
        return switch (effects.get(random.nextInt(effects.size())).step()) {
            case WRITE_OFFER -> new RentalEvent.OfferWritten(now, Sample.offer(rental.id()));
            case WATCH_FUNDING ->
                random.nextInt(3) == 0
                        ? new RentalEvent.OfferSigned(now, Sample.SIGNATURE)
                        : new RentalEvent.Funded(now, rental.terms().deposit(), Sample.HASH);
            case NOTIFY -> new RentalEvent.Invited(now, "REQUEST", rental.lastInvitation() + 1);
            case WATCH_ESCROW -> any(rental, now, random);
            case START -> new RentalEvent.Starting(now);
            case BOOT ->
                now.isBefore(rental.holdings().from()) && random.nextBoolean()
                        ? new RentalEvent.GpusTaken(now)
                        : new RentalEvent.MachineStarted(now, Map.of("kernel", "6.1"));
            case PROVE -> new RentalEvent.Activated(now.isBefore(start) ? start : now, "SSH-2.0-test");
            case WRITE_EXTENSION, WATCH_EXTENSION -> ofExtension(rental, now, random);
            case MOVE_END -> new RentalEvent.EndMoved(now, rental.window().end());
            case END_NO_SHOW -> new RentalEvent.Ending(now, EndCause.NO_SHOW);
            case END -> new RentalEvent.Ending(now, EndCause.WINDOW_OVER);
            case CUT_ACCESS -> new RentalEvent.AccessCut(now, 1);
            case DESTROY ->
                !rental.isLeaving() && random.nextInt(8) == 0
                        ? new RentalEvent.TeardownLeft(now, rental.host(), "the host does not answer")
                        : new RentalEvent.MachineDestroyed(now, Map.of());
            case ERASE -> new RentalEvent.DiskErased(now, Map.of());
            case TURN_OVER -> new RentalEvent.TurnedOver(now, List.of());
            case PLACE -> placed(now, random);
            case SWEEP ->
                new RentalEvent.Swept(now, rental.runs().left().getFirst().host(), List.of());
            case SETTLE -> settling(rental, now, random);
        };
    }

    private RentalEvent placed(Instant now, Random random) {
        moved++;
        var host = new HostId("host-" + (2 + random.nextInt(3)));
        return new RentalEvent.Placed(now, host, List.of(new GpuId(host, new PciAddress("0000:41:00.0"))), "moved");
    }

    private static RentalEvent ofExtension(Rental rental, Instant now, Random random) {
        Leg leg = rental.legs().getLast();
        return switch (random.nextInt(4)) {
            case 0 -> new OfLeg.OfferWritten(now, leg.number(), offer(leg));
            case 1 -> new OfLeg.OfferSigned(now, leg.number(), Sample.SIGNATURE);
            case 2 -> new OfLeg.Funded(now, leg.number(), leg.deposit(), Sample.HASH);
            default ->
                random.nextInt(4) == 0
                        ? new OfLeg.Lapsed(now, leg.number())
                        : new OfLeg.Funded(now, leg.number(), leg.deposit(), Sample.HASH);
        };
    }

    private static EscrowOffer offer(Leg leg) {
        return new EscrowOffer(
                Sample.LENDER,
                BigInteger.valueOf(leg.lane()),
                BigInteger.ZERO,
                Sample.RENTER,
                Sample.TOKEN.contract(),
                Stakes.NONE,
                leg.rate(),
                leg.window(),
                Duration.ZERO,
                Duration.ofHours(1),
                Cancellation.FREE,
                leg.holdUntil(),
                Sample.HASH,
                Sample.HASH);
    }

    private static RentalEvent settling(Rental rental, Instant now, Random random) {
        Leg leg = rental.legs().get(random.nextInt(rental.legs().size()));
        Duration used = rental.charged(leg);
        Amount paid = leg.rate().cost(used);
        boolean booked = leg.number() == 0;
        return switch (random.nextInt(7)) {
            case 0 ->
                booked
                        ? new RentalEvent.ReceiptSigned(now, used, Sample.SIGNATURE)
                        : new OfLeg.ReceiptSigned(now, leg.number(), used, Sample.SIGNATURE);
            case 1 ->
                booked
                        ? new RentalEvent.ReceiptCountersigned(now, Sample.SIGNATURE)
                        : new OfLeg.ReceiptCountersigned(now, leg.number(), Sample.SIGNATURE);
            case 2 -> new OfLeg.Disputed(now, leg.number(), Sample.RENTER, Sample.HASH);
            case 3 ->
                booked
                        ? new RentalEvent.ReleaseSigned(now, Sample.SIGNATURE)
                        : new OfLeg.ReleaseSigned(now, leg.number(), Sample.SIGNATURE);
            case 4 -> new OfLeg.Lapsed(now, leg.number());
            default ->
                booked
                        ? new RentalEvent.Settled(now, paid, leg.deposit().minus(paid), Sample.HASH)
                        : new OfLeg.Settled(
                                now, leg.number(), paid, leg.deposit().minus(paid), Sample.HASH);
        };
    }

    /** Anything at all, also what makes no sense. */
    private RentalEvent any(Rental rental, Instant now, Random random) {
        Fault fault = new Fault(Fault.Blame.values()[random.nextInt(4)], "something happened");
        return switch (random.nextInt(20)) {
            case 0 -> new RentalEvent.HoldExpired(now);
            case 1 -> new RentalEvent.Cancelled(now, random.nextBoolean() ? Sample.RENTER : Sample.LENDER);
            case 2 -> new RentalEvent.StartFailed(now, fault);
            case 3 -> new RentalEvent.Ending(now, EndCause.values()[random.nextInt(EndCause.values().length)]);
            case 4 -> new RentalEvent.EndedByOperator(now, fault);
            case 5 -> new RentalEvent.Entered(now);
            case 6 -> new RentalEvent.Interrupted(now, now.minusSeconds(5), random.nextBoolean(), fault);
            case 7 -> new RentalEvent.PlacementFailed(now, random.nextBoolean(), fault);
            case 8 -> new RentalEvent.TurnedOver(now, List.of());
            case 9 -> new RentalEvent.AccessCut(now, 0);
            case 10 -> new RentalEvent.CertificateIssued(now, "1", "SHA256:x", now.plusSeconds(60));
            case 11 -> new RentalEvent.ReclaimAnnounced(now, now.plusSeconds(random.nextInt(2_000)));
            case 12 -> settling(rental, now, random);
            case 13 -> rental.legs().size() > 1 ? ofExtension(rental, now, random) : held(rental, now, random);
            case 14, 15, 16 -> held(rental, now, random);
            case 17 -> new RentalEvent.Reserved(now, rental.terms());
            case 18 -> placed(now, random);
            default -> new RentalEvent.MachineDestroyed(now, Map.of());
        };
    }

    private static RentalEvent held(Rental rental, Instant now, Random random) {
        Instant end = rental.window().end();
        int leg = random.nextInt(8) == 0 ? random.nextInt(4) : rental.legs().size();
        return new OfLeg.Held(
                now,
                leg,
                new Extension(
                        RentalId.random(),
                        Window.of(end, Duration.ofSeconds(1 + random.nextInt(1_000))),
                        Rate.of(random.nextInt(1_000)),
                        rental.legs().size(),
                        end.minusSeconds(60),
                        Sample.HASH));
    }
}
