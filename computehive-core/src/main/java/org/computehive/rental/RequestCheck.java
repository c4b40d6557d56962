package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.schedule.Window;

/** Says what makes no sense in a request for a price, whoever is asked. Stateless. */
final class RequestCheck {
    private static final int MOST_GPUS = 64;
    private static final int MOST_LOTS = 16;
    private static final int MOST_CPUS = 4_096;
    private static final long MOST_GPU_MEMORY_MIB = 4L << 20;
    private static final long MOST_MEMORY_MIB = 64L << 20;
    private static final Duration FARTHEST = Duration.ofDays(3_660);

    private RequestCheck() {}

    /**
     * Checks gpus of one model.
     *
     * @throws IllegalArgumentException if they make no sense; the message names the value, the limit and the remedy
     */
    static void gpus(String name, int count, OptionalLong memoryMiB) {
        if (name.isBlank() || name.length() > 120 || name.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "gpu model of %d characters must be 1 to 120 characters on one line: give the name its maker gives"
                            .formatted(name.length()));
        }
        within("gpu count", count, 1, MOST_GPUS, "split the listing");
        memoryMiB.ifPresent(mib -> within("gpu memory in MiB", mib, 1, MOST_GPU_MEMORY_MIB, "leave it out if unknown"));
    }

    /**
     * Checks when a price is for.
     *
     * @throws IllegalArgumentException likewise
     */
    static void slot(Instant asked, Window window) {
        if (!window.end().isAfter(asked)) {
            throw new IllegalArgumentException(
                    "window %s is over at %s: give one that is ahead".formatted(window, asked));
        }
        if (Duration.between(asked, window.end()).compareTo(FARTHEST) > 0) {
            throw new IllegalArgumentException(
                    "window %s is more than ten years after %s: give one that is nearer".formatted(window, asked));
        }
    }

    /**
     * Checks a host with all its gpus.
     *
     * @throws IllegalArgumentException likewise
     */
    static void host(int gpuCount, List<Lot> others, int cpus, long memoryMiB) {
        within("other gpu models", others.size(), 0, MOST_LOTS, "split the listing");
        int together = gpuCount + others.stream().mapToInt(Lot::gpuCount).sum();
        within("gpu count", together, 1, MOST_GPUS, "split the listing");
        within("cpus", cpus, 1, MOST_CPUS, "give those of the VM");
        within("memory in MiB", memoryMiB, 1, MOST_MEMORY_MIB, "give that of the VM");
    }

    /**
     * Checks a share of gpus.
     *
     * @throws IllegalArgumentException likewise
     */
    static void utilisation(OptionalDouble stated) {
        stated.ifPresent(share -> {
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException(
                        "utilisation %s is not 0 to 1: leave it out if unknown".formatted(share));
            }
        });
    }

    /**
     * Checks what a lender accepts.
     *
     * @throws IllegalArgumentException likewise
     */
    static void limits(OptionalLong floor, OptionalLong ceiling) {
        limit("floor", floor);
        limit("ceiling", ceiling);
        if (floor.isPresent() && ceiling.isPresent() && floor.getAsLong() > ceiling.getAsLong()) {
            throw new IllegalArgumentException("floor %d is over the ceiling %d micro-USD per hour: lower it"
                    .formatted(floor.getAsLong(), ceiling.getAsLong()));
        }
    }

    private static void limit(String what, OptionalLong micros) {
        micros.ifPresent(value ->
                within(what + " in micro-USD per hour", value, 0, Request.MOST_MICROS, "leave it out for no " + what));
    }

    private static void within(String what, long value, long least, long most, String remedy) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "%s %d is out of range: %d to %d; %s".formatted(what, value, least, most, remedy));
        }
    }
}
