package org.computehive.rental;

import static org.computehive.rental.RentalStoreContract.NOON;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.computehive.rental.RentalStore.Recorded;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What every {@link Timers} promises. A test class per implementation extends it. */
@Timeout(120)
public abstract class TimersContract {
    private static final int PATIENCE_SECONDS = 30;

    /** Runs with the machine's clock until a test moves it on. */
    private final AtomicReference<Duration> ahead = new AtomicReference<>(Duration.ZERO);

    private RentalStore store;

    /** Opens an empty store whose wake-ups come by themselves. The contract closes it. */
    protected abstract RentalStore open(InstantSource clock) throws Exception;

    /** Opens the store that was open last, once that one was closed; empty if it keeps nothing when it is closed. */
    protected abstract Optional<RentalStore> reopen(InstantSource clock) throws Exception;

    @BeforeEach
    void openStore() throws Exception {
        store = open(this::now);
    }

    @AfterEach
    void closeStore() {
        store.close();
    }

    private Instant now() {
        return Instant.now().plus(ahead.get());
    }

    private Rental wakeAt(Instant due) {
        return wakeAt(due, 1);
    }

    private Rental wakeAt(Instant due, int number) {
        Recorded first = RentalStoreContract.reserved(
                RentalId.random(),
                RentalStoreContract.terms(number, RentalStoreContract.hours(0, 1), RentalStoreContract.gpu(number)));
        store.append(new Recorded(first.after(), first.event(), first.salt(), Optional.of(due)));
        return first.after();
    }

    private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
        T value = queue.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        assertTrue(value != null, "nothing came in time");
        return value;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(PATIENCE_SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void dueWakeUp_comes_andNotBeforeItIsDue() throws Exception {
        Instant due = now().plusMillis(400);
        Rental rental = wakeAt(due);
        BlockingQueue<Instant> woken = new LinkedBlockingQueue<>();

        store.timers().start((id, version) -> {
            assertEquals(rental.id(), id);
            woken.add(now());
            return null;
        });

        assertFalse(next(woken).isBefore(due));
    }

    @Test
    void wakeUpThatIsNotDue_comesOnceTheClockIsThere() throws Exception {
        wakeAt(now().plus(Duration.ofDays(2)), 1);
        Rental soon = wakeAt(now(), 2);
        BlockingQueue<RentalId> woken = new LinkedBlockingQueue<>();
        store.timers().start((id, version) -> {
            woken.add(id);
            return null;
        });
        assertEquals(soon.id(), next(woken));
        assertTrue(woken.isEmpty());

        // As after a machine that slept for days.
        ahead.set(Duration.ofDays(3));
        store.timers().hurry();

        assertFalse(next(woken).equals(soon.id()));
    }

    @Test
    void oneWakeUp_isNeverHandledTwiceAtATime() throws Exception {
        wakeAt(now());
        var inside = new AtomicInteger();
        var most = new AtomicInteger();
        BlockingQueue<Integer> done = new LinkedBlockingQueue<>();
        store.timers().start((id, version) -> {
            most.accumulateAndGet(inside.incrementAndGet(), Math::max);
            store.timers().hurry();
            Thread.yield();
            inside.decrementAndGet();
            done.add(1);
            return done.size() < 20 ? now() : null;
        });
        for (int i = 0; i < 20; i++) {
            next(done);
            store.timers().hurry();
        }
        assertEquals(1, most.get());
    }

    @Test
    void handlerThatThrows_isWokenAgain_eachTimeLater() throws Exception {
        wakeAt(now());
        List<Instant> tries = new CopyOnWriteArrayList<>();
        var enough = new CountDownLatch(3);
        store.timers().start((id, version) -> {
            tries.add(Instant.now());
            enough.countDown();
            if (enough.getCount() > 0) {
                throw new IllegalStateException("thrown by the test");
            }
            return null;
        });
        await(enough);

        Duration first = Duration.between(tries.get(0), tries.get(1));
        Duration second = Duration.between(tries.get(1), tries.get(2));
        assertTrue(first.compareTo(Duration.ofMillis(900)) >= 0, first::toString);
        assertTrue(second.compareTo(Duration.ofMillis(1900)) >= 0, second::toString);
    }

    @Test
    void handlerThatThrowsAnError_isWokenAgain() throws Exception {
        wakeAt(now());
        BlockingQueue<Integer> tries = new LinkedBlockingQueue<>();
        var count = new AtomicInteger();
        store.timers().start((id, version) -> {
            tries.add(count.incrementAndGet());
            if (count.get() == 1) {
                throw new AssertionError("thrown by the test");
            }
            return null;
        });
        assertEquals(1, next(tries));
        assertEquals(2, next(tries));
    }

    @Test
    void handlerThatThrows_holdsUpNobodyElse() throws Exception {
        Rental bad = wakeAt(now(), 1);
        for (int i = 2; i <= 10; i++) {
            wakeAt(now(), i);
        }
        BlockingQueue<RentalId> woken = new LinkedBlockingQueue<>();
        store.timers().start((id, version) -> {
            if (id.equals(bad.id())) {
                throw new IllegalStateException("thrown by the test");
            }
            woken.add(id);
            return null;
        });
        for (int i = 2; i <= 10; i++) {
            next(woken);
        }
    }

    @Test
    void hurry_makesWhatIsDueComeAtOnce_andIsHarmlessBeforeTheStart() throws Exception {
        store.timers().hurry();
        BlockingQueue<RentalId> woken = new LinkedBlockingQueue<>();
        store.timers().start((id, version) -> {
            woken.add(id);
            return null;
        });
        for (int i = 1; i <= 5; i++) {
            Rental rental = wakeAt(now(), i);
            store.timers().hurry();
            assertEquals(rental.id(), next(woken));
        }
    }

    @Test
    void wakeUpThatWasNotHandled_comesAfterClosingAndOpening() throws Exception {
        Rental later = wakeAt(now().plusMillis(200), 1);
        Rental next = store.rental(later.id()).orElseThrow();
        Recorded superseding = RentalStoreContract.then(next, new RentalEvent.HoldExpired(NOON));
        Rental gone = wakeAt(now(), 2);
        store.append(new Recorded(
                superseding.after(), superseding.event(), superseding.salt(), Optional.of(now().plusMillis(300))));
        store.close();

        Optional<RentalStore> again = reopen(this::now);
        if (again.isEmpty()) {
            return;
        }
        store = again.get();
        BlockingQueue<String> woken = new LinkedBlockingQueue<>();
        store.timers().start((id, version) -> {
            woken.add(id + " " + version);
            return null;
        });
        assertEquals(Set.of(gone.id() + " 1", later.id() + " 2"), Set.of(next(woken), next(woken)));
    }

    @Test
    void wakeUpWhoseHandlerHadThrown_comesAfterClosingAndOpening() throws Exception {
        Rental rental = wakeAt(now());
        var thrown = new CountDownLatch(1);
        store.timers().start((id, version) -> {
            thrown.countDown();
            throw new IllegalStateException("thrown by the test");
        });
        await(thrown);
        store.close();

        Optional<RentalStore> again = reopen(this::now);
        if (again.isEmpty()) {
            return;
        }
        store = again.get();
        BlockingQueue<RentalId> woken = new LinkedBlockingQueue<>();
        store.timers().start((id, version) -> {
            woken.add(id);
            return null;
        });
        assertEquals(rental.id(), next(woken));
    }

    @Test
    void closed_wakesNobodyAnyMore() throws Exception {
        BlockingQueue<RentalId> woken = new LinkedBlockingQueue<>();
        store.timers().start((id, version) -> {
            woken.add(id);
            return null;
        });
        Rental first = wakeAt(now(), 1);
        store.timers().hurry();
        assertEquals(first.id(), next(woken));

        store.timers().close();
        wakeAt(now(), 2);
        store.timers().hurry();
        store.timers().close();

        assertTrue(woken.isEmpty());
    }
}
