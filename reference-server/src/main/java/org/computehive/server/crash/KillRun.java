package org.computehive.server.crash;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * Kills engines, until all kills are done and every rental is over: the first half one engine that nobody stands in for,
 * the second half one of two replicas while the other goes on.
 */
final class KillRun implements AutoCloseable {
    private static final Duration DRY_LIMIT = Duration.ofSeconds(240);
    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(300);
    private static final Duration PROGRESS = Duration.ofSeconds(15);
    private static final int POINT_SECONDS = 5;
    private static final int LOOK_MILLIS = 200;
    /** Rentals must get on between two kills: at least and at most so long. */
    private static final int LEAST_STAY_MILLIS = 200;

    private static final int MOST_STAY_MILLIS = 1_200;
    /** A kill at a random instant comes at most so long after that. */
    private static final int MOST_RANDOM_MILLIS = 1_000;
    /** A point that was not crossed again in so many lives is rare; it is named at the end. */
    private static final int MOST_MISSES = 8;

    private static final int OUTAGE_ONE_IN = 4;

    private final CrashOptions options;
    private final Evidence evidence;
    private final PrintStream out;
    private final Random random;
    private final Stage stage;
    private final Parties parties;
    private final Outages outages;
    private final List<Replica> replicas = new CopyOnWriteArrayList<>();
    private final Set<String> struck = new TreeSet<>();
    private final Instant begin = Instant.now();
    private volatile Set<String> armed = Set.of();
    private volatile Optional<EngineProcess> target = Optional.empty();
    /** The points that are to be struck, where not every one is. */
    private Set<String> drawn;

    private int randomKills;
    private int misses;
    private Instant told = Instant.now();
    private boolean keep;

    KillRun(CrashOptions options, Evidence evidence, PrintStream out) throws Exception {
        this.options = options;
        this.evidence = evidence;
        this.out = out;
        this.random = new Random(options.seed());
        this.drawn = options.only();
        this.stage = Stage.open(options.gpus(), options.faults(), this::outside);
        this.parties = new Parties(stage, evidence, options, this::engines);
        this.outages = new Outages(stage, random);
    }

    /** Returns the engines that can be asked now. */
    private List<EngineProcess> engines() {
        return replicas.stream().flatMap(replica -> replica.engine().stream()).toList();
    }

    /** A point between engine and chain: what comes there waits until the kill has struck. */
    private void outside(String point) {
        evidence.crossed(point);
        target.filter(standing -> armed.contains(point)).ifPresent(standing -> {
            standing.standsAt(point);
            standing.awaitEnd();
        });
    }

    void kill() throws Exception {
        Replica first = replica(0);
        prepare(first);
        parties.start();
        first.begin();
        if (options.points() > 0 && options.only().isEmpty()) {
            record(first);
        }
        int alone = options.replicas() == 1 ? options.kills() : (options.kills() + 1) / 2;
        int pointsAlone = options.replicas() == 1 ? CrashOptions.ALL : (wanted().size() + 1) / 2;
        while (randomKills < alone || (struck.size() < pointsAlone && isPointLeft())) {
            killOnce(first, randomKills >= alone);
        }
        if (options.replicas() > 1) {
            together();
        }
        drain();
    }

    private Replica replica(int number) throws IOException {
        var replica = new Replica(Stage.LOGS.get(number), stage, evidence, options.keep());
        replicas.add(replica);
        return replica;
    }

    /** The first life lists the gpus and ends in order, which leaves an archive of classes that later ones start from. */
    private void prepare(Replica first) throws Exception {
        first.begin();
        if (!(first.await().send("list").get(60, TimeUnit.SECONDS) instanceof EngineProcess.Reply.Acknowledged)) {
            throw new IOException("the gpus could not be listed");
        }
        out.printf(
                "%5d s  an engine runs, %d gpus are listed%n",
                Duration.between(begin, Instant.now()).toSeconds(),
                stage.settings.guests().size());
        first.stop();
    }

    /** A dry run: every course once, and nobody is killed. */
    private void record(Replica dry) throws Exception {
        Instant limit = Instant.now().plus(DRY_LIMIT);
        while (!parties.missing().isEmpty() && Instant.now().isBefore(limit)) {
            dry.stay(LOOK_MILLIS);
            progress(false);
        }
        out.printf(
                "%5d s  dry run: %d points recorded in %d rentals%n",
                Duration.between(begin, Instant.now()).toSeconds(),
                evidence.points().size(),
                parties.finished());
        if (isSample()) {
            drawn = draw(options.points(), Set.of());
        }
        dry.kill("the end of the dry run");
        dry.begin();
    }

    /** Whether some of the recorded points are to be struck, no matter which. */
    private boolean isSample() {
        return options.points() < CrashOptions.ALL && options.only().isEmpty();
    }

    private Set<String> draw(int most, Set<String> without) {
        var recorded = new ArrayList<>(evidence.points());
        recorded.removeAll(without);
        Collections.shuffle(recorded, random);
        return new TreeSet<>(recorded.subList(0, Math.min(most, recorded.size())));
    }

    /** Waits no longer for points of a sample that a whole life did not come to: others take their places. */
    private void redraw() {
        Set<String> rare = pending();
        drawn.removeAll(rare);
        var without = new TreeSet<>(struck);
        without.addAll(rare);
        drawn.addAll(draw(rare.size(), without));
    }

    /** One of two is killed, and the other goes on. */
    private void together() throws Exception {
        replica(1).begin();
        while (randomKills < options.kills() || isPointLeft()) {
            for (Replica each : replicas) {
                each.await();
            }
            Replica victim = replicas.get(random.nextInt(replicas.size()));
            killOnce(victim, randomKills >= options.kills());
        }
    }

    private void killOnce(Replica victim, boolean atPointOnly) throws Exception {
        // No outage meets a start, so the start comes first.
        victim.await();
        boolean dead = options.outages() && random.nextInt(OUTAGE_ONE_IN) == 0 && outages.one(victim);
        if (!dead) {
            victim.stay(LEAST_STAY_MILLIS + random.nextInt(MOST_STAY_MILLIS - LEAST_STAY_MILLIS));
            if (isPointLeft() && (atPointOnly || random.nextInt(3) != 0)) {
                strike(victim);
            } else {
                victim.stay(random.nextInt(MOST_RANDOM_MILLIS));
                victim.kill("a random instant");
                randomKills++;
            }
        }
        victim.begin();
        progress(false);
    }

    /** Returns the points that are to be struck, as far as they are known. */
    private Set<String> wanted() {
        return options.points() == CrashOptions.ALL ? evidence.points() : drawn;
    }

    private boolean isPointLeft() {
        return misses < MOST_MISSES && !pending().isEmpty();
    }

    private Set<String> pending() {
        var pending = new TreeSet<>(wanted());
        pending.removeAll(struck);
        return pending;
    }

    private void strike(Replica victim) throws Exception {
        EngineProcess now = victim.await();
        // Between engines and chain nobody knows whose call it is.
        Set<String> pending = pending().stream()
                .filter(point -> replicas.size() == 1 || !point.startsWith(ChainRelay.POINTS))
                .collect(Collectors.toSet());
        now.arm(pending);
        target = Optional.of(now);
        armed = pending;
        try {
            String point = now.point().get(POINT_SECONDS, TimeUnit.SECONDS);
            victim.kill(point);
            struck.add(point);
            misses = 0;
        } catch (TimeoutException e) {
            misses++;
            victim.kill("no armed point");
            if (isSample()) {
                redraw();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            armed = Set.of();
        }
    }

    private void drain() throws Exception {
        parties.stopBooking();
        Instant limit = Instant.now().plus(DRAIN_LIMIT);
        while (parties.open() > 0 && Instant.now().isBefore(limit)) {
            replicas.getFirst().stay(LOOK_MILLIS);
            progress(false);
        }
        progress(true);
        if (parties.open() > 0) {
            evidence.violation("%d gpus had rentals that were not over %s after the last kill"
                    .formatted(parties.open(), DRAIN_LIMIT));
        }
        if (options.faults().isEmpty() && !parties.missing().isEmpty()) {
            evidence.violation("no rental went these courses to their end: " + parties.missing());
        }
        for (Replica each : replicas) {
            each.stop();
        }
    }

    private void progress(boolean now) {
        if (now || Duration.between(told, Instant.now()).compareTo(PROGRESS) >= 0) {
            told = Instant.now();
            out.printf(
                    "%5d s  %d random kills, %d of %d points, %d rentals over, %d open, %d violations%n",
                    Duration.between(begin, told).toSeconds(),
                    randomKills,
                    struck.size(),
                    evidence.points().size(),
                    parties.finished(),
                    parties.open(),
                    evidence.violations().size());
        }
    }

    Checks check() throws Exception {
        var checks = new Checks();
        var database = new DatabaseCheck(stage.settings);
        database.check(checks, evidence);
        new ChainCheck(stage).check(checks, database.histories());
        new MachineCheck(stage, evidence, database.histories()).check(checks);
        new AuditCheck(stage).check(checks, database.histories(), evidence);
        checks.held("a renter whose rental is over is let in by no gateway", evidence.timesKeptOut());
        return checks;
    }

    Summary summary(Duration took) {
        return new Summary(
                options.seed(),
                evidence.kills(),
                struck,
                evidence.points().size(),
                List.copyOf(pending()),
                replicas.stream().mapToInt(Replica::lives).sum(),
                outages.count(),
                evidence.timesFundedInTheDark(),
                evidence.starts(),
                parties.ends(),
                parties.lived(),
                stage.seen.stream().filter(seen -> seen.change().up()).count(),
                evidence.acknowledged().size(),
                took);
    }

    Path folder() {
        return stage.folder;
    }

    void keep(boolean value) {
        keep = value;
    }

    @Override
    public void close() throws Exception {
        boolean interrupted = Thread.interrupted();
        parties.close();
        replicas.forEach(Replica::close);
        if (keep) {
            stage.end();
        } else {
            stage.close();
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
