package org.computehive.pricing;

import java.time.LocalDate;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * A price that a provider asked. Immutable.
 *
 * @param gpu the gpu
 * @param provider who asked it, in lower case
 * @param tier what kind of provider
 * @param gpuCount how many gpus came together, 1 to 64
 * @param cpus virtual processors for all of them, over 0, if known
 * @param memoryGib memory for all of them in GiB, over 0, if known
 * @param usdPerGpuHour the price of one gpu in USD per hour, over 0
 * @param day when
 * @param traits what else is said of the offer, such as {@code spot} or {@code community}; empty for a price on demand
 *     of which nothing else is known
 * @param offer what makes it one offer with other observations, such as all samples of one series; observations of one
 *     offer never stand on both sides of a split
 */
public record Observation(
        GpuFacts gpu,
        String provider,
        Tier tier,
        int gpuCount,
        OptionalDouble cpus,
        OptionalDouble memoryGib,
        double usdPerGpuHour,
        LocalDate day,
        Set<String> traits,
        String offer) {
    /**
     * Checks the figures and copies the traits.
     *
     * @throws IllegalArgumentException if one is out of range; the message names it
     */
    public Observation {
        traits = Set.copyOf(traits);
        if (provider.isBlank()) {
            throw new IllegalArgumentException("provider is blank: name one");
        }
        if (gpuCount < 1 || gpuCount > 64) {
            throw new IllegalArgumentException("gpu count %d is out of range: 1 to 64".formatted(gpuCount));
        }
        within("price per gpu-hour", usdPerGpuHour, .001, 1_000);
        cpus.ifPresent(value -> within("vCPUs", value, .1, 65_536));
        memoryGib.ifPresent(value -> within("memory in GiB", value, .1, 1_048_576));
    }

    private static void within(String what, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new IllegalArgumentException("%s %s is out of range: %s to %s".formatted(what, value, least, most));
        }
    }

    /** Says whether something is said of the offer. */
    boolean is(String trait) {
        return traits.contains(trait);
    }

    /** What kind of provider asked a price. */
    public enum Tier {
        /** One of the few that also sell everything else. */
        HYPERSCALER,
        /** All others: those a lender competes with. */
        INDEPENDENT
    }
}
