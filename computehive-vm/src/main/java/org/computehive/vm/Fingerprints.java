package org.computehive.vm;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import org.computehive.market.PciAddress;

/** Keeps the fingerprint that each function had before its first tenant, a file for each. Thread-safe. */
final class Fingerprints {
    private static final int LIMIT = 64 << 10;

    private final Path folder;

    Fingerprints(Path folder) {
        this.folder = folder;
    }

    Path file(PciAddress at) {
        return folder.resolve(at.value().replace(':', '-') + ".properties");
    }

    /**
     * Returns what was first seen of a function.
     *
     * @throws IOException if it is there and can't be read
     */
    Optional<Fingerprint> first(PciAddress at) throws IOException {
        Path file = file(at);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        if (Files.size(file) > LIMIT) {
            throw new IOException("%s is over %d bytes: it is not ours".formatted(file, LIMIT));
        }
        var properties = new Properties();
        try {
            properties.load(new StringReader(Files.readString(file)));
        } catch (IllegalArgumentException e) {
            throw new IOException(file + " can't be read: " + e.getMessage(), e);
        }
        var parts = new TreeMap<String, String>();
        for (String name : properties.stringPropertyNames()) {
            parts.put(name, properties.getProperty(name));
        }
        return Optional.of(new Fingerprint(parts));
    }

    /** Keeps a fingerprint if none is kept yet, and returns how it differs from the one that is. */
    synchronized List<String> keepOrCompare(PciAddress at, Fingerprint now) throws IOException {
        Optional<Fingerprint> first = first(at);
        if (first.isPresent()) {
            return now.differences(first.get());
        }
        var properties = new Properties();
        properties.putAll(now.parts());
        var text = new StringWriter();
        properties.store(text, "What PCI function " + at + " was before its first tenant");
        Files.createDirectories(folder);
        Path draft = Files.writeString(folder.resolve(".draft"), text.toString());
        try (FileChannel channel = FileChannel.open(draft, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
        Files.move(draft, file(at), StandardCopyOption.ATOMIC_MOVE);
        return List.of();
    }
}
