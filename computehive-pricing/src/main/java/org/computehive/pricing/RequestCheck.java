package org.computehive.pricing;

import java.time.Duration;
import java.util.OptionalLong;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceAdvisor.Slot;

/** Says what makes no sense in a request for a price. Stateless. */
final class RequestCheck {
    /** No price is over it, in micro-USD per hour. */
    static final long MOST_MICROS = 1_000_000_000_000L;

    private static final int MOST_GPUS = 64;
    private static final int MOST_LOTS = 16;
    private static final long MOST_GPU_MEMORY_MIB = 4L << 20;
    private static final long MOST_MEMORY_MIB = 64L << 20;
    private static final Duration FARTHEST = Duration.ofDays(3_660);

    private RequestCheck() {}

    /**
     * Checks a request.
     *
     * @throws IllegalArgumentException if it makes no sense; the message names the value, the limit and the remedy
     */
    static void check(Request request) {
        lot(new Lot(request.gpuModel(), request.gpuCount(), request.gpuMemoryMiB()));
        within("other gpu models", request.others().size(), 0, MOST_LOTS, "split the listing");
        int gpus = request.gpuCount();
        for (Lot other : request.others()) {
            lot(other);
            gpus += other.gpuCount();
        }
        within("gpu count", gpus, 1, MOST_GPUS, "split the listing");
        within("cpus", request.cpus(), 1, 4_096, "give those of the VM");
        within("memory in MiB", request.memoryMiB(), 1, MOST_MEMORY_MIB, "give that of the VM");
        request.utilisation().ifPresent(share -> {
            if (!(share >= 0 && share <= 1)) {
                throw new IllegalArgumentException(
                        "utilisation %s is not 0 to 1: leave it out if unknown".formatted(share));
            }
        });
        request.slot().ifPresent(RequestCheck::slot);
        limit("floor", request.floor());
        limit("ceiling", request.ceiling());
        if (request.floor().isPresent()
                && request.ceiling().isPresent()
                && request.floor().getAsLong() > request.ceiling().getAsLong()) {
            throw new IllegalArgumentException("floor %d is over the ceiling %d micro-USD per hour: lower it"
                    .formatted(request.floor().getAsLong(), request.ceiling().getAsLong()));
        }
    }

    private static void lot(Lot lot) {
        String name = lot.gpuModel();
        if (name.isBlank() || name.length() > 120 || name.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "gpu model of %d characters must be 1 to 120 characters on one line: give the name its maker gives"
                            .formatted(name.length()));
        }
        within("gpu count", lot.gpuCount(), 1, MOST_GPUS, "split the listing");
        lot.gpuMemoryMiB()
                .ifPresent(mib -> within("gpu memory in MiB", mib, 1, MOST_GPU_MEMORY_MIB, "leave it out if unknown"));
    }

    private static void slot(Slot slot) {
        if (!slot.window().end().isAfter(slot.asked())) {
            throw new IllegalArgumentException(
                    "window %s is over at %s: give one that is ahead".formatted(slot.window(), slot.asked()));
        }
        if (Duration.between(slot.asked(), slot.window().end()).compareTo(FARTHEST) > 0) {
            throw new IllegalArgumentException("window %s is more than ten years after %s: give one that is nearer"
                    .formatted(slot.window(), slot.asked()));
        }
    }

    private static void limit(String what, OptionalLong micros) {
        micros.ifPresent(
                value -> within(what + " in micro-USD per hour", value, 0, MOST_MICROS, "leave it out for no " + what));
    }

    private static void within(String what, long value, long least, long most, String remedy) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(
                    "%s %d is out of range: %d to %d; %s".formatted(what, value, least, most, remedy));
        }
    }
}
