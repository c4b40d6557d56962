package org.computehive.vm;

import java.io.IOException;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Properties;
import java.util.UUID;
import java.util.stream.Stream;
import org.computehive.rental.RentalId;

/**
 * What was made for a session, written and forced to disk before the next step, so that a process that comes after
 * {@code kill -9} knows what to end. Holds no secret.
 *
 * @param id the rental
 * @param step how far it came
 * @param secret the libvirt secret that holds the disk's key
 * @param process QEMU's process number, once there is one
 */
record Journal(RentalId id, Step step, UUID secret, OptionalLong process) {
    private static final String SUFFIX = ".properties";

    /** How far a session came. */
    enum Step {
        /** Its disk is being made. */
        PREPARING,
        /** Its disk was made. */
        PREPARED,
        /** Its VM was made, paused. */
        CREATED,
        /** Its guest said that it is ready. */
        READY
    }

    Journal at(Step next) {
        return new Journal(id, next, secret, process);
    }

    private static Path file(Path folder, RentalId id) {
        return folder.resolve(id.value() + SUFFIX);
    }

    /** Writes it: whole or not at all, and on the disk when this returns. */
    void write(Path folder) throws IOException {
        String text = "step=%s\nsecret=%s\n%s"
                .formatted(step, secret, process.isPresent() ? "process=" + process.getAsLong() + "\n" : "");
        Path fresh = folder.resolve(id.value() + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
            channel.force(true);
        }
        Files.move(fresh, file(folder, id), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        force(folder);
    }

    /** Reads it; empty where there is none or a damaged one. */
    static Optional<Journal> read(Path folder, RentalId id) throws IOException {
        Path file = file(folder, id);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        var properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        }
        try {
            String process = properties.getProperty("process");
            return Optional.of(new Journal(
                    id,
                    Step.valueOf(properties.getProperty("step", "")),
                    UUID.fromString(properties.getProperty("secret", "")),
                    process == null ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(process))));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** Deletes it, and forces that to disk. */
    static boolean delete(Path folder, RentalId id) throws IOException {
        Files.deleteIfExists(folder.resolve(id.value() + ".new"));
        boolean deleted = Files.deleteIfExists(file(folder, id));
        if (deleted) {
            force(folder);
        }
        return deleted;
    }

    /** Returns the sessions that have one. */
    static List<RentalId> all(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.matches("[0-9a-hjkmnp-tv-z]{26}\\" + SUFFIX))
                    .map(name -> new RentalId(name.substring(0, name.length() - SUFFIX.length())))
                    .sorted()
                    .toList();
        }
    }

    private static void force(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
