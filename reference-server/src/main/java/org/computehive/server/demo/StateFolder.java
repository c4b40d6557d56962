package org.computehive.server.demo;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import org.computehive.server.platform.FolderTree;

/**
 * Where a demo keeps what is nobody's artefact: keys, the chain node's files, the VMs' disks.
 *
 * <p>Always the same folder, so that a run finds and ends what one before it left when it was killed; one run at a time
 * uses it. Nothing of it is left when it is closed.
 */
final class StateFolder implements AutoCloseable {
    private static final String LOCK = "demo.lock";

    private final Path folder;
    private final Optional<Path> made;
    private final FileChannel lock;

    private StateFolder(Path folder, Optional<Path> made, FileChannel lock) {
        this.folder = folder;
        this.made = made;
        this.lock = lock;
    }

    /**
     * Opens it in another folder, without the keys and chain of a run that was killed.
     *
     * @throws DemoFailure if it can't be written, or another demo uses it
     */
    static StateFolder in(Path parent) {
        Path folder = parent.resolve("demo");
        try {
            Optional<Path> made = Files.exists(parent) ? Optional.empty() : Optional.of(parent);
            Files.createDirectories(folder);
            FileChannel lock =
                    FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (lock.tryLock() == null) {
                lock.close();
                throw new DemoFailure("another demo runs and uses %s: wait for it, or give this one another --state"
                        .formatted(folder));
            }
            var state = new StateFolder(folder, made, lock);
            FolderTree.delete(state.keys());
            FolderTree.delete(state.chain());
            FolderTree.delete(state.witnesses());
            Files.createDirectory(
                    state.chain(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            return state;
        } catch (IOException e) {
            throw new DemoFailure("the state folder can't be used (%s): give one that you may write with --state"
                    .formatted(Complaint.of(e)));
        }
    }

    /** For the platform's keys. */
    Path keys() {
        return folder.resolve("keys");
    }

    /** For the chain node's files. */
    Path chain() {
        return folder.resolve("chain");
    }

    /** For what each witness remembers. */
    Path witnesses() {
        return folder.resolve("witnesses");
    }

    /** Returns whether a run before this one left VMs or their disks. */
    boolean hasVms() {
        return Files.exists(vms());
    }

    /** For libvirt's state and the VMs' disks. */
    Path vms() {
        return folder.resolve("vms");
    }

    @Override
    public void close() throws IOException {
        try (lock) {
            FolderTree.delete(folder);
            if (made.isPresent()) {
                Files.delete(made.get());
            }
        }
    }
}
