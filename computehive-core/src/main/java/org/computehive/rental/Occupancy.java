package org.computehive.rental;

import java.util.Comparator;
import org.computehive.market.GpuId;
import org.computehive.schedule.Window;

/**
 * A gpu and a time in which one rental has it and nobody else may.
 *
 * @param gpu the device
 * @param window when, turnover included; in whole microseconds, the finest that every store tells apart
 */
public record Occupancy(GpuId gpu, Window window) {
    /**
     * By gpu, then by start: the one order in which stores take gpus, so that no two rentals wait for each other in a
     * circle.
     */
    public static final Comparator<Occupancy> ORDER = Comparator.comparing(
                    (Occupancy occupancy) -> occupancy.gpu().toString())
            .thenComparing(occupancy -> occupancy.window().start());

    /** Returns whether both are of one gpu at overlapping times. */
    public boolean overlaps(Occupancy other) {
        return gpu.equals(other.gpu) && window.overlaps(other.window);
    }
}
