package org.computehive.server.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.computehive.server.platform.LocalPlatform;
import org.computehive.vm.PrivateLibvirt;

/**
 * Where the server keeps what it knows: for this user alone, all in one folder.
 *
 * @param data the folder
 */
public record Folders(Path data) {

    /**
     * Makes the data folder where it is missing, and takes others' rights from it.
     *
     * <p>Where this process is root, QEMU runs as a user of its own, who must pass through the folder to its disks: then
     * others may pass, but list nothing; every file with a secret in it is readable for its owner alone.
     *
     * @throws ConfigurationException if it can't be made
     */
    static Folders open(ServerSettings settings) {
        Path data = settings.data()
                .map(Path::of)
                .orElseGet(() -> PrivateLibvirt.defaultState().resolve("server"))
                .toAbsolutePath()
                .normalize();
        boolean root = System.getProperty("user.name").equals("root");
        try {
            Files.createDirectories(data);
            Files.setPosixFilePermissions(data, PosixFilePermissions.fromString(root ? "rwx--x--x" : "rwx------"));
            Files.createDirectories(
                    data.resolve("tokens"),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new ConfigurationException(
                    "the data folder %s can't be made (%s): check rights and free space, or name another with --data"
                            .formatted(data, e.getMessage()),
                    e);
        }
        return new Folders(data);
    }

    LocalPlatform.Layout layout(ServerSettings settings) {
        LocalPlatform.Layout all = LocalPlatform.Layout.in(data);
        return settings.images()
                .map(images -> new LocalPlatform.Layout(
                        all.audit(),
                        all.calendar(),
                        all.keys(),
                        all.vms(),
                        Path.of(images).toAbsolutePath()))
                .orElse(all);
    }

    Path database() {
        return data.resolve("computehive.db");
    }

    Path chain() {
        return data.resolve("chain");
    }

    /** Returns the file that keeps how far an external chain was read. */
    Path chainEvents() {
        return data.resolve("chain-events");
    }

    /** Returns the file with the digests of the tokens that are accepted. */
    public Path tokenDigests() {
        return data.resolve("token-digests.json");
    }

    /** Returns the folder with a request header per role, written once, at the first start. */
    public Path tokens() {
        return data.resolve("tokens");
    }
}
