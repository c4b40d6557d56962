package org.computehive.pricing;

/**
 * What the host around a gpu adds to the logarithm of its price.
 *
 * <p>Neither coefficient is negative, so more never lowers a price, and they sum to less than one, so more gpus on one
 * host are never cheaper together. Immutable.
 *
 * @param cpu the coefficient of the logarithm of vCPUs per gpu over {@link Hedonic#BASE_CPUS}, 0 to {@value #MOST}
 * @param ram likewise of the memory per gpu over {@link Hedonic#BASE_MEMORY_GIB}
 */
record HostEffect(double cpu, double ram) {
    /** The most that each may be. */
    static final double MOST = .45;

    HostEffect {
        if (!(cpu >= 0 && cpu <= MOST && ram >= 0 && ram <= MOST)) {
            throw new IllegalArgumentException(
                    "coefficients of vCPUs and memory %s and %s are not 0 to %s".formatted(cpu, ram, MOST));
        }
    }

    /** Returns what an offer's host adds; nothing where the offer doesn't tell it. */
    double of(Observation row) {
        double sum = 0;
        if (row.cpus().isPresent()) {
            sum += cpu * Hedonic.cpuStep(row.cpus().getAsDouble() / row.gpuCount());
        }
        if (row.memoryGib().isPresent()) {
            sum += ram * Hedonic.ramStep(row.memoryGib().getAsDouble() / row.gpuCount());
        }
        return sum;
    }
}
