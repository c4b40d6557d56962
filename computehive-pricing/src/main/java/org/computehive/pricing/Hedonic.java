package org.computehive.pricing;

import java.time.LocalDate;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A log-additive price: the logarithm of a gpu-hour's price is a sum of one term for each property of the hardware.
 *
 * <p>Coefficients of the hardware are not negative, so more never lowers a price, and those of the host's processors
 * and memory sum to less than one, so more gpus on one host are never cheaper together. Gpus and providers have effects
 * that are pooled: the fewer observations, the nearer to none (hedonic prices: S. Rosen, 1974). A gpu's effect is on
 * top of what its figures explain. Immutable.
 *
 * @param base the logarithm of the USD per hour of a gpu with all features zero, from an independent provider today
 * @param spec the coefficients of {@link #features}
 * @param cpu the coefficient of the logarithm of vCPUs per gpu over {@link #BASE_CPUS}
 * @param ram likewise of the memory per gpu over {@link #BASE_MEMORY_GIB}
 * @param hyperscaler what a hyperscaler adds
 * @param age what each year of age of the price adds
 * @param gpuEffects what each gpu adds, by catalogue name
 * @param providerEffects what each provider adds
 */
record Hedonic(
        double base,
        List<Double> spec,
        double cpu,
        double ram,
        double hyperscaler,
        double age,
        Map<String, Double> gpuEffects,
        Map<String, Double> providerEffects) {
    static final List<String> FEATURES = List.of("memory", "bandwidth", "compute", "year");
    static final double BASE_CPUS = 16;
    static final double BASE_MEMORY_GIB = 128;
    private static final int HOST_FEATURES = 4;
    /** Beyond these factors from the base host the data says nothing, so the price stays. */
    private static final double MOST_HOST_STEP = StrictMath.log(6);

    static double[] features(GpuFacts gpu) {
        return new double[] {
            StrictMath.log(gpu.memoryGib() / 80),
            StrictMath.log(gpu.bandwidthGbPerSecond() / 2000),
            StrictMath.log(gpu.computeTflops() / 312),
            (gpu.year() - 2020) / 5.
        };
    }

    static double cpuStep(double cpusPerGpu) {
        return Math.clamp(StrictMath.log(cpusPerGpu / BASE_CPUS), -MOST_HOST_STEP, MOST_HOST_STEP);
    }

    static double ramStep(double memoryGibPerGpu) {
        return Math.clamp(StrictMath.log(memoryGibPerGpu / BASE_MEMORY_GIB), -MOST_HOST_STEP, MOST_HOST_STEP);
    }

    /** Fits the coefficients to observations; {@code today} is the day at which a price has no age. */
    static Hedonic fit(List<Observation> rows, LocalDate today) {
        List<String> gpus =
                List.copyOf(new TreeSet<>(rows.stream().map(o -> o.gpu().name()).toList()));
        List<String> providers = List.copyOf(
                new TreeSet<>(rows.stream().map(Observation::provider).toList()));
        int spec = FEATURES.size();
        int firstGpu = 1 + spec + HOST_FEATURES;
        int firstProvider = firstGpu + gpus.size();
        int p = firstProvider + providers.size();
        double[][] x = new double[rows.size()][p];
        double[] y = new double[rows.size()];
        for (int i = 0; i < x.length; i++) {
            Observation row = rows.get(i);
            x[i][0] = 1;
            System.arraycopy(features(row.gpu()), 0, x[i], 1, spec);
            x[i][spec + 1] = cpuStepOf(row);
            x[i][spec + 2] = ramStepOf(row);
            x[i][spec + 3] = row.tier() == Observation.Tier.HYPERSCALER ? 1 : 0;
            x[i][spec + 4] = years(row, today);
            x[i][firstGpu + gpus.indexOf(row.gpu().name())] = 1;
            x[i][firstProvider + providers.indexOf(row.provider())] = 1;
            y[i] = StrictMath.log(row.usdPerGpuHour());
        }
        double[] penalty = new double[p];
        double[] least = new double[p];
        double[] most = new double[p];
        Arrays.fill(most, Double.POSITIVE_INFINITY);
        Arrays.fill(penalty, 1, firstGpu, .1);
        least[0] = Double.NEGATIVE_INFINITY;
        most[spec + 1] = HostEffect.MOST;
        most[spec + 2] = HostEffect.MOST;
        Arrays.fill(penalty, firstGpu, firstProvider, 1);
        Arrays.fill(penalty, firstProvider, p, .5);
        Arrays.fill(least, firstGpu, p, Double.NEGATIVE_INFINITY);
        double[] beta = new BoundedRidge(penalty, least, most).fit(x, y, weights(rows));
        return new Hedonic(
                beta[0],
                Arrays.stream(beta, 1, 1 + spec).boxed().toList(),
                beta[spec + 1],
                beta[spec + 2],
                beta[spec + 3],
                beta[spec + 4],
                named(gpus, beta, firstGpu),
                named(providers, beta, firstProvider));
    }

    /** Many machine types of one provider with one gpu say less than as many providers would. */
    static double[] weights(List<Observation> rows) {
        Map<String, Integer> cells = new TreeMap<>();
        rows.forEach(o -> cells.merge(o.provider() + "/" + o.gpu().name(), 1, Integer::sum));
        return rows.stream()
                .mapToDouble(o -> 1
                        / Math.sqrt(
                                cells.getOrDefault(o.provider() + "/" + o.gpu().name(), 1)))
                .toArray();
    }

    private static Map<String, Double> named(List<String> names, double[] beta, int first) {
        var map = new LinkedHashMap<String, Double>();
        for (int i = 0; i < names.size(); i++) {
            map.put(names.get(i), beta[first + i]);
        }
        return map;
    }

    private static double cpuStepOf(Observation row) {
        return row.cpus().isPresent() ? cpuStep(row.cpus().getAsDouble() / row.gpuCount()) : 0;
    }

    private static double ramStepOf(Observation row) {
        return row.memoryGib().isPresent() ? ramStep(row.memoryGib().getAsDouble() / row.gpuCount()) : 0;
    }

    private static double years(Observation row, LocalDate today) {
        return (today.toEpochDay() - row.day().toEpochDay()) / 365.25;
    }

    /** Returns the part of processors and memory. */
    HostEffect host() {
        return new HostEffect(cpu, ram);
    }

    /** Returns what everything but the gpu adds to an observation's logarithm. */
    double surroundings(Observation row, LocalDate today) {
        return cpu * cpuStepOf(row)
                + ram * ramStepOf(row)
                + (row.tier() == Observation.Tier.HYPERSCALER ? hyperscaler : 0)
                + age * years(row, today)
                + providerEffects.getOrDefault(row.provider(), 0.);
    }

    /** Returns the logarithm for a gpu on the base host, with its own effect where it was seen. */
    double gpuPart(GpuFacts gpu) {
        double sum = base + gpuEffects.getOrDefault(gpu.name(), 0.);
        double[] features = features(gpu);
        for (int j = 0; j < spec.size(); j++) {
            sum += spec.get(j) * features[j];
        }
        return sum;
    }
}
