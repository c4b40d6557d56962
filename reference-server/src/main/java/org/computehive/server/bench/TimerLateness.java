package org.computehive.server.bench;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.Timers;
import org.computehive.server.platform.TemporaryPostgres;
import org.jspecify.annotations.Nullable;

/**
 * How late wake-ups come on a quiet machine, and how many come per second when many are due at once, against a bare poller
 * of a table.
 *
 * <p>Both poll one PostgreSQL every tenth of a second while nothing else runs. Ours are rentals' wake-ups, set with an event
 * each and gone once handled; the peer's are rows. Many are due at once as after a sleep: they were set, and are past,
 * before the timers start. What is late is late by the clock that said when it was due.
 */
final class TimerLateness implements Benchmark {
    private static final int SPREAD = 400;
    private static final int AT_ONCE = 10_000;
    private static final Duration APART = Duration.ofMillis(50);
    /** Longer than it takes to set all that are spread. */
    private static final Duration AHEAD = Duration.ofSeconds(4);

    private static final double LIMIT_SECONDS = 0.250;
    private static final Duration LONGEST = Duration.ofMinutes(1);
    private static final int BOOKED_PER_LINE = 2_500;

    @Override
    public String name() {
        return "timers";
    }

    @Override
    public String about() {
        return "how late wake-ups come, and 10,000 due at once, against a bare SKIP LOCKED poller; about a minute";
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        try (Scratch scratch = Scratch.onDisk();
                TemporaryPostgres postgres = TemporaryPostgres.start();
                EngineReplicas replicas = new EngineReplicas(postgres, 1, scratch.folder());
                BarePoller bare = new BarePoller(postgres)) {
            List<Rental> rentals = book(replicas, progress);
            var woken = new Woken(AT_ONCE, progress);
            double oursAtOnce = AT_ONCE
                    / Rounds.seconds(() -> {
                        replicas.store().timers().start(woken);
                        woken.awaitFirst();
                    });
            double peerAtOnce = atOnce(bare);
            progress.accept("ours %,.0f per second, poller %,.0f; now %d wake-ups %d ms apart, each"
                    .formatted(oursAtOnce, peerAtOnce, SPREAD, APART.toMillis()));
            double[] ours = woken.expect(replicas.store(), rentals.subList(0, SPREAD), spread());
            progress.accept("now the poller");
            double[] peer = poll(bare, spread());
            progress.accept("ours p50 %.0f ms, p99 %.0f ms; poller p50 %.0f ms, p99 %.0f ms"
                    .formatted(at(ours, 50), at(ours, 99), at(peer, 50), at(peer, 99)));
            return List.of(
                    new Figure("timers/lateness-p50-seconds", at(ours, 50) / 1e3, at(peer, 50) / 1e3, 1.5),
                    new Figure("timers/lateness-p99-seconds", at(ours, 99) / 1e3, at(peer, 99) / 1e3, 1.5),
                    new Figure("timers/lateness-p99-beside-limit-seconds", at(ours, 99) / 1e3, LIMIT_SECONDS, 1),
                    new Figure("timers/due-at-once-per-second", oursAtOnce, peerAtOnce, 0.1));
        }
    }

    private static List<Rental> book(EngineReplicas replicas, Consumer<String> progress) throws Exception {
        BookingMix mix = BookingMix.of(10 * AT_ONCE, 1);
        List<List<BookingMix.Offer>> offers = BookingMix.allOffers();
        Queue<Rental> booked = new ConcurrentLinkedQueue<>();
        for (long first = 0; booked.size() < AT_ONCE; first += BOOKED_PER_LINE) {
            Bookers.run(64, first, BOOKED_PER_LINE, () -> 0, (thread, number) -> {
                Optional<Rental> rental = replicas.book(thread, mix.attempt(offers, number), false);
                rental.ifPresent(booked::add);
                return rental.isPresent();
            });
            progress.accept("%,d of %,d rentals booked".formatted(booked.size(), AT_ONCE));
        }
        return List.copyOf(booked);
    }

    private static List<Instant> spread() {
        Instant first = Instant.now().plus(AHEAD).truncatedTo(ChronoUnit.MILLIS);
        // Not in step with the polls.
        return IntStream.range(0, SPREAD)
                .mapToObj(i -> first.plus(APART.multipliedBy(i)).plusMillis(i * 37L % 50))
                .toList();
    }

    private static double atOnce(BarePoller bare) throws Exception {
        bare.set(Collections.nCopies(AT_ONCE, Instant.now()));
        return AT_ONCE / Rounds.seconds(() -> bare.poll(AT_ONCE, due -> {}));
    }

    private static double at(double[] sorted, int percent) {
        return Math.max(0.001, sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)]);
    }

    private static double lateness(Instant due) {
        return Duration.between(due, Instant.now()).toNanos() / 1e6;
    }

    private static double[] poll(BarePoller bare, List<Instant> dues) throws Exception {
        var late = new ArrayList<Double>();
        bare.set(dues);
        bare.poll(dues.size(), due -> late.add(lateness(due)));
        return late.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    }

    /** Notes how late wake-ups come. */
    private static final class Woken implements Timers.Handler {
        private final Map<RentalId, Instant> dues = new ConcurrentHashMap<>();
        private final Map<RentalId, Double> late = new ConcurrentHashMap<>();
        private final Consumer<String> progress;
        private final CountDownLatch first;
        private volatile CountDownLatch left = new CountDownLatch(0);

        Woken(int rentals, Consumer<String> progress) {
            this.first = new CountDownLatch(rentals);
            this.progress = progress;
        }

        /** Awaits the wake-ups that the bookings themselves set. */
        void awaitFirst() throws InterruptedException {
            await(first, "due at once");
        }

        private void await(CountDownLatch latch, String which) throws InterruptedException {
            Instant giveUp = Instant.now().plus(LONGEST);
            while (!latch.await(2, TimeUnit.SECONDS)) {
                progress.accept("%,d wake-ups %s are left".formatted(latch.getCount(), which));
                if (Instant.now().isAfter(giveUp)) {
                    throw new IllegalStateException(
                            "%,d wake-ups %s did not come in %d s: is the machine or its disk busy?"
                                    .formatted(latch.getCount(), which, LONGEST.toSeconds()));
                }
            }
        }

        @Override
        public @Nullable Instant wake(RentalId rental, long version) {
            Instant due = dues.get(rental);
            if (version == 1) {
                first.countDown();
            }
            if (due != null && version == 2 && late.putIfAbsent(rental, lateness(due)) == null) {
                left.countDown();
            }
            return null;
        }

        /** Sets a wake-up for each rental, awaits all, and returns how late each came, in milliseconds. */
        double[] expect(RentalStore store, List<Rental> rentals, List<Instant> when) throws Exception {
            left = new CountDownLatch(rentals.size());
            Bookers.run(64, 0, rentals.size(), () -> 0, (thread, number) -> {
                Rental before = rentals.get((int) number);
                Instant due = when.get((int) number);
                dues.put(before.id(), due);
                var event = new RentalEvent.HoldExpired(before.reservedAt());
                store.append(new Recorded(before.after(event), event, "00".repeat(32), Optional.of(due)));
                return true;
            });
            await(left, "spread over time");
            return late.values().stream()
                    .mapToDouble(Double::doubleValue)
                    .sorted()
                    .toArray();
        }
    }
}
