package org.computehive.server.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.computehive.server.platform.FolderTree;

/** A folder that only its owner reads and that is gone afterwards. */
record Scratch(Path folder) implements AutoCloseable {

    /** Makes one in memory where the system has such a place, so that no disk is measured. */
    static Scratch inMemory() throws IOException {
        Path memory = Path.of("/dev/shm");
        return make(Files.isWritable(memory) ? memory : Path.of(System.getProperty("java.io.tmpdir")));
    }

    /** Makes one where temporary files usually lie. */
    static Scratch onDisk() throws IOException {
        return make(Path.of(System.getProperty("java.io.tmpdir")));
    }

    private static Scratch make(Path parent) throws IOException {
        return new Scratch(Files.createTempDirectory(
                parent,
                "computehive-bench-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"))));
    }

    @Override
    public void close() throws IOException {
        FolderTree.delete(folder);
    }
}
