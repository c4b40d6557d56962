package org.computehive.vm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.computehive.market.GuestPlatform;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guest images of a host: a folder with one folder per image, each with a manifest that pins its files by SHA-256.
 *
 * <p>A manifest {@code image.properties} has {@code kernel} and {@code initrd}, or {@code base}, or all three (file names in
 * the same folder; the base disk is in qcow2), each with its digest under {@code NAME.sha256}; {@code setup=cloud-init} for
 * stock cloud images; and {@code name}, where it is signed, with the signature beside it as {@code image.properties.sig}.
 * Signature and files are compared before every use; a base disk that has not changed since it was hashed is not read again
 * for a day. Thread-safe; several processes may use one folder.
 */
public final class ImageCatalogue {
    private static final Logger LOG = LoggerFactory.getLogger(ImageCatalogue.class);
    static final String MANIFEST = "image.properties";
    static final String SIGNATURE = MANIFEST + ".sig";
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

    private final Path folder;
    private final ImageRules rules;
    private final ImageCache cache;
    private final KernelVersions versions = new KernelVersions();
    private final VerifiedFiles large = new VerifiedFiles(InstantSource.system(), ImageCatalogue::sha256);

    private ImageCatalogue(Path folder, ImageRules rules) {
        this.folder = folder;
        this.rules = rules;
        this.cache = new ImageCache(folder, rules);
    }

    /**
     * Returns the catalogue in a folder, whose images need no signature. The folder need not exist yet.
     *
     * @param folder where the images lie
     */
    public static ImageCatalogue in(Path folder) {
        return in(folder, ImageRules.NONE);
    }

    /**
     * Returns the catalogue in a folder. The folder need not exist yet.
     *
     * @param folder where the images lie
     * @param rules who must have signed them, and their quota
     */
    public static ImageCatalogue in(Path folder, ImageRules rules) {
        return new ImageCatalogue(folder.toAbsolutePath().normalize(), rules);
    }

    /** Returns the folder where images are kept unless the caller says otherwise: {@code ~/.cache/computehive/images}. */
    public static Path defaultFolder() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path root = cache != null && cache.startsWith("/")
                ? Path.of(cache)
                : Path.of(System.getProperty("user.home"), ".cache");
        return root.resolve("computehive").resolve("images");
    }

    /** Returns the folder. */
    public Path folder() {
        return folder;
    }

    /** Returns the names of the images, sorted. */
    public List<String> names() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(entry -> Files.isRegularFile(entry.resolve(MANIFEST)))
                    .map(entry -> entry.getFileName().toString())
                    .filter(name -> LABEL.matcher(name).matches())
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new HypervisorException.Lacking("image folder %s can't be read".formatted(folder), e);
        }
    }

    /**
     * Copies an image into the catalogue, verified on its way; in the catalogue it is whole or not at all. One that is there
     * and has the same manifest stays as it is; another of that name is replaced, unless a session has it. To stay within
     * the quota, images that no session has go first, the least recently used before the others.
     *
     * @param name the image's name
     * @param source its files: the manifest, its signature where one is needed, and what the manifest names
     * @throws HypervisorException.Refused if it is not what its manifest says, or not signed as it must be; nothing is left
     * @throws HypervisorException.Lacking if it can't be read or there is no room for it; nothing is left
     */
    public void add(String name, ImageSource source) {
        cache.add(label(name), source);
    }

    /**
     * Reads an image and compares every file with its digest.
     *
     * @throws HypervisorException.Refused if there is no such image or a file is not what its manifest says
     */
    GuestImage verified(String name) {
        GuestImage image = declared(label(name));
        // A kernel is read in no time; a base disk of many GiB is not, and is only read again once it may have changed.
        var initrd = Aside.begin(() -> {
            image.initrd().ifPresent(part -> compare(name, part, ImageCatalogue::sha256));
            return true;
        });
        image.kernel().ifPresent(part -> compare(name, part, ImageCatalogue::sha256));
        initrd.await();
        image.base().ifPresent(part -> compare(name, part, large::sha256));
        image.base().ifPresent(base -> Qcow2.standAlone(base.file()));
        try {
            Files.setLastModifiedTime(folder.resolve(name).resolve(MANIFEST), FileTime.from(Instant.now()));
        } catch (IOException e) {
            LOG.debug("that image {} was used can't be noted: {}", name, e.getMessage());
        }
        return image;
    }

    /** Notes that a session has an image, until {@link #release}: it is not evicted meanwhile. */
    void hold(String name, String holder, RentalId id) {
        cache.hold(label(name), holder, id);
    }

    /** Notes that a session has no image any more. */
    void release(String holder, RentalId id) {
        cache.release(holder, id);
    }

    /** Forgets what a holder's sessions had that are no more. */
    void releaseAllBut(String holder, Collection<RentalId> sessions) {
        cache.releaseAllBut(holder, sessions);
    }

    private static String label(String name) {
        if (!LABEL.matcher(name).matches()) {
            throw refused("image name is not a label: use a-z, 0-9 and inner hyphens", null);
        }
        return name;
    }

    private GuestImage declared(String name) {
        Path at = folder.resolve(name);
        if (!Files.isRegularFile(at.resolve(MANIFEST), LinkOption.NOFOLLOW_LINKS)) {
            throw refused(
                    "image %s is not in the catalogue %s, which has %s: build or copy it there"
                            .formatted(name, folder, names()),
                    null);
        }
        byte[] manifest = small(at.resolve(MANIFEST));
        if (!rules.signers().isEmpty()) {
            Path signature = at.resolve(SIGNATURE);
            if (!Files.isRegularFile(signature, LinkOption.NOFOLLOW_LINKS)) {
                throw refused(
                        "image %s has no signature, and this host takes signed images only".formatted(name), null);
            }
            ImageManifest.checkSigned(name, manifest, small(signature), rules.signers());
        }
        return ImageManifest.parse(name, manifest).in(at);
    }

    private static byte[] small(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return small(file.toString(), in);
        } catch (IOException e) {
            throw refused("manifest %s can't be read".formatted(file), e);
        }
    }

    /** Reads a file that has at most {@link ImageManifest#LIMIT} bytes. */
    static byte[] small(String what, InputStream in) throws IOException {
        byte[] bytes = in.readNBytes(ImageManifest.LIMIT + 1);
        if (bytes.length > ImageManifest.LIMIT) {
            throw refused("manifest %s is larger than %d bytes".formatted(what, ImageManifest.LIMIT), null);
        }
        return bytes;
    }

    /** Returns what every image that can be read is made of, as its manifest says; its files are compared before each use. */
    Map<String, GuestPlatform.Image> platforms() {
        var platforms = new TreeMap<String, GuestPlatform.Image>();
        for (String name : names()) {
            try {
                GuestImage image = declared(name);
                var digests = new TreeMap<String, String>();
                image.parts().forEach((role, part) -> digests.put(role, part.sha256()));
                var software = new TreeMap<String, String>();
                image.kernel()
                        .flatMap(kernel -> versions.of(kernel.file()))
                        .ifPresent(version -> software.put("kernel", version));
                platforms.put(name, new GuestPlatform.Image(digests, software));
            } catch (HypervisorException.Refused e) {
                LOG.warn("image {} is left out: {}", name, e.getMessage());
            }
        }
        return platforms;
    }

    private static void compare(String name, GuestImage.Part part, VerifiedFiles.Hash hash) {
        String actual;
        try {
            actual = hash.of(part.file());
        } catch (IOException e) {
            throw refused("file %s of image %s can't be read".formatted(part.file(), name), e);
        }
        if (!actual.equals(part.sha256())) {
            throw refused(
                    "file %s of image %s has SHA-256 %s, its manifest says %s: it was changed or damaged; delete the folder %s and build or copy the image again"
                            .formatted(
                                    part.file().getFileName(),
                                    name,
                                    actual,
                                    part.sha256(),
                                    part.file().getParent()),
                    null);
        }
    }

    /** Returns the SHA-256 of a file, in hexadecimal. */
    static String sha256(Path file) throws IOException {
        MessageDigest digest = sha256();
        byte[] buffer = new byte[1 << 18];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static HypervisorException.Refused refused(String message, @Nullable Throwable cause) {
        return new HypervisorException.Refused(message, cause);
    }
}
