package org.computehive.server.crash;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.computehive.access.HostKeyPair;
import org.computehive.chain.EvmParty;
import org.computehive.market.Account;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalState;
import org.computehive.server.crash.EngineProcess.Reply;
import org.computehive.store.StoreException;
import org.libvirt.LibvirtException;

/**
 * The lender and the renter: they look at what is stored, decide by each rental's course, and ask the engine that happens to
 * live, again and again until it is done. What the engine acknowledges is kept as evidence.
 */
final class Parties implements AutoCloseable {
    private static final int LOOK_MILLIS = 100;
    private static final int AGAIN_MILLIS = 400;
    private static final int MANY = 10_000;
    private static final int NOTICE_SECONDS = 9;
    private static final int REST_SECONDS = 15;
    private static final Set<RentalState> PERHAPS_OPEN =
            EnumSet.complementOf(EnumSet.of(RentalState.SETTLED, RentalState.EXPIRED));

    private final Stage stage;
    private final Evidence evidence;
    private final List<Slot> slots = new ArrayList<>();
    private final ExecutorService hands = Executors.newVirtualThreadPerTaskExecutor();
    private final Random random;
    private final Account renter;
    private final String publicKey = HostKeyPair.generate().publicKey().line();
    private final Thread thread;
    private volatile Optional<EngineProcess> engine = Optional.empty();
    private volatile boolean booking = true;
    private volatile boolean closing;
    private volatile int open;
    private volatile Set<Course> lived = Set.of();
    private volatile int finished;

    Parties(Stage stage, Evidence evidence, int gpus, long seed) {
        this.stage = stage;
        this.evidence = evidence;
        this.random = new Random(seed);
        this.renter = stage.renter.account();
        for (int i = 0; i < gpus; i++) {
            slots.add(new Slot(i));
        }
        this.thread = Thread.ofPlatform().daemon().name("parties").unstarted(this::live);
    }

    void start() {
        thread.start();
    }

    /** From now on talks to this engine. */
    void talkTo(EngineProcess life) {
        engine = Optional.of(life);
    }

    /** Books nothing more. */
    void stopBooking() {
        booking = false;
    }

    /** Returns how many rentals are not over yet. */
    int open() {
        return open;
    }

    int finished() {
        return finished;
    }

    /** Returns the courses that a rental went to its end by. */
    Set<Course> lived() {
        return lived;
    }

    private void live() {
        while (!closing) {
            try {
                look();
                Thread.sleep(LOOK_MILLIS);
            } catch (StoreException e) {
                // The database is away: looked at again.
                continue;
            } catch (InterruptedException e) {
                return;
            } catch (RuntimeException e) {
                evidence.violation("the parties could not go on: " + e);
                throw e;
            }
        }
    }

    private void look() {
        int count = 0;
        for (Slot slot : slots) {
            if (slot.busy.isDone() && !Instant.now().isBefore(slot.notBefore)) {
                look(slot);
            }
            count += slot.rental.isPresent() || !slot.busy.isDone() ? 1 : 0;
        }
        // Nobody waits for what is only being booked.
        open = count;
    }

    private void look(Slot slot) {
        if (slot.rental.isEmpty()) {
            adopt(slot);
        }
        if (slot.rental.isEmpty()) {
            if (booking) {
                book(slot);
            }
            return;
        }
        Rental rental = stage.store.rental(slot.rental.get()).orElseThrow();
        if (over(rental)) {
            slot.end();
            // Those that are over soon would else crowd out the sessions.
            slot.notBefore = Instant.now().plusSeconds(rental.startingSince().isPresent() ? 0 : REST_SECONDS);
            finished++;
            var courses = new HashSet<>(lived);
            courses.add(slot.course);
            lived = courses;
            return;
        }
        act(slot, rental);
    }

    static boolean over(Rental rental) {
        return switch (rental.state()) {
            case EXPIRED, SETTLED -> true;
            case CANCELLED -> !rental.funded();
            default -> false;
        };
    }

    /** A reservation that was made but not acknowledged is found in the store. */
    private void adopt(Slot slot) {
        for (Rental rental : stage.store.inStates(PERHAPS_OPEN, MANY)) {
            if (rental.terms().listing().equals(slot.listing) && !over(rental)) {
                slot.begin(rental.id());
                return;
            }
        }
    }

    private void book(Slot slot) {
        long start = Instant.now().getEpochSecond() + NOTICE_SECONDS + random.nextInt(4);
        ask(
                slot,
                "book %s %s %d %d".formatted(slot.listing, renter.address(), start, 22 + random.nextInt(6)),
                "reserved",
                words -> slot.begin(new RentalId(words.getFirst())));
    }

    private void act(Slot slot, Rental rental) {
        switch (rental.state()) {
            case RESERVED -> reserved(slot, rental);
            case FUNDED -> funded(slot, rental);
            case ACTIVE -> active(slot, rental);
            case ENDED -> ended(slot, rental);
            case CANCELLED -> cancelled(slot, rental);
            default -> {}
        }
    }

    private void reserved(Slot slot, Rental rental) {
        if (rental.offer().isEmpty() || slot.course == Course.NEVER_SIGNED) {
            return;
        }
        EscrowOffer offer = rental.offer().get();
        if (slot.course == Course.CANCEL_EARLY) {
            ask(slot, "cancel %s %s".formatted(rental.id(), renter.address()), "cancelled", words -> {});
        } else if (rental.offerSignature().isEmpty()) {
            ask(
                    slot,
                    "sign %s %s"
                            .formatted(
                                    rental.id(),
                                    stage.lender.sign(offer.digest()).hex()),
                    "offer-signed",
                    words -> {});
        } else if (slot.course != Course.NEVER_FUNDED && !slot.acted) {
            byHand(slot, () -> stage.renter.open(offer, rental.offerSignature().get()));
        }
    }

    private void funded(Slot slot, Rental rental) {
        // What it did on the chain to get here is done.
        slot.acted = false;
        switch (slot.course) {
            case CANCEL_FUNDED ->
                ask(slot, "cancel %s %s".formatted(rental.id(), renter.address()), "cancelled", words -> {});
            case RELEASE -> release(slot, rental);
            default -> {
                if (!slot.certified) {
                    ask(
                            slot,
                            "certificate %s %s %s".formatted(rental.id(), renter.address(), publicKey),
                            "certificate-issued",
                            words -> slot.certified = true);
                }
            }
        }
    }

    private void active(Slot slot, Rental rental) {
        switch (slot.course) {
            case EARLY_END -> ask(slot, "end %s %s".formatted(rental.id(), renter.address()), "ending", words -> {});
            case CLOSED_ON_CHAIN -> {
                if (!slot.acted) {
                    byHand(slot, () -> stage.renter.end(rental.offer().orElseThrow()));
                }
            }
            case LOST_MACHINE -> {
                if (!slot.acted) {
                    byHand(slot, () -> lose(rental.id()));
                }
            }
            default -> {}
        }
    }

    private boolean lose(RentalId id) {
        evidence.destroyed(id.value());
        try {
            stage.libvirt.destroy(id.vmName());
            return true;
        } catch (LibvirtException e) {
            throw new IllegalStateException("the domain of " + id + " could not be destroyed", e);
        }
    }

    private void ended(Slot slot, Rental rental) {
        if (rental.fault().isPresent()) {
            release(slot, rental);
        } else if (rental.endCause().filter(EndCause.ESCROW_CLOSED::equals).isPresent()
                || (slot.course == Course.TIME_LOCK && ranToItsEnd(rental))) {
            return;
        } else if (rental.signedSettlement().isEmpty()) {
            receipt(slot, rental);
        }
    }

    private static boolean ranToItsEnd(Rental rental) {
        return rental.activeSince().isPresent()
                && rental.endCause().filter(EndCause.WINDOW_OVER::equals).isPresent();
    }

    private void receipt(Slot slot, Rental rental) {
        boolean renterSigned = hasReceipt(rental);
        EvmParty party = renterSigned ? stage.lender : stage.renter;
        var digest = stage.escrow.receiptDigest(rental.offer().orElseThrow(), rental.used());
        ask(
                slot,
                "receipt %s %s %s"
                        .formatted(
                                rental.id(),
                                party.account().address(),
                                party.sign(digest).hex()),
                renterSigned ? "receipt-countersigned" : "receipt-signed",
                words -> {});
    }

    private boolean hasReceipt(Rental rental) {
        return stage.store.history(rental.id()).stream()
                .anyMatch(recorded -> recorded.event() instanceof RentalEvent.ReceiptSigned);
    }

    private void release(Slot slot, Rental rental) {
        if (rental.signedSettlement().isEmpty()) {
            var digest = stage.escrow.releaseDigest(rental.offer().orElseThrow());
            ask(
                    slot,
                    "release %s %s"
                            .formatted(rental.id(), stage.lender.sign(digest).hex()),
                    "release-signed",
                    words -> {});
        }
    }

    private void cancelled(Slot slot, Rental rental) {
        if (rental.signedSettlement().isEmpty() && !slot.acted) {
            byHand(slot, () -> stage.renter.end(rental.offer().orElseThrow()));
        }
    }

    private interface Done {
        void with(List<String> words);
    }

    private interface Act {
        Object run();
    }

    private void ask(Slot slot, String command, String event, Done done) {
        Optional<EngineProcess> life = engine;
        if (life.isEmpty()) {
            return;
        }
        slot.notBefore = Instant.now().plusMillis(AGAIN_MILLIS);
        slot.busy = life.get().send(command).thenAccept(reply -> {
            if (reply instanceof Reply.Acknowledged ok) {
                boolean certificate = event.equals("certificate-issued");
                evidence.acknowledge(
                        ok.words().getFirst(),
                        event,
                        certificate ? "\"" + ok.words().get(1) + "\"" : "");
                done.with(ok.words());
            }
        });
    }

    /** What a party does on the chain or the host, without the platform. */
    private void byHand(Slot slot, Act act) {
        slot.acted = true;
        slot.notBefore = Instant.now().plusMillis(AGAIN_MILLIS);
        slot.busy = CompletableFuture.supplyAsync(act::run, hands).handle((done, failure) -> {
            if (failure != null) {
                // Such as an offer that ran out: what is stored says what to do next.
                slot.acted = false;
            }
            return true;
        });
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        thread.interrupt();
        thread.join();
        hands.shutdownNow();
    }
}
