package org.computehive.vm;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.computehive.market.GuestPlatform;
import org.computehive.rental.HypervisorException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guest images of a host: a folder with one folder per image, each with a manifest that pins its files by SHA-256.
 *
 * <p>A manifest {@code image.properties} has {@code kernel}, {@code initrd} and optionally {@code base} (file names in
 * the same folder), each with its digest under {@code NAME.sha256}. The files are read and compared before every use.
 * Thread-safe; several processes may use one folder.
 */
public final class ImageCatalogue {
    private static final Logger LOG = LoggerFactory.getLogger(ImageCatalogue.class);
    static final String MANIFEST = "image.properties";
    private static final int MANIFEST_LIMIT = 8_192;
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");
    private static final Pattern FILE_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");

    private final Path folder;
    private final KernelVersions versions = new KernelVersions();

    private ImageCatalogue(Path folder) {
        this.folder = folder;
    }

    /**
     * Returns the catalogue in a folder. The folder need not exist yet.
     *
     * @param folder where the images lie
     */
    public static ImageCatalogue in(Path folder) {
        return new ImageCatalogue(folder.toAbsolutePath().normalize());
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
     * Reads an image and compares every file with its digest.
     *
     * @throws HypervisorException.Refused if there is no such image or a file is not what its manifest says
     */
    GuestImage verified(String name) {
        if (!LABEL.matcher(name).matches()) {
            throw refused("image name is not a label: use a-z, 0-9 and inner hyphens", null);
        }
        GuestImage image = declared(name);
        compare(name, image.kernel());
        compare(name, image.initrd());
        image.base().ifPresent(part -> compare(name, part));
        return image;
    }

    private GuestImage declared(String name) {
        Properties manifest = manifest(name, folder.resolve(name));
        return new GuestImage(
                name, part(name, manifest, "kernel"), part(name, manifest, "initrd"), base(name, manifest));
    }

    /** Returns what every image that can be read is made of, as its manifest says; its files are compared before each use. */
    Map<String, GuestPlatform.Image> platforms() {
        var platforms = new TreeMap<String, GuestPlatform.Image>();
        for (String name : names()) {
            try {
                GuestImage image = declared(name);
                var digests = new TreeMap<String, String>();
                digests.put("kernel", image.kernel().sha256());
                digests.put("initrd", image.initrd().sha256());
                image.base().ifPresent(base -> digests.put("base", base.sha256()));
                var software = new TreeMap<String, String>();
                versions.of(image.kernel().file()).ifPresent(version -> software.put("kernel", version));
                platforms.put(name, new GuestPlatform.Image(digests, software));
            } catch (HypervisorException.Refused e) {
                LOG.warn("image {} is left out: {}", name, e.getMessage());
            }
        }
        return platforms;
    }

    private Properties manifest(String name, Path at) {
        Path file = at.resolve(MANIFEST);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw refused(
                    "image %s is not in the catalogue %s, which has %s: build or copy it there"
                            .formatted(name, folder, names()),
                    null);
        }
        var manifest = new Properties();
        try {
            if (Files.size(file) > MANIFEST_LIMIT) {
                throw refused("manifest %s is larger than %d bytes".formatted(file, MANIFEST_LIMIT), null);
            }
            try (Reader reader = Files.newBufferedReader(file)) {
                manifest.load(reader);
            }
        } catch (IOException | IllegalArgumentException e) {
            throw refused("manifest %s can't be read".formatted(file), e);
        }
        return manifest;
    }

    private Optional<GuestImage.Part> base(String name, Properties manifest) {
        return manifest.getProperty("base") == null ? Optional.empty() : Optional.of(part(name, manifest, "base"));
    }

    private GuestImage.Part part(String name, Properties manifest, String role) {
        String file = manifest.getProperty(role, "");
        String digest = manifest.getProperty(role + ".sha256", "");
        if (!FILE_NAME.matcher(file).matches() || !SHA256.matcher(digest).matches()) {
            throw refused(
                    "manifest of image %s needs %s (a plain file name) and %s.sha256 (64 hexadecimal digits)"
                            .formatted(name, role, role),
                    null);
        }
        return new GuestImage.Part(folder.resolve(name).resolve(file), digest);
    }

    private static void compare(String name, GuestImage.Part part) {
        String actual;
        try {
            actual = sha256(part.file());
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
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        byte[] buffer = new byte[1 << 18];
        try (InputStream in = Files.newInputStream(file)) {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static HypervisorException.Refused refused(String message, @Nullable Throwable cause) {
        return new HypervisorException.Refused(message, cause);
    }
}
