package org.computehive.server.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.computehive.server.platform.TemporaryPostgres;

/**
 * How many bookings per second 64 threads get over four engines on one PostgreSQL, against the bare SQL insert under the
 * same constraint.
 *
 * <p>Ours is what a renter's client calls: {@code reserve} at the listed price, or with {@code --quoted} first {@code
 * quote}, which refuses a window that is taken, and then {@code reserve}. A booking is an acknowledged rental, in the audit
 * log and with its wake-up set. The peer inserts the same attempts, in the same order, as rows of one table. Both take
 * turns on one server, and both databases fill as the rounds go. At the end a query looks for overlaps: with one the
 * benchmark fails.
 */
final class Bookings implements Benchmark {
    static final int ENGINES = 4;
    static final int THREADS = 64;
    private static final int ATTEMPTS = 60_000;
    private static final int MOST_ATTEMPTS = 10_000_000;
    private static final int ROUNDS = 5;
    private static final String OPTION = "--attempts=";
    private static final String QUOTED = "--quoted";
    private static final double GOAL = 0.5;

    private final int attempts;
    private final boolean quoted;

    Bookings() {
        this(ATTEMPTS, false);
    }

    private Bookings(int attempts, boolean quoted) {
        this.attempts = attempts;
        this.quoted = quoted;
    }

    @Override
    public String name() {
        return "bookings";
    }

    @Override
    public String about() {
        return "bookings by 64 threads over 4 engines on PostgreSQL, against the bare insert; %sN, %,d if not given; %s: by a quote first"
                .formatted(OPTION, ATTEMPTS, QUOTED);
    }

    @Override
    public Benchmark with(List<String> options) {
        int wanted = attempts;
        for (String option : options) {
            if (option.matches(OPTION + "[1-9][0-9]{3,7}")) {
                wanted = Integer.parseInt(option.substring(OPTION.length()));
            } else if (!option.equals(QUOTED)) {
                throw new IllegalArgumentException("there is no option %s: give %s and 1000 to %d, or %s"
                        .formatted(option, OPTION, MOST_ATTEMPTS, QUOTED));
            }
        }
        if (wanted > MOST_ATTEMPTS) {
            throw new IllegalArgumentException(
                    "%d attempts are too many: give at most %d".formatted(wanted, MOST_ATTEMPTS));
        }
        return new Bookings(wanted, options.contains(QUOTED));
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        long seed = ThreadLocalRandom.current().nextLong(1_000_000);
        progress.accept("%,d attempts by %d threads over %d engines%s, random seed %d"
                .formatted(attempts, THREADS, ENGINES, quoted ? ", each by a quote" : "", seed));
        try (Scratch scratch = Scratch.onDisk();
                TemporaryPostgres postgres = TemporaryPostgres.start();
                EngineReplicas replicas = new EngineReplicas(postgres, ENGINES, scratch.folder());
                BareInserts bare = new BareInserts(postgres, THREADS)) {
            return measure(replicas, bare, postgres, BookingMix.of(attempts, seed), progress);
        }
    }

    private List<Figure> measure(
            EngineReplicas replicas,
            BareInserts bare,
            TemporaryPostgres postgres,
            BookingMix mix,
            Consumer<String> progress)
            throws Exception {
        List<List<BookingMix.Offer>> offers = BookingMix.allOffers();
        Bookers.Meter meter = () -> CpuTime.ours() + postgres.cpuSeconds();
        Bookers.Attempting booking = (thread, number) ->
                replicas.book(thread, mix.attempt(offers, number), quoted).isPresent();
        Bookers.Attempting inserting = (thread, number) -> bare.insert(thread, mix.attempt(offers, number));
        List<Bookers.Result> ours = new ArrayList<>();
        List<Bookers.Result> peer = new ArrayList<>();
        // The first round warms up; its attempts count for overlaps all the same.
        Rounds.Medians medians = Rounds.of(
                1,
                ROUNDS,
                () -> round("ours", ours, meter, booking, progress),
                () -> round("bare insert", peer, meter, inserting, progress));
        check(replicas, ours.stream().mapToLong(Bookers.Result::bookings).sum(), progress);
        return List.of(
                new Figure(name() + "/booked-per-second", medians.ours(), medians.peer(), GOAL),
                new Figure(name() + "/booked-per-cpu-second", perCpuSecond(ours), perCpuSecond(peer), GOAL));
    }

    private double round(
            String who,
            List<Bookers.Result> results,
            Bookers.Meter meter,
            Bookers.Attempting attempting,
            Consumer<String> progress)
            throws Exception {
        long each = attempts / (ROUNDS + 1);
        int round = results.size();
        Bookers.Result result = Bookers.run(THREADS, round * each, share(round, each), meter, attempting);
        results.add(result);
        progress.accept("%-11s round %d: %,d attempts, %,d booked in %.1f s: %,.0f/s, %,.0f per cpu second"
                .formatted(
                        who,
                        round,
                        result.attempts(),
                        result.bookings(),
                        result.seconds(),
                        result.perSecond(),
                        result.perCpuSecond()));
        return result.perSecond();
    }

    private static double perCpuSecond(List<Bookers.Result> results) {
        return Rounds.median(results.stream()
                .skip(1)
                .mapToDouble(Bookers.Result::perCpuSecond)
                .toArray());
    }

    private long share(int round, long each) {
        return round == ROUNDS ? attempts - ROUNDS * each : each;
    }

    private static void check(EngineReplicas replicas, long acknowledged, Consumer<String> progress) throws Exception {
        long overlaps = replicas.overlaps();
        long stored = replicas.count("SELECT count(*) FROM ch_rentals");
        long unaudited = replicas.count("SELECT count(*) FROM ch_unaudited");
        progress.accept("%,d bookings acknowledged, %,d stored, %,d overlaps, %,d not in an audit log"
                .formatted(acknowledged, stored, overlaps, unaudited));
        if (overlaps != 0 || stored != acknowledged || unaudited != 0) {
            throw new IllegalStateException(
                    "a promise is broken: %d overlaps, %d bookings acknowledged and %d stored, %d in no audit log"
                            .formatted(overlaps, acknowledged, stored, unaudited));
        }
    }
}
