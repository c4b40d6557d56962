package org.computehive.server.crash;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One life of the engine after the other, each ended by a kill, until all kills are done and every rental is over. */
final class KillRun implements AutoCloseable {
    private static final Duration DRY_LIMIT = Duration.ofSeconds(150);
    private static final Duration DRAIN_LIMIT = Duration.ofSeconds(240);
    private static final Duration PROGRESS = Duration.ofSeconds(15);
    private static final int POINT_SECONDS = 5;
    /** A point that was not crossed again in so many lives is rare; it is named at the end. */
    private static final int MOST_MISSES = 8;

    private static final int SHOWN_LOG = 12;

    private final CrashOptions options;
    private final Evidence evidence;
    private final PrintStream out;
    private final Random random;
    private final Stage stage;
    private final Parties parties;
    private final Outages outages;
    private final Set<String> struck = new TreeSet<>();
    private final List<Long> startMillis = new ArrayList<>();
    private final Instant begin = Instant.now();
    private volatile Set<String> armed = Set.of();
    private volatile Optional<EngineProcess> life = Optional.empty();
    private int lives;
    private int randomKills;
    private int misses;
    private Instant told = Instant.now();
    private boolean keep;

    KillRun(CrashOptions options, Evidence evidence, PrintStream out) throws Exception {
        this.options = options;
        this.evidence = evidence;
        this.out = out;
        this.random = new Random(options.seed());
        this.stage = Stage.open(options.gpus(), options.faults(), this::outside);
        this.parties = new Parties(stage, evidence, options.gpus(), options.seed());
        this.outages = new Outages(stage, random);
    }

    /** A point between engine and chain: what comes there waits until the kill has struck. */
    private void outside(String point) {
        evidence.crossed(point);
        life.filter(standing -> armed.contains(point)).ifPresent(standing -> {
            standing.standsAt(point);
            standing.awaitEnd();
        });
    }

    void kill() throws Exception {
        stage.settings.write(stage.folder.resolve("engine.properties"));
        prepare();
        parties.start();
        if (options.points() == CrashOptions.ALL) {
            record();
        }
        while (randomKills < options.kills() || (!pending().isEmpty() && misses < MOST_MISSES)) {
            EngineProcess now = begin();
            if (options.outages() && random.nextInt(4) == 0) {
                outages.one(now, evidence);
                if (!now.alive()) {
                    continue;
                }
            }
            // Rentals must get on between two kills.
            stay(now, 300 + random.nextInt(1_500));
            boolean atPoint = !pending().isEmpty()
                    && misses < MOST_MISSES
                    && (randomKills >= options.kills() || random.nextInt(3) != 0);
            if (atPoint) {
                strike(now);
            } else {
                int millis = random.nextInt(1_500);
                stay(now, millis);
                end(now, "a random instant");
                randomKills++;
            }
            progress(false);
        }
        drain();
    }

    /** The first life lists the gpus and ends in order, which leaves an archive of classes that later ones start from. */
    private void prepare() throws Exception {
        EngineProcess first = begin();
        if (!(first.send("list").get(60, TimeUnit.SECONDS) instanceof EngineProcess.Reply.Acknowledged)) {
            throw new IOException("the gpus could not be listed: " + tail(first));
        }
        first.stop();
    }

    /** A dry run: every course once, and nobody is killed. */
    private void record() throws Exception {
        EngineProcess dry = begin();
        Instant limit = Instant.now().plus(DRY_LIMIT);
        while (parties.lived().size() < Course.values().length && Instant.now().isBefore(limit)) {
            stay(dry, 200);
        }
        Set<String> points = evidence.points();
        out.printf("dry run: %d points recorded, %s lived%n", points.size(), parties.lived());
        if (parties.lived().size() < Course.values().length) {
            evidence.violation("in the dry run only these courses came to their end: " + parties.lived());
        }
        end(dry, "the end of the dry run");
    }

    private Set<String> pending() {
        if (struck.size() >= options.points()) {
            return Set.of();
        }
        var pending = new TreeSet<>(options.only().isEmpty() ? evidence.points() : options.only());
        pending.removeAll(struck);
        return pending;
    }

    private void strike(EngineProcess now) throws Exception {
        Set<String> pending = pending();
        now.arm(pending);
        armed = pending;
        try {
            String point = now.point().get(POINT_SECONDS, TimeUnit.SECONDS);
            end(now, point);
            struck.add(point);
            misses = 0;
        } catch (TimeoutException e) {
            misses++;
            end(now, "no armed point");
            randomKills++;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } finally {
            armed = Set.of();
        }
    }

    private EngineProcess begin() throws Exception {
        Instant asked = Instant.now();
        lives++;
        EngineProcess next = EngineProcess.start(
                EngineProcess.command(
                        stage.folder.resolve("classes.jsa"),
                        List.of(
                                stage.folder.resolve("engine.properties").toString(),
                                stage.lender.account().address())),
                stage.folder,
                lives,
                new EngineProcess.Listener(evidence::crossed, evidence::violation));
        life = Optional.of(next);
        if (!next.awaitReady()) {
            throw new IOException("the engine did not start: " + tail(next));
        }
        startMillis.add(Duration.between(asked, Instant.now()).toMillis());
        parties.talkTo(next);
        return next;
    }

    private void stay(EngineProcess now, long millis) throws Exception {
        if (now.endsWithin(Duration.ofMillis(millis))) {
            throw new IOException("the engine ended by itself: " + tail(now));
        }
    }

    private void end(EngineProcess now, String where) throws InterruptedException, IOException {
        evidence.killed(where);
        now.kill();
        if (evidence.violations().isEmpty() && !options.keep()) {
            Files.deleteIfExists(now.log());
        }
    }

    private void drain() throws Exception {
        parties.stopBooking();
        EngineProcess last = begin();
        Instant limit = Instant.now().plus(DRAIN_LIMIT);
        while (parties.open() > 0 && Instant.now().isBefore(limit)) {
            stay(last, 200);
            progress(false);
        }
        progress(true);
        last.stop();
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

    private static String tail(EngineProcess process) throws IOException {
        List<String> lines = Files.readAllLines(process.log());
        return String.join("\n", lines.subList(Math.max(0, lines.size() - SHOWN_LOG), lines.size()));
    }

    Checks check() throws Exception {
        var checks = new Checks();
        var database = new DatabaseCheck(stage.settings);
        database.check(checks, evidence);
        new ChainCheck(stage).check(checks, database.histories());
        new MachineCheck(stage, evidence, database.histories()).check(checks);
        new AuditCheck(stage).check(checks, database.histories());
        return checks;
    }

    String summary(Duration took) {
        Map<String, Integer> where = new HashMap<>();
        evidence.kills().forEach(kill -> where.merge(kill.where(), 1, Integer::sum));
        var missed = new TreeSet<>(evidence.points());
        missed.removeAll(struck);
        startMillis.sort(Long::compare);
        return """
                %d kills: %d at recorded points (%d of %d), %d at random instants; %d lives, %d outages
                restart to ready: median %d ms, most %d ms; %d rentals over, %d domains started, %d acknowledgements
                %stook %d s""".formatted(
                        evidence.kills().size(),
                        struck.size(),
                        struck.size(),
                        evidence.points().size(),
                        evidence.kills().size() - struck.size(),
                        lives,
                        outages.count(),
                        startMillis.get(startMillis.size() / 2),
                        startMillis.getLast(),
                        parties.finished(),
                        stage.seen.stream().filter(seen -> seen.change().up()).count(),
                        evidence.acknowledged().size(),
                        options.points() == CrashOptions.ALL && !missed.isEmpty()
                                ? "points not crossed again: " + missed + "\n"
                                : "",
                        took.toSeconds());
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
        life.filter(EngineProcess::alive).ifPresent(EngineProcess::discard);
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
