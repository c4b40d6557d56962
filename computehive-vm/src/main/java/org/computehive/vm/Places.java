package org.computehive.vm;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where a host keeps what belongs to its sessions.
 *
 * @param journals on disk, this process's own: what was made for each session
 * @param disks on disk: the encrypted overlays
 * @param runtime in memory: seeds, keys on their way, consoles, copies of images
 * @param domainLogs where libvirt writes a log per domain
 * @param domainRun where libvirt writes the process number of each domain
 * @param account who guests run as
 * @param guestLabel the guests' user in libvirt's words, where libvirt is to run them as that user and to leave the
 *     owners of their files alone; empty where the daemon is that user itself
 * @param keysInMemory whether everything that libvirt keeps about a key lies in memory
 */
record Places(
        Path journals,
        Path disks,
        Path runtime,
        Path domainLogs,
        Path domainRun,
        Account account,
        Optional<String> guestLabel,
        boolean keysInMemory) {

    /** On disk, this process's own: which VMs the platform itself ended. */
    Path ended() {
        return journals.resolveSibling("ended");
    }

    /** On disk, this process's own: which guests were turned off from inside. */
    Path turnedOff() {
        return journals.resolveSibling("turned-off");
    }

    /** On disk, this process's own: what each passed-through device was before its first tenant. */
    Path fingerprints() {
        return journals.resolveSibling("gpus");
    }

    Path seeds() {
        return runtime.resolve("seeds");
    }

    Path consoles() {
        return runtime.resolve("consoles");
    }

    Path images() {
        return runtime.resolve("images");
    }
}
