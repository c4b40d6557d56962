package org.computehive.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.attribute.UserPrincipalNotFoundException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.computehive.rental.HypervisorException;

/**
 * The user that guests run as.
 *
 * @param name its name
 * @param self whether this process is that user; otherwise this process is root
 */
record Account(String name, boolean self) {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Set<PosixFilePermission> PRIVATE_FOLDER = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> PRIVATE_FILE = PosixFilePermissions.fromString("rw-------");

    /** Returns whether this process is root. */
    static boolean root() {
        try {
            return Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"));
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /**
     * Returns this process's own user, or where that is root the system user {@code computehive}, made if it is missing.
     *
     * @throws HypervisorException.Lacking if it is missing and can't be made
     */
    static Account unprivileged() {
        if (!root()) {
            return new Account(System.getProperty("user.name"), true);
        }
        var account = new Account("computehive", false);
        if (!account.exists()) {
            var argv = List.of(
                    "useradd",
                    "--system",
                    "--user-group",
                    "--no-create-home",
                    "--home-dir",
                    "/nonexistent",
                    "--shell",
                    "/usr/sbin/nologin",
                    account.name);
            Tool.Outcome made = Tool.run(argv, LIMIT, "passwd");
            if (!made.succeeded() && !account.exists()) {
                throw new HypervisorException.Lacking(
                        "system user %s is missing and could not be made (%s): make it with useradd --system"
                                .formatted(account.name, made.lastLines()),
                        null);
            }
        }
        return account;
    }

    private boolean exists() {
        try {
            user();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private UserPrincipal user() throws IOException {
        return lookup().lookupPrincipalByName(name);
    }

    private static UserPrincipalLookupService lookup() {
        return Path.of("/").getFileSystem().getUserPrincipalLookupService();
    }

    /** Returns the arguments that run a program as this user. */
    List<String> as(List<String> argv) {
        if (self) {
            return argv;
        }
        var words = new ArrayList<>(List.of("runuser", "-u", name, "--"));
        words.addAll(argv);
        return List.copyOf(words);
    }

    /** Makes a folder that only this user (and root) can enter; keeps one that is there. */
    Path folder(Path path) throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PRIVATE_FOLDER));
        }
        Files.setPosixFilePermissions(path, PRIVATE_FOLDER);
        own(path);
        return path;
    }

    /** Writes a file that only this user (and root) can read. */
    Path file(Path path, byte[] content) throws IOException {
        Files.deleteIfExists(path);
        var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        // Written through the file that was made here, whatever lies at its path by then.
        try (SeekableByteChannel channel =
                Files.newByteChannel(path, options, PosixFilePermissions.asFileAttribute(PRIVATE_FILE))) {
            ByteBuffer bytes = ByteBuffer.wrap(content);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }
        own(path);
        return path;
    }

    /** Makes a folder of this process's own that this user may pass through but not change or list. */
    Path passage(Path path) throws IOException {
        if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(PRIVATE_FOLDER));
        }
        if (!self) {
            try {
                GroupPrincipal group = lookup().lookupPrincipalByGroupName(name);
                attributes(path).setGroup(group);
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx--x---"));
            } catch (UserPrincipalNotFoundException e) {
                // A user without a group of its own: all may pass, nobody may list.
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rwx--x--x"));
            }
        }
        return path;
    }

    private void own(Path path) throws IOException {
        if (!self) {
            attributes(path).setOwner(user());
        }
    }

    private static PosixFileAttributeView attributes(Path path) {
        return Files.getFileAttributeView(path, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS);
    }

    /** Returns whether everybody, and so this user, may pass through every folder down to a path. */
    boolean reaches(Path path) {
        if (self) {
            return true;
        }
        try {
            for (Path at = path.toRealPath(); at != null; at = at.getParent()) {
                PosixFilePermission needed =
                        Files.isDirectory(at) ? PosixFilePermission.OTHERS_EXECUTE : PosixFilePermission.OTHERS_READ;
                if (!Files.getPosixFilePermissions(at).contains(needed)) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
