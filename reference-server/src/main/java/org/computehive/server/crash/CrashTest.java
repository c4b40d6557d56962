package org.computehive.server.crash;

import java.io.PrintStream;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** {@code ./computehive crash-test}: kills an engine at every point and at random instants, and checks what is left. */
public final class CrashTest {
    private static final int HELD = 0;
    private static final int FAILED = 1;
    private static final int USAGE = 2;
    private static final int SHOWN = 4;
    private static final Duration CLEANING = Duration.ofSeconds(60);

    private final CrashOptions options;
    private final PrintStream out;

    private CrashTest(CrashOptions options, PrintStream out) {
        this.options = options;
        this.out = out;
    }

    /**
     * Runs the test; exits with 0 only if every check held, 1 if one did not, 2 if it can't be run as asked.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String[] arguments) {
        if (List.of(arguments).contains("--help")) {
            System.out.print(CrashOptions.USAGE);
            return;
        }
        CrashOptions options;
        try {
            options = CrashOptions.parse(List.of(arguments), new SecureRandom().nextInt(Integer.MAX_VALUE));
        } catch (CrashOptions.UsageException e) {
            System.err.println("crash-test: " + e.getMessage() + " (crash-test --help lists the options)");
            System.exit(USAGE);
            return;
        }
        Thread walker = Thread.currentThread();
        var unwound = new CountDownLatch(1);
        // Ctrl-C: the thread that started everything ends it.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            walker.interrupt();
            try {
                if (!unwound.await(CLEANING.toSeconds(), TimeUnit.SECONDS)) {
                    System.err.println("crash-test: cleaning up takes more than " + CLEANING);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        int exit = FAILED;
        try {
            exit = new CrashTest(options, System.out).run() ? HELD : FAILED;
        } finally {
            unwound.countDown();
        }
        System.exit(exit);
    }

    private boolean run() {
        Instant begin = Instant.now();
        out.printf(
                "crash-test: seed %d, %d random kills, %s points, %d replicas, %d gpus%s%s%n",
                options.seed(),
                options.kills(),
                options.points() == CrashOptions.ALL ? "all" : Integer.toString(options.points()),
                options.replicas(),
                options.gpus(),
                options.outages() ? ", outages" : "",
                options.faults().isEmpty() ? "" : ", faults " + Fault.names(options.faults()));
        var evidence = new Evidence();
        try (var run = new KillRun(options, evidence, out)) {
            run.kill();
            Checks checks = run.check();
            evidence.violations().forEach(violation -> checks.that("seen while it ran", false, violation));
            boolean held = print(run, evidence, checks, begin);
            run.keep(options.keep() || !held);
            return held;
        } catch (InterruptedException e) {
            out.println("crash-test: stopped; nothing is left running");
            return false;
        } catch (Exception e) {
            out.println("crash-test: " + Optional.ofNullable(e.getMessage()).orElse(e.toString()));
            e.printStackTrace();
            evidence.violations().stream().limit(SHOWN).forEach(violation -> out.println("VIOLATION  " + violation));
            return false;
        }
    }

    private boolean print(KillRun run, Evidence evidence, Checks checks, Instant begin) {
        out.println();
        checks.lines().forEach(line -> out.println("holds  " + line));
        out.println();
        run.summary(Duration.between(begin, Instant.now())).lines().forEach(out::println);
        if (checks.violations() == 0) {
            out.printf(
                    "%d checks held: no double start, payment or event; nothing acknowledged lost%n", checks.count());
            return true;
        }
        checks.byKind().forEach((kind, evidences) -> {
            out.printf("VIOLATION  %s (%d times)%n", kind, evidences.size());
            evidences.stream().limit(SHOWN).forEach(each -> out.println("           " + each));
        });
        evidence.kills().stream()
                .reduce((first, last) -> last)
                .ifPresent(last -> out.println("the last kill: " + last));
        out.printf(
                "%d violations (seed %d); the evidence stays in %s%n",
                checks.violations(), options.seed(), run.folder());
        return false;
    }
}
