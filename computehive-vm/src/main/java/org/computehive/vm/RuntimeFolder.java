package org.computehive.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SecureDirectoryStream;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.computehive.rental.HypervisorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Finds a folder in memory (tmpfs), where keys, seeds and libvirt's own state never reach a disk. */
final class RuntimeFolder {
    private static final Logger LOG = LoggerFactory.getLogger(RuntimeFolder.class);
    private static final Path OWN_MOUNT = Path.of("/run/computehive");

    private RuntimeFolder() {}

    /** Returns the places where a tmpfs is looked for, best first. */
    static List<Path> candidates(Account account) {
        var places = new ArrayList<Path>();
        String runtime = System.getenv("XDG_RUNTIME_DIR");
        if (account.self() && runtime != null && runtime.startsWith("/")) {
            places.add(Path.of(runtime));
        }
        places.addAll(List.of(OWN_MOUNT, Path.of("/run"), Path.of("/dev/shm"), Path.of("/tmp")));
        return places;
    }

    /**
     * Makes the folder that belongs to a state folder: always the same one, so that a later process finds what an
     * earlier one left.
     *
     * @throws HypervisorException.Lacking if no tmpfs can be written
     */
    static Path open(Path state, Account account, List<Path> candidates) {
        Path base = candidates.stream()
                .filter(place -> usable(place, account))
                .findFirst()
                .orElseGet(() -> mount(account, candidates));
        Path folder = base.resolve("ch-" + mark(state));
        try {
            if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
                checkOurs(folder);
            }
            return account.passage(folder);
        } catch (IOException e) {
            throw new HypervisorException.Lacking("folder %s can't be made: %s".formatted(folder, e.getMessage()), e);
        }
    }

    private static void checkOurs(Path folder) throws IOException {
        UserPrincipal owner = Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS);
        UserPrincipal us = Files.getOwner(Path.of("/proc/self"));
        if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS) || !owner.equals(us)) {
            throw new HypervisorException.Lacking(
                    "%s exists and belongs to %s: remove it, it may be a trap".formatted(folder, owner.getName()),
                    null);
        }
    }

    private static boolean usable(Path place, Account account) {
        return tmpfs(place) && Files.isWritable(place) && account.reaches(place);
    }

    /**
     * Returns whether a path lies in memory. Asked by the file's device, since several file systems may be mounted over
     * one another at the same path and only the last one holds it.
     */
    static boolean tmpfs(Path place) {
        try {
            if (!Files.isDirectory(place) || !(Files.getAttribute(place, "unix:dev") instanceof Long device)) {
                return false;
            }
            // Major and minor number as the C library packs them (makedev(3)).
            long major = (device >>> 8 & 0xfff) | (device >>> 32 & 0xfffff000L);
            long minor = (device & 0xff) | (device >>> 12 & 0xffffff00L);
            String mount = "\\S+ \\S+ %d:%d .* - (tmpfs|ramfs) .*".formatted(major, minor);
            return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream().anyMatch(line -> line.matches(mount));
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** Returns whether memory may be written to a disk: any swap but compressed memory counts, encrypted ones too. */
    static boolean swaps() throws IOException {
        return Files.readAllLines(Path.of("/proc/swaps")).stream()
                .skip(1)
                .anyMatch(line -> !line.isBlank() && !line.startsWith("/dev/zram"));
    }

    /** Returns how much room there is at a path, for a message. */
    static String free(Path place) {
        try {
            return (Files.getFileStore(place).getUsableSpace() >> 20) + " MiB";
        } catch (IOException e) {
            return "an unknown part";
        }
    }

    private static Path mount(Account account, List<Path> candidates) {
        if (!account.self() && candidates.contains(OWN_MOUNT)) {
            try {
                Files.createDirectories(OWN_MOUNT);
            } catch (IOException e) {
                throw lacking(candidates, e.toString());
            }
            var argv = List.of(
                    "mount",
                    "-t",
                    "tmpfs",
                    "-o",
                    "size=512m,mode=0711,nosuid,nodev,noexec",
                    "tmpfs",
                    OWN_MOUNT.toString());
            Tool.Outcome mounted = Tool.run(argv, Duration.ofSeconds(10), "mount");
            if (mounted.succeeded() && usable(OWN_MOUNT, account)) {
                return OWN_MOUNT;
            }
            throw lacking(candidates, mounted.lastLines());
        }
        throw lacking(candidates, "none is a tmpfs that can be written");
    }

    private static HypervisorException lacking(List<Path> candidates, String why) {
        return new HypervisorException.Lacking(
                "no folder in memory for keys and libvirt's state among %s (%s): mount a tmpfs there, such as"
                                .formatted(candidates, why)
                        + " mount -t tmpfs -o mode=0711 tmpfs /run/computehive",
                null);
    }

    /** Returns a short name for a path: ten hexadecimal digits. */
    static String mark(Path state) {
        try {
            byte[] digest =
                    MessageDigest.getInstance("SHA-256").digest(state.toString().getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 5);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /**
     * Deletes a folder with all that is in it; nothing happens if it isn't there. Follows no link, not even one that is
     * put there meanwhile: a guest's user may write some of these folders, and this process may be root.
     */
    static void delete(Path folder) throws IOException {
        Path parent = folder.toAbsolutePath().getParent();
        Path name = folder.getFileName();
        if (parent == null || name == null || !Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try (DirectoryStream<Path> inside = Files.newDirectoryStream(parent)) {
            if (!(inside instanceof SecureDirectoryStream<Path> secure)) {
                throw new IOException("folder %s can't be deleted safely on this file system".formatted(folder));
            }
            delete(secure, name);
        }
    }

    private static void delete(SecureDirectoryStream<Path> in, Path name) throws IOException {
        try {
            BasicFileAttributes attributes = in.getFileAttributeView(
                            name, BasicFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                    .readAttributes();
            if (attributes.isDirectory()) {
                empty(in, name);
                in.deleteDirectory(name);
            } else {
                in.deleteFile(name);
            }
        } catch (NoSuchFileException e) {
            LOG.debug("it left by itself, as a daemon's socket does: {}", name);
        }
    }

    private static void empty(SecureDirectoryStream<Path> in, Path name) throws IOException {
        try (SecureDirectoryStream<Path> inside = in.newDirectoryStream(name, LinkOption.NOFOLLOW_LINKS)) {
            var entries = new ArrayList<Path>();
            for (Path entry : inside) {
                entries.add(entry.getFileName());
            }
            for (Path entry : entries) {
                delete(inside, entry);
            }
        }
    }
}
