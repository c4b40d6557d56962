package org.computehive.vm;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.market.Gpu;
import org.computehive.market.PciAddress;

/**
 * A gpu as its own host sees it: what the market need not know. Immutable and thread-safe.
 *
 * @param gpu what the market knows
 * @param functions the PCI functions that go into a VM with it, itself first: those of its IOMMU group and its card's
 *     sound and USB
 * @param driver what it is bound to now
 * @param numaNode the memory node it is next to
 * @param resetMethods how the host's kernel can reset it, the preferred one first, such as {@code flr, bus}; empty where
 *     the host's files can't be read from here
 * @param apertureMiB the largest window to its memory, in MiB, which may be smaller or larger than that memory; 0 where it
 *     is not known
 * @param obstacle why it can't be passed through; empty if it can
 */
public record HostGpu(
        Gpu gpu,
        List<PciAddress> functions,
        Optional<String> driver,
        OptionalInt numaNode,
        List<String> resetMethods,
        long apertureMiB,
        Optional<Obstacle> obstacle) {
    /** Copies the lists. */
    public HostGpu {
        functions = List.copyOf(functions);
        resetMethods = List.copyOf(resetMethods);
    }
}
