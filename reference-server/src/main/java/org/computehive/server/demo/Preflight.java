package org.computehive.server.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/** Looks at what the demo was given before anything is started. */
final class Preflight {
    private static final long NEEDED_MIB = 16;

    private Preflight() {}

    /**
     * Makes the artefacts' folder.
     *
     * @throws DemoFailure if the demo can't be run like this; the message says what to change
     */
    static void check(DemoOptions options) {
        options.publicKey().ifPresent(OwnKey::read);
        Path folder = options.folder();
        try {
            if (Files.isDirectory(folder) && !isEmpty(folder)) {
                throw new DemoFailure(
                        "--folder %s is not empty: give a new one, or remove what is left of an earlier demo in it"
                                .formatted(folder));
            }
            Files.createDirectories(folder);
            long free = Files.getFileStore(folder).getUsableSpace() >> 20;
            if (free < NEEDED_MIB) {
                throw new DemoFailure("--folder %s has %d MiB free, the demo needs %d: free space or give another"
                        .formatted(folder, free, NEEDED_MIB));
            }
            Files.delete(Files.createTempFile(folder, "may-write", null));
        } catch (IOException e) {
            throw new DemoFailure(
                    "--folder can't be used (%s): give one that you may write".formatted(Complaint.of(e)));
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.findAny().isEmpty();
        }
    }
}
