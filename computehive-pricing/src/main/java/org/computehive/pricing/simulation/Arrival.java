package org.computehive.pricing.simulation;

/**
 * Somebody who wants gpus. Immutable.
 *
 * @param hour when, in hours from the first arrival; 0 or more
 * @param hours for how long, over 0
 * @param gpus how many, 1 to 64
 */
public record Arrival(double hour, double hours, int gpus) {
    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException if one is out of range; the message names it
     */
    public Arrival {
        if (!(hour >= 0 && hour < 1e7)) {
            throw new IllegalArgumentException("arrival at hour %s is not 0 to 10^7".formatted(hour));
        }
        if (!(hours > 0 && hours < 1e6)) {
            throw new IllegalArgumentException("duration of %s hours is not over 0 and under 10^6".formatted(hours));
        }
        if (gpus < 1 || gpus > 64) {
            throw new IllegalArgumentException("%d gpus are not 1 to 64".formatted(gpus));
        }
    }
}
