package org.computehive.market;

import java.util.Objects;

/**
 * The VM a listing comes with.
 *
 * @param cpus virtual processors, 1 to 512
 * @param memoryMiB memory in MiB, 128 to 16,777,216
 * @param diskMiB the encrypted overlay's size in MiB, 16 to 67,108,864
 * @param image the name of the guest image in the host's catalogue
 * @param network what its guest reaches
 */
public record MachineShape(int cpus, int memoryMiB, int diskMiB, String image, NetworkPolicy network) {
    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if a figure is out of range or the image's name is not a label
     */
    public MachineShape {
        range("cpus", cpus, 1, 512);
        range("memoryMiB", memoryMiB, 128, 16_777_216);
        range("diskMiB", diskMiB, 16, 67_108_864);
        Text.label("image", image);
        Objects.requireNonNull(network, "network");
    }

    /** Returns a shape whose guest reaches nothing. */
    public MachineShape(int cpus, int memoryMiB, int diskMiB, String image) {
        this(cpus, memoryMiB, diskMiB, image, NetworkPolicy.NONE);
    }

    /** Returns this shape under another network policy. */
    public MachineShape with(NetworkPolicy other) {
        return new MachineShape(cpus, memoryMiB, diskMiB, image, other);
    }

    private static void range(String what, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException("%s %d is out of range: %d to %d".formatted(what, value, least, most));
        }
    }
}
