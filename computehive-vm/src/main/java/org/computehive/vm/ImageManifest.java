package org.computehive.vm;

import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Pattern;
import org.computehive.rental.HypervisorException;
import org.jspecify.annotations.Nullable;

/**
 * What an image is made of, as its manifest says.
 *
 * @param name the image's name
 * @param kernel the kernel's file, if it has one of its own
 * @param initrd the initial RAM disk's file
 * @param base the disk below the overlay
 * @param setUp how its guest is set up
 */
record ImageManifest(
        String name, Optional<Entry> kernel, Optional<Entry> initrd, Optional<Entry> base, GuestImage.SetUp setUp) {
    /** How many bytes a manifest may have. */
    static final int LIMIT = 8_192;
    /** The purpose that a signature must name. */
    static final String PURPOSE = "computehive-image";

    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    /**
     * A file.
     *
     * @param file its plain name
     * @param sha256 its digest, 64 hexadecimal digits
     */
    record Entry(String file, String sha256) {
        GuestImage.Part in(Path folder) {
            return new GuestImage.Part(folder.resolve(file), sha256);
        }
    }

    /**
     * Reads a manifest.
     *
     * @param name the name that its image is asked for by
     * @throws HypervisorException.Refused if it is malformed or that of an image of another name
     */
    static ImageManifest parse(String name, byte[] text) {
        var properties = new Properties();
        try {
            properties.load(new StringReader(new String(text, StandardCharsets.UTF_8)));
        } catch (IOException | IllegalArgumentException e) {
            throw refused("manifest of image %s can't be read".formatted(name), e);
        }
        if (!properties.getProperty("name", name).equals(name)) {
            throw refused(
                    "manifest of image %s is that of image %s: keep it in a folder of its own name"
                            .formatted(name, Printable.line(properties.getProperty("name", ""))),
                    null);
        }
        GuestImage.SetUp setUp = switch (properties.getProperty("setup", "firmware")) {
            case "firmware" -> GuestImage.SetUp.FIRMWARE;
            case "cloud-init" -> GuestImage.SetUp.CLOUD_INIT;
            default ->
                throw refused(
                        "manifest of image %s has an unknown setup: firmware or cloud-init".formatted(name), null);
        };
        Optional<Entry> base = optional(name, properties, "base");
        boolean bootsItself = base.isPresent()
                && properties.getProperty("kernel") == null
                && properties.getProperty("initrd") == null;
        if (bootsItself) {
            return new ImageManifest(name, Optional.empty(), Optional.empty(), base, setUp);
        }
        return new ImageManifest(
                name,
                Optional.of(entry(name, properties, "kernel")),
                Optional.of(entry(name, properties, "initrd")),
                base,
                setUp);
    }

    private static Optional<Entry> optional(String name, Properties properties, String role) {
        return properties.getProperty(role) == null ? Optional.empty() : Optional.of(entry(name, properties, role));
    }

    private static Entry entry(String name, Properties properties, String role) {
        String file = properties.getProperty(role, "");
        String digest = properties.getProperty(role + ".sha256", "");
        if (!FILE_NAME.matcher(file).matches() || !SHA256.matcher(digest).matches()) {
            throw refused(
                    "manifest of image %s needs %s (a plain file name) and %s.sha256 (64 hexadecimal digits)"
                            .formatted(name, role, role),
                    null);
        }
        return new Entry(file, digest);
    }

    /**
     * Checks that one of the signers signed a manifest and that it names its image, so that no signed image passes for
     * another.
     *
     * @throws HypervisorException.Refused if not
     */
    static void checkSigned(String name, byte[] manifest, byte[] signature, List<String> signers) {
        String text = new String(manifest, StandardCharsets.UTF_8);
        if (text.lines().noneMatch(("name=" + name)::equals)) {
            throw refused(
                    "manifest of image %s does not name it: a signed one needs the line name=%s".formatted(name, name),
                    null);
        }
        boolean signed;
        try {
            SshSignature found = SshSignature.parse(new String(signature, StandardCharsets.US_ASCII));
            signed = signers.stream().anyMatch(key -> found.verifies(SshSignature.publicKey(key), PURPOSE, manifest));
        } catch (IllegalArgumentException e) {
            throw refused("signature of image %s can't be read: %s".formatted(name, e.getMessage()), e);
        }
        if (!signed) {
            throw refused(
                    "manifest of image %s is not signed by any of the %d signers that this host trusts: sign it with ssh-keygen -Y sign -n %s"
                            .formatted(name, signers.size(), PURPOSE),
                    null);
        }
    }

    /** Returns all its files. */
    List<Entry> files() {
        var files = new ArrayList<Entry>();
        kernel.ifPresent(files::add);
        initrd.ifPresent(files::add);
        base.ifPresent(files::add);
        return files;
    }

    GuestImage in(Path folder) {
        return new GuestImage(
                name,
                kernel.map(entry -> entry.in(folder)),
                initrd.map(entry -> entry.in(folder)),
                base.map(entry -> entry.in(folder)),
                setUp);
    }

    private static HypervisorException.Refused refused(String message, @Nullable Throwable cause) {
        return new HypervisorException.Refused(message, cause);
    }
}
