package org.computehive.server.crash;

import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.computehive.market.Account;
import org.computehive.rental.EventCodec;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalState;
import org.computehive.server.crash.EngineProcess.Reply;
import org.computehive.store.StoreException;

/**
 * The lender and the renter: they look at what is stored, decide by each rental's course, and ask the engines that happen to
 * live, again and again until it is done.
 */
final class Parties implements AutoCloseable {
    private static final int LOOK_MILLIS = 100;
    private static final int MANY = 10_000;
    private static final int NOTICE_SECONDS = 9;
    private static final int REST_SECONDS = 15;

    private final Stage stage;
    private final Evidence evidence;
    private final List<Slot> slots = new ArrayList<>();
    private final Random random;
    private final Hands hands;
    private final Conduct conduct;
    private final Upkeep upkeep;
    private final Account renter;
    /** A fault that is built in may keep rentals from their course: then one rental of each gpu's is enough. */
    private final boolean everyCourse;

    private final Thread thread;
    private final Map<RentalState, Integer> ends = new ConcurrentHashMap<>();
    private final Map<Course, Integer> lived = new ConcurrentHashMap<>();
    private volatile boolean booking = true;
    private volatile boolean closing;
    private volatile int open;

    /**
     * Creates them.
     *
     * @param engines returns those that can be asked now
     */
    Parties(Stage stage, Evidence evidence, CrashOptions options, Supplier<List<EngineProcess>> engines)
            throws java.io.IOException {
        this.stage = stage;
        this.evidence = evidence;
        this.random = new Random(options.seed());
        this.renter = stage.renter.account();
        this.hands = new Hands(engines, evidence, new Random(options.seed()));
        var entrance = new Entrance(stage.folder.resolve("renter"));
        this.conduct = new Conduct(stage, evidence, hands, entrance, options.outages());
        this.upkeep = new Upkeep(hands, evidence, stage.lender.account(), renter);
        for (int i = 0; i < options.gpus(); i++) {
            slots.add(new Slot(i));
        }
        this.everyCourse = options.faults().isEmpty();
        this.open = slots.size();
        this.thread = Thread.ofPlatform().daemon().name("parties").unstarted(this::live);
    }

    void start() {
        thread.start();
    }

    /** Books nothing more, but for courses that no rental went yet. */
    void stopBooking() {
        booking = false;
    }

    /** Returns how many gpus have a rental that is not over yet, or are to have one. */
    int open() {
        return open;
    }

    int finished() {
        return ends.values().stream().mapToInt(Integer::intValue).sum();
    }

    /** Returns how many rentals came to each final state. */
    Map<RentalState, Integer> ends() {
        return new TreeMap<>(ends);
    }

    /** Returns how many rentals went each course as it is meant. */
    Map<Course, Integer> lived() {
        return new TreeMap<>(lived);
    }

    /** Returns the courses that no rental went yet as they are meant. */
    Set<Course> missing() {
        Set<Course> missing = EnumSet.allOf(Course.class);
        missing.removeAll(lived.keySet());
        return missing;
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
            count += slot.rental.isPresent() || slot.perhapsBooked || !slot.busy.isDone() || mayBook(slot) ? 1 : 0;
        }
        open = count;
    }

    private void look(Slot slot) {
        if (slot.rental.isEmpty() && slot.perhapsBooked) {
            adopt(slot);
        }
        if (slot.rental.isEmpty()) {
            boolean keeps = slot.course == Course.AFTER_MAINTENANCE
                    && (mayBook(slot) || slot.upkeep != Upkeep.Stand.NOT_BEGUN)
                    && !upkeep.isOver(slot);
            if (!keeps && mayBook(slot)) {
                book(slot);
            }
            return;
        }
        Rental rental = stage.store.rental(slot.rental.get()).orElseThrow();
        if (over(rental)) {
            end(slot, rental);
        } else {
            conduct.act(slot, rental);
        }
    }

    private boolean mayBook(Slot slot) {
        return booking || (everyCourse ? !lived.containsKey(slot.course) : slot.finished == 0);
    }

    private void end(Slot slot, Rental rental) {
        List<String> kinds = stage.store.history(rental.id()).stream()
                .map(recorded -> DatabaseCheck.kind(EventCodec.name(recorded.event())))
                .toList();
        if (slot.course.isSeenIn(kinds)) {
            lived.merge(slot.course, 1, Integer::sum);
        }
        slot.end();
        // Those that are over soon would else crowd out the sessions.
        slot.notBefore = Instant.now().plusSeconds(rental.startingSince().isPresent() ? 0 : REST_SECONDS);
        ends.merge(rental.state(), 1, Integer::sum);
    }

    private static boolean over(Rental rental) {
        return switch (rental.state()) {
            case EXPIRED, SETTLED -> true;
            case CANCELLED -> !rental.funded();
            default -> false;
        };
    }

    /** A reservation that was made but not acknowledged is found in the store. */
    private void adopt(Slot slot) {
        slot.perhapsBooked = false;
        for (Rental rental : stage.store.inStates(EnumSet.of(RentalState.RESERVED), MANY)) {
            if (rental.terms().listing().equals(slot.listing)) {
                slot.begin(rental.id());
                return;
            }
        }
    }

    private void book(Slot slot) {
        long start = Instant.now().getEpochSecond() + NOTICE_SECONDS + random.nextInt(4);
        String command = "book %s %s %d %d".formatted(slot.listing, renter.address(), start, 22 + random.nextInt(6));
        hands.ask(slot, command, reply -> {
            if (reply instanceof Reply.Acknowledged ok) {
                evidence.acknowledge(ok.words().getFirst(), "reserved", "");
                slot.begin(new RentalId(ok.words().getFirst()));
            } else {
                slot.perhapsBooked = true;
            }
        });
    }

    @Override
    public void close() throws InterruptedException {
        closing = true;
        thread.interrupt();
        thread.join();
        hands.close();
    }
}
