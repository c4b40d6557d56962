package org.computehive.market;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * One physical device of a host, or the emulated display device that stands in where a host has none.
 *
 * @param address where it sits on its host
 * @param vendorId the PCI vendor, such as {@code 10de}
 * @param deviceId the PCI device, such as {@code 2330}
 * @param model what people call it, 1 to 120 characters
 * @param memoryMiB its own memory in MiB; 0 where it is not known
 * @param iommuGroup the IOMMU group, where the host has an IOMMU
 * @param emulated whether it is an emulated stand-in; shown as such everywhere
 * @param unavailable why it can't be passed through now; empty if it can
 */
public record Gpu(
        PciAddress address,
        String vendorId,
        String deviceId,
        String model,
        int memoryMiB,
        OptionalInt iommuGroup,
        boolean emulated,
        Optional<String> unavailable) {
    /**
     * Checks the texts.
     *
     * @throws IllegalArgumentException if an id is not four hexadecimal digits or the model is not a short line
     */
    public Gpu {
        if (!vendorId.matches("[0-9a-f]{4}") || !deviceId.matches("[0-9a-f]{4}")) {
            throw new IllegalArgumentException("PCI id %s is not four and four hexadecimal digits"
                    .formatted(Text.quote(vendorId + ":" + deviceId)));
        }
        Text.line("gpu model", model, 120);
        if (memoryMiB < 0) {
            throw new IllegalArgumentException("gpu memory %d MiB is negative".formatted(memoryMiB));
        }
    }
}
