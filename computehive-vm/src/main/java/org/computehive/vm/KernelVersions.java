package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The versions of a catalogue's kernels. An ELF image is searched for its version, which takes tens of milliseconds, so each
 * file is read once, until its number, size or time of change is another. Thread-safe.
 */
final class KernelVersions {
    private final Map<Path, Known> known = new ConcurrentHashMap<>();

    private record Identity(@Nullable Object number, long size, FileTime changed) {}

    private record Known(Identity file, Optional<String> version) {}

    /** Returns what {@link KernelVersion} says of a file. */
    Optional<String> of(Path kernel) {
        Identity file;
        try {
            BasicFileAttributes attributes = Files.readAttributes(kernel, BasicFileAttributes.class);
            file = new Identity(attributes.fileKey(), attributes.size(), attributes.lastModifiedTime());
        } catch (IOException e) {
            known.remove(kernel);
            return Optional.empty();
        }
        Known before = known.get(kernel);
        if (before != null && before.file().equals(file)) {
            return before.version();
        }
        Optional<String> version = KernelVersion.of(kernel);
        known.put(kernel, new Known(file, version));
        return version;
    }
}
