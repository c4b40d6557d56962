package org.computehive.rental;

import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.computehive.market.MachineShape;

/**
 * Suggests a price. It advises; people decide: no code applies a suggestion.
 *
 * <p>Implementations are thread-safe, do no I/O in {@link #suggest}, and give the same suggestion for the same request.
 */
public interface PriceAdvisor {

    /**
     * Suggests a price for hardware.
     *
     * @throws IllegalArgumentException if the request makes no sense; the message names the value, the limit and the
     *     remedy
     */
    PriceSuggestion suggest(Request request);

    /**
     * What is to be priced.
     *
     * @param gpuModel what people call the gpu, such as {@code NVIDIA H100 SXM 80GB}, 1 to 120 characters
     * @param gpuCount how many, 1 to 64
     * @param gpuMemoryMiB each gpu's memory in MiB, if the lender states it
     * @param cpus virtual processors that come with it, 1 to 4,096
     * @param memoryMiB memory that comes with it in MiB, 1 to 67,108,864
     * @param utilisation the share of like gpus that are rented now, 0 to 1, if it is known
     * @param floor the least the lender accepts, in micro-USD per hour for all gpus, if there is one
     * @param ceiling the most, likewise
     */
    record Request(
            String gpuModel,
            int gpuCount,
            OptionalLong gpuMemoryMiB,
            int cpus,
            long memoryMiB,
            OptionalDouble utilisation,
            OptionalLong floor,
            OptionalLong ceiling) {

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
}
