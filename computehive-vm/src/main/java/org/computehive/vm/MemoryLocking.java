package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.computehive.rental.HypervisorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Decides whether guests' memory is locked: asked for by the tuning, allowed by the host. */
final class MemoryLocking {
    private static final Logger LOG = LoggerFactory.getLogger(MemoryLocking.class);
    /** What QEMU needs beside the guest's memory. */
    private static final long QEMU_MIB = 1_024;
    /** CAP_SYS_RESOURCE (capabilities(7)). */
    private static final long RAISE_LIMITS = 1L << 24;

    private MemoryLocking() {}

    /**
     * Decides.
     *
     * @param privileged whether libvirt may give QEMU any limit
     * @throws HypervisorException.Lacking if it must be locked and that isn't allowed
     */
    static boolean decide(Tuning.MemoryLock wanted, boolean privileged, int memoryMiB) {
        return switch (wanted) {
            case NEVER -> false;
            case ALWAYS -> {
                if (!allowed(privileged, memoryMiB)) {
                    throw new HypervisorException.Lacking(
                            "memory of %d MiB may not be locked: raise this user's limit (ulimit -l), run as root or don't ask for it"
                                    .formatted(memoryMiB),
                            null);
                }
                yield true;
            }
            case WHERE_IT_SWAPS -> swaps() && allowed(privileged, memoryMiB);
        };
    }

    /** Returns what is decided for a VM that needs next to nothing: what the host promises. */
    static boolean promised(Tuning.MemoryLock wanted, boolean privileged) {
        return wanted == Tuning.MemoryLock.ALWAYS || decide(wanted, privileged, 0);
    }

    private static boolean swaps() {
        try {
            return RuntimeFolder.swaps();
        } catch (IOException e) {
            LOG.warn("whether this host swaps can't be read: {}", e.getMessage());
            return true;
        }
    }

    /** A daemon that we start has the limit that we may give it, and gives it to QEMU. */
    static boolean allowed(boolean privileged, int memoryMiB) {
        if (privileged || mayRaise()) {
            return true;
        }
        try {
            return Files.readAllLines(Path.of("/proc/self/limits")).stream()
                    .filter(line -> line.startsWith("Max locked memory"))
                    .map(line -> line.split("\\s+")[4])
                    .anyMatch(hard -> hard.equals("unlimited") || Long.parseLong(hard) >> 20 >= memoryMiB + QEMU_MIB);
        } catch (IOException | RuntimeException e) {
            LOG.warn("the limit on locked memory can't be read: {}", e.getMessage());
            return false;
        }
    }

    /** Returns whether this process may raise limits: it has CAP_SYS_RESOURCE, which root lacks in some sandboxes. */
    static boolean mayRaise() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("CapEff:"))
                    .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                    .anyMatch(capabilities -> (capabilities & RAISE_LIMITS) != 0);
        } catch (IOException e) {
            LOG.warn("this process's capabilities can't be read: {}", e.getMessage());
            return false;
        }
    }
}
