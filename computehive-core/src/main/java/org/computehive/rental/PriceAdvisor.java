package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.computehive.demand.BookingPattern;
import org.computehive.demand.DemandState;
import org.computehive.market.MachineShape;
import org.computehive.schedule.Window;

/**
 * Suggests a price. It advises; people decide: no code applies a suggestion.
 *
 * <p>Implementations are thread-safe, do no I/O in {@link #suggest}, and give the same suggestion for the same request.
 */
public interface PriceAdvisor {

    /**
     * Suggests a price for hardware, within the request's floor and ceiling.
     */
    PriceSuggestion suggest(Request request);

    /**
     * Returns the name of the class of gpus that a model's name means: names of one gpu give one class, and demand is measured
     * by it.
     *
     * @param gpuModel what people call a gpu
     */
    default String gpuClass(String gpuModel) {
        return gpuModel.strip().toLowerCase(Locale.ROOT);
    }

    /**
     * What is to be priced.
     *
     * @param gpuModel what people call the gpu, such as {@code NVIDIA H100 SXM 80GB}, 1 to 120 characters
     * @param gpuCount how many, 1 to 64
     * @param gpuMemoryMiB each gpu's memory in MiB, 1 to 4,194,304, if the lender states it
     * @param cpus virtual processors that come with it, 1 to 4,096
     * @param memoryMiB memory that comes with it in MiB, 1 to 67,108,864
     * @param utilisation the share of like gpus that are rented now, 0 to 1, if it is known
     * @param floor the least the lender accepts, in micro-USD per hour for all gpus, 0 to {@value #MOST_MICROS}, if there is one
     * @param ceiling the most, likewise, not under the floor
     * @param others other gpus of the same host that come with them, at most 16 models, 64 gpus with the first
     * @param demand what was measured of demand for gpus like the first; it counts instead of {@code utilisation}
     * @param slot the window that the price is for, if it is for one
     * @param own when the lender's own gpus are booked, if that is known
     */
    record Request(
            String gpuModel,
            int gpuCount,
            OptionalLong gpuMemoryMiB,
            int cpus,
            long memoryMiB,
            OptionalDouble utilisation,
            OptionalLong floor,
            OptionalLong ceiling,
            List<Lot> others,
            Optional<DemandState> demand,
            Optional<Slot> slot,
            Optional<BookingPattern> own) {

        /** No price, floor or ceiling is over it, in micro-USD per hour. */
        public static final long MOST_MICROS = 1_000_000_000_000L;

        /**
         * Copies the list and checks all.
         *
         * @throws IllegalArgumentException if the request makes no sense; the message names the value, the limit and the
         *     remedy
         */
        public Request {
            others = List.copyOf(others);
            RequestCheck.gpus(gpuModel, gpuCount, gpuMemoryMiB);
            RequestCheck.host(gpuCount, others, cpus, memoryMiB);
            RequestCheck.utilisation(utilisation);
            RequestCheck.limits(floor, ceiling);
        }

        /** Returns a request for gpus of one model, at any time, of which no demand was measured. */
        public Request(
                String gpuModel,
                int gpuCount,
                OptionalLong gpuMemoryMiB,
                int cpus,
                long memoryMiB,
                OptionalDouble utilisation,
                OptionalLong floor,
                OptionalLong ceiling) {
            this(
                    gpuModel,
                    gpuCount,
                    gpuMemoryMiB,
                    cpus,
                    memoryMiB,
                    utilisation,
                    floor,
                    ceiling,
                    List.of(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty());
        }

        /** Returns this request with other gpus of the same host. */
        public Request with(List<Lot> more) {
            return and(more, demand, slot, own);
        }

        /** Returns this request with measured demand. */
        public Request with(DemandState measured) {
            return and(others, Optional.of(measured), slot, own);
        }

        /** Returns this request for a window. */
        public Request with(Slot when) {
            return and(others, demand, Optional.of(when), own);
        }

        /** Returns this request with when the lender's own gpus are booked. */
        public Request with(BookingPattern bookings) {
            return and(others, demand, slot, Optional.of(bookings));
        }

        private Request and(
                List<Lot> more,
                Optional<DemandState> measured,
                Optional<Slot> when,
                Optional<BookingPattern> bookings) {
            return new Request(
                    gpuModel,
                    gpuCount,
                    gpuMemoryMiB,
                    cpus,
                    memoryMiB,
                    utilisation,
                    floor,
                    ceiling,
                    more,
                    measured,
                    when,
                    bookings);
        }

        /**
         * Returns a request for one gpu and the VM around it, with nothing else known and no limits.
         *
         * @param gpuModel what people call the gpu
         * @param shape the VM that comes with it
         */
        public static Request of(String gpuModel, MachineShape shape) {
            return new Request(
                    gpuModel,
                    1,
                    OptionalLong.empty(),
                    shape.cpus(),
                    shape.memoryMiB(),
                    OptionalDouble.empty(),
                    OptionalLong.empty(),
                    OptionalLong.empty());
        }
    }

    /**
     * Gpus of one model.
     *
     * @param gpuModel what people call it, 1 to 120 characters
     * @param gpuCount how many, 1 to 64
     * @param gpuMemoryMiB each one's memory in MiB, 1 to 4,194,304, if the lender states it
     */
    record Lot(String gpuModel, int gpuCount, OptionalLong gpuMemoryMiB) {
        /**
         * Checks the figures.
         *
         * @throws IllegalArgumentException if one is out of range; the message names it, the limit and the remedy
         */
        public Lot {
            RequestCheck.gpus(gpuModel, gpuCount, gpuMemoryMiB);
        }
    }

    /**
     * A window that is still free.
     *
     * @param asked when the price is asked for
     * @param window the window; it ends after {@code asked}, at most 3,660 days after
     */
    record Slot(Instant asked, Window window) {
        /**
         * Checks the window.
         *
         * @throws IllegalArgumentException if it is over, or too far ahead; the message names both and the remedy
         */
        public Slot {
            RequestCheck.slot(asked, window);
        }
    }
}
