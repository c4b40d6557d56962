package org.computehive.server.bench;

import java.io.PrintStream;
import java.util.List;
import java.util.Optional;

/**
 * {@code ./computehive bench NAME [OPTION...]}: runs one benchmark. Progress goes to standard error; standard output ends with one line
 * of JSON for each {@link Figure}.
 */
public final class Bench {
    private static final int OK = 0;
    private static final int FAILED = 1;
    private static final int USAGE = 2;

    private final List<Benchmark> benchmarks;
    private final PrintStream out;
    private final PrintStream err;

    Bench(List<Benchmark> benchmarks, PrintStream out, PrintStream err) {
        this.benchmarks = List.copyOf(benchmarks);
        this.out = out;
        this.err = err;
    }

    /**
     * Runs the benchmark that is named. Exits with 0 once it was measured, whether or not a goal was met, 1 if it could not
     * be, 2 for a name or an option that there is not.
     *
     * @param arguments the benchmark's name and its options
     */
    public static void main(String[] arguments) {
        System.setProperty("logback.configurationFile", "logback-bench.xml");
        var bench = new Bench(
                List.of(
                        new ServeStart(),
                        new DemoSteps(),
                        new VmStart(),
                        new Certificates(),
                        new GatewayTraffic(),
                        new KillLatency(),
                        new AuditAppends(),
                        new Bookings(),
                        new TimerLateness(),
                        new SearchIndex(),
                        new Sends(),
                        new Quotes(),
                        new Gas()),
                System.out,
                System.err);
        System.exit(bench.run(List.of(arguments)));
    }

    int run(List<String> arguments) {
        Optional<Benchmark> named = !arguments.isEmpty()
                ? benchmarks.stream()
                        .filter(benchmark -> benchmark.name().equals(arguments.getFirst()))
                        .findFirst()
                : Optional.empty();
        if (named.isEmpty()) {
            err.println(
                    arguments.isEmpty() ? "bench: which one?" : "bench: there is none named " + arguments.getFirst());
            benchmarks.forEach(benchmark -> err.printf("  %-16s %s%n", benchmark.name(), benchmark.about()));
            return USAGE;
        }
        try {
            return run(named.get().with(arguments.subList(1, arguments.size())));
        } catch (IllegalArgumentException e) {
            err.printf("bench %s: %s%n", named.get().name(), e.getMessage());
            return USAGE;
        }
    }

    private int run(Benchmark benchmark) {
        List<Figure> figures;
        try {
            err.printf("bench %s: %s%n", benchmark.name(), benchmark.about());
            figures = benchmark.run(line -> err.println("  " + line));
        } catch (Exception e) {
            err.printf("bench %s could not be measured: %s%n", benchmark.name(), e.getMessage());
            if (Boolean.getBoolean("computehive.debug")) {
                e.printStackTrace(err);
            }
            return FAILED;
        }
        err.flush();
        figures.forEach(figure -> out.println(figure.json()));
        out.flush();
        return OK;
    }
}
