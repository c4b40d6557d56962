package org.computehive.vm;

import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * How VMs use their host's processors, memory and disks. Where a host lacks what is asked for, starts fail and say so.
 *
 * @param lock whether guests' memory is kept from being written to a swap disk
 * @param hugePageKiB the size in KiB of the huge pages that guests' memory is made of, such as 2048 or 1048576; empty for
 *     ordinary pages. The host must have set enough of them aside
 * @param numaNode the one NUMA node that guests' memory comes from; empty for any
 * @param cpus the host's processors that are set aside for guests: each virtual processor has one of them to itself, and
 *     QEMU's other threads share those of its VM; empty for any processor, shared
 * @param disk the most that a session may ask of its disk
 */
public record Tuning(
        MemoryLock lock, OptionalInt hugePageKiB, OptionalInt numaNode, List<Integer> cpus, DiskLimits disk) {
    private static final int MOST_CPUS = 4_096;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if one is out of range or a processor is named twice
     */
    public Tuning {
        cpus = List.copyOf(cpus);
        hugePageKiB.ifPresent(size -> {
            if (size < 4 || Integer.bitCount(size) != 1) {
                throw new IllegalArgumentException(
                        "huge pages of %d KiB: a power of two is needed, such as 2048".formatted(size));
            }
        });
        numaNode.ifPresent(node -> {
            if (node < 0 || node > MOST_CPUS) {
                throw new IllegalArgumentException("NUMA node %d: 0 to %d are possible".formatted(node, MOST_CPUS));
            }
        });
        if (cpus.stream().anyMatch(cpu -> cpu < 0 || cpu > MOST_CPUS)
                || cpus.stream().distinct().count() < cpus.size()) {
            throw new IllegalArgumentException("processors %s: each from 0 to %d and once".formatted(cpus, MOST_CPUS));
        }
    }

    /** Returns: memory locked where the host swaps, ordinary pages of any node, any processor, no limit on the disk. */
    public static Tuning defaults() {
        return new Tuning(
                MemoryLock.WHERE_IT_SWAPS, OptionalInt.empty(), OptionalInt.empty(), List.of(), DiskLimits.none());
    }

    /** Returns the same with another lock. */
    public Tuning locking(MemoryLock other) {
        return new Tuning(other, hugePageKiB, numaNode, cpus, disk);
    }

    /** Returns the same with huge pages. */
    public Tuning withHugePages(int sizeKiB) {
        return new Tuning(lock, OptionalInt.of(sizeKiB), numaNode, cpus, disk);
    }

    /** Returns the same with memory of one NUMA node. */
    public Tuning onNode(int node) {
        return new Tuning(lock, hugePageKiB, OptionalInt.of(node), cpus, disk);
    }

    /** Returns the same with processors set aside. */
    public Tuning pinnedTo(List<Integer> hostCpus) {
        return new Tuning(lock, hugePageKiB, numaNode, hostCpus, disk);
    }

    /** Returns the same with limits on the disk. */
    public Tuning limiting(DiskLimits limits) {
        return new Tuning(lock, hugePageKiB, numaNode, cpus, limits);
    }

    /** Whether a guest's memory is locked, so that none of it is ever written to a swap disk. */
    public enum MemoryLock {
        /** Locked if the host swaps to a disk and this user may lock it; the VM's facts say whether it is. */
        WHERE_IT_SWAPS,
        /** Locked; where that isn't allowed, starts fail. */
        ALWAYS,
        /** Not locked. */
        NEVER
    }

    /**
     * The most that a session may ask of its disk; empty for no limit.
     *
     * @param bytesPerSecond read and written together
     * @param operationsPerSecond reads and writes together
     */
    public record DiskLimits(OptionalLong bytesPerSecond, OptionalLong operationsPerSecond) {
        /**
         * Checks the numbers.
         *
         * @throws IllegalArgumentException if one is not positive
         */
        public DiskLimits {
            for (OptionalLong limit : List.of(bytesPerSecond, operationsPerSecond)) {
                if (limit.isPresent() && limit.getAsLong() < 1) {
                    throw new IllegalArgumentException(
                            "a disk limit of %d a second: 1 is the least".formatted(limit.getAsLong()));
                }
            }
        }

        /** Returns no limits. */
        public static DiskLimits none() {
            return new DiskLimits(OptionalLong.empty(), OptionalLong.empty());
        }

        /** Returns limits on both. */
        public static DiskLimits of(long bytesPerSecond, long operationsPerSecond) {
            return new DiskLimits(OptionalLong.of(bytesPerSecond), OptionalLong.of(operationsPerSecond));
        }
    }
}
