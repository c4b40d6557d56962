package org.computehive.vm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts images into a catalogue's folder and takes them out: whole or not at all, within a quota, never one that a session
 * has. Changes wait for each other, across processes too.
 */
final class ImageCache {
    private static final Logger LOG = LoggerFactory.getLogger(ImageCache.class);
    private static final String ADDING = ".adding-";
    private static final String HELD = ".in-use";
    /** Held while an image is added, which may take minutes: one at a time. */
    private static final Turn ADDS = new Turn(".changing", new ReentrantLock());
    /** Held while it is looked up or noted what sessions have, and while images are taken out by that. */
    private static final Turn NOTES = new Turn(".noting", new ReentrantLock());

    private final Path folder;
    private final ImageRules rules;

    ImageCache(Path folder, ImageRules rules) {
        this.folder = folder;
        this.rules = rules;
    }

    private interface Change<T> {
        T make() throws IOException;
    }

    /** A process may lock a file once; its threads wait at a lock of their own. */
    private record Turn(String file, ReentrantLock threads) {}

    private <T> T locked(Turn turn, String what, Change<T> change) {
        turn.threads().lock();
        try {
            Files.createDirectories(folder);
            try (FileChannel channel = FileChannel.open(
                    folder.resolve(turn.file()), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.lock();
                return change.make();
            }
        } catch (IOException e) {
            throw new HypervisorException.Lacking(
                    "%s failed in %s (%s): %s are free there, check rights and free space"
                            .formatted(what, folder, e, RuntimeFolder.free(folder)),
                    e);
        } finally {
            turn.threads().unlock();
        }
    }

    void add(String name, ImageSource source) {
        locked(ADDS, "adding image " + name, () -> {
            sweep();
            byte[] manifest = read(name, ImageCatalogue.MANIFEST, source);
            ImageManifest image = ImageManifest.parse(name, manifest);
            byte[] signature = {};
            if (!rules.signers().isEmpty()) {
                signature = read(name, ImageCatalogue.SIGNATURE, source);
                ImageManifest.checkSigned(name, manifest, signature, rules.signers());
            }
            if (!present(name, manifest)) {
                Path fresh = Files.createTempDirectory(folder, ADDING);
                try {
                    copy(image, source, fresh, name);
                    image.base().ifPresent(base -> Qcow2.standAlone(fresh.resolve(base.file())));
                    write(fresh.resolve(ImageCatalogue.MANIFEST), manifest);
                    if (signature.length > 0) {
                        write(fresh.resolve(ImageCatalogue.SIGNATURE), signature);
                    }
                    Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rwxr-xr-x"));
                    locked(NOTES, "adding image " + name, () -> replace(name, fresh));
                } finally {
                    RuntimeFolder.delete(fresh);
                }
            }
            return name;
        });
    }

    /** Deletes what a process left that was killed while it added. */
    private void sweep() throws IOException {
        try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, ADDING + "*")) {
            for (Path path : left) {
                RuntimeFolder.delete(path);
            }
        }
    }

    private static byte[] read(String name, String file, ImageSource source) {
        try (InputStream in = source.open(file)) {
            return ImageCatalogue.small(file + " of image " + name, in);
        } catch (IOException e) {
            throw new HypervisorException.Refused(
                    "%s of image %s can't be read: %s".formatted(file, name, Printable.line(e.toString())), e);
        }
    }

    private boolean present(String name, byte[] manifest) throws IOException {
        Path file = folder.resolve(name).resolve(ImageCatalogue.MANIFEST);
        return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                && Arrays.equals(Files.readAllBytes(file), manifest);
    }

    /** Copies the image's files, and makes room as they grow; what doesn't fit or isn't what it should be ends it. */
    private void copy(ImageManifest image, ImageSource source, Path fresh, String name) throws IOException {
        long room = room(0, name);
        long written = 0;
        for (ImageManifest.Entry entry : image.files()) {
            MessageDigest digest = ImageCatalogue.sha256();
            try (InputStream in = source.open(entry.file());
                    FileChannel out = FileChannel.open(
                            fresh.resolve(entry.file()), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                byte[] buffer = new byte[1 << 18];
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    written += read;
                    if (written > room) {
                        room = room(written, name);
                    }
                    digest.update(buffer, 0, read);
                    var bytes = ByteBuffer.wrap(buffer, 0, read);
                    while (bytes.hasRemaining()) {
                        out.write(bytes);
                    }
                }
                out.force(true);
            }
            String actual = HexFormat.of().formatHex(digest.digest());
            if (!actual.equals(entry.sha256())) {
                throw new HypervisorException.Refused(
                        "file %s of image %s has SHA-256 %s, its manifest says %s: it was changed or damaged on its way"
                                .formatted(entry.file(), name, actual, entry.sha256()),
                        null);
            }
        }
    }

    private static void write(Path file, byte[] content) throws IOException {
        try (FileChannel out = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            out.write(ByteBuffer.wrap(content));
            out.force(true);
        }
    }

    /**
     * Evicts what no session has until an image of a size fits, the least recently used first.
     *
     * @return how large it may grow until this has to be asked again
     */
    private long room(long size, String name) {
        return locked(NOTES, "making room for image " + name, () -> makeRoom(size, name));
    }

    private long makeRoom(long size, String name) throws IOException {
        long quota = rules.quotaMiB() << 20;
        Set<String> held = held();
        List<Path> others = images().stream()
                .filter(image -> !image.getFileName().toString().equals(name))
                .sorted(Comparator.comparing(ImageCache::used))
                .toList();
        long used = 0;
        for (Path image : others) {
            used += size(image);
        }
        long inUse = 0;
        for (Path image : others) {
            inUse += held.contains(image.getFileName().toString()) ? size(image) : 0;
        }
        if (inUse + size > quota) {
            throw new HypervisorException.Lacking(
                    "image %s does not fit: it has over %d MiB, the quota is %d MiB, and sessions have %d MiB of images: raise the quota or end sessions"
                            .formatted(name, size >> 20, rules.quotaMiB(), inUse >> 20),
                    null);
        }
        for (Path image : others) {
            if (used + size > quota && !held.contains(image.getFileName().toString())) {
                used -= size(image);
                LOG.info("image {} is evicted: the quota is {} MiB", image.getFileName(), rules.quotaMiB());
                evict(image);
            }
        }
        return quota - used;
    }

    /** Takes an image away so that it is never seen in part. */
    private void evict(Path image) throws IOException {
        Path aside = Files.createTempDirectory(folder, ADDING);
        Files.move(image, aside.resolve("old"), StandardCopyOption.ATOMIC_MOVE);
        RuntimeFolder.delete(aside);
    }

    private Path replace(String name, Path fresh) throws IOException {
        Path at = folder.resolve(name);
        if (Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
            if (held().contains(name)) {
                throw new HypervisorException.Lacking(
                        "image %s can't be replaced while sessions have it: add it under another name or end them"
                                .formatted(name),
                        null);
            }
            evict(at);
        }
        Files.move(fresh, at, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
        return at;
    }

    private List<Path> images() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.isRegularFile(entry.resolve(ImageCatalogue.MANIFEST)))
                    .toList();
        }
    }

    private static long used(Path image) {
        try {
            return Files.getLastModifiedTime(image.resolve(ImageCatalogue.MANIFEST))
                    .toMillis();
        } catch (IOException e) {
            return 0;
        }
    }

    private static long size(Path image) throws IOException {
        long size = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(image)) {
            for (Path file : files) {
                size += Files.size(file);
            }
        }
        return size;
    }

    private Set<String> held() throws IOException {
        var names = new HashSet<String>();
        if (Files.isDirectory(folder.resolve(HELD))) {
            try (DirectoryStream<Path> notes = Files.newDirectoryStream(folder.resolve(HELD))) {
                for (Path note : notes) {
                    names.add(Files.readString(note, StandardCharsets.US_ASCII));
                }
            }
        }
        return names;
    }

    private Path note(String holder, RentalId id) {
        return folder.resolve(HELD).resolve(holder + "." + id.value());
    }

    void hold(String name, String holder, RentalId id) {
        if (!Files.isDirectory(folder.resolve(name)) || !Files.isWritable(folder)) {
            return; // nothing to evict, or nobody who could
        }
        locked(NOTES, "noting who uses image " + name, () -> {
            Files.createDirectories(folder.resolve(HELD));
            return Files.writeString(note(holder, id), name, StandardCharsets.US_ASCII);
        });
    }

    void release(String holder, RentalId id) {
        try {
            Files.deleteIfExists(note(holder, id));
        } catch (IOException e) {
            LOG.warn("that a session has no image any more could not be noted: {}", e.toString());
        }
    }

    void releaseAllBut(String holder, Collection<RentalId> sessions) {
        if (!Files.isDirectory(folder.resolve(HELD))) {
            return;
        }
        try (DirectoryStream<Path> notes = Files.newDirectoryStream(folder.resolve(HELD), holder + ".*")) {
            for (Path note : notes) {
                if (sessions.stream().noneMatch(id -> note.equals(note(holder, id)))) {
                    Files.deleteIfExists(note);
                }
            }
        } catch (IOException e) {
            LOG.warn("who uses which image could not be read: {}", e.toString());
        }
    }
}
