package org.computehive.pricing;

import java.util.OptionalDouble;

/**
 * What a maker's document says of one gpu. Immutable.
 *
 * @param name the catalogue's name, such as {@code H100 SXM 80GB}
 * @param memoryGib nominal memory in GiB
 * @param bandwidthGbPerSecond memory bandwidth in GB/s
 * @param fp32Tflops single precision without tensor units, in TFLOPS
 * @param fp16TensorTflops half precision on tensor or matrix units, dense, in TFLOPS; empty where there are none
 * @param tdpWatts the board's power in W; empty where the maker gives a range
 * @param year the year it came out
 * @param segment who it is made for
 * @param source the title of the document the figures are from
 */
public record GpuFacts(
        String name,
        double memoryGib,
        double bandwidthGbPerSecond,
        double fp32Tflops,
        OptionalDouble fp16TensorTflops,
        OptionalDouble tdpWatts,
        int year,
        Segment segment,
        String source) {

    /** Who a gpu is made for. */
    public enum Segment {
        /** Servers. */
        DATA_CENTRE,
        /** Professional desktops. */
        WORKSTATION,
        /** Games. */
        CONSUMER
    }

    /** Returns the rate that learning runs at: tensor units where there are any, else single precision; in TFLOPS. */
    double computeTflops() {
        return fp16TensorTflops.orElse(fp32Tflops);
    }
}
