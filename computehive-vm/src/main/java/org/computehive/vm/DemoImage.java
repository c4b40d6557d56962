package org.computehive.vm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.computehive.rental.HypervisorException;

/**
 * The small demo guest: Debian's cloud kernel, busybox, OpenSSH with certificates only, {@code lspci}; the renter's home
 * lies on the encrypted disk.
 *
 * <p>It is built from Debian packages with the machine's own apt sources; the same packages give the same bytes. Building
 * needs the Debian packages mmdebstrap and cpio; where it isn't root, also user namespaces (package uidmap).
 */
public final class DemoImage {
    /** Its name in the catalogue. */
    public static final String NAME = "demo";

    private static final List<String> GUEST_FILES = List.of("init", "sshd_config");
    private static final String SCRIPT = "build.sh";
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final Path APT = Path.of("/etc/apt");
    private static final ReentrantLock BUILDING = new ReentrantLock();

    private DemoImage() {}

    /**
     * Returns a catalogue that has the demo image, building it if it isn't there or was built by other instructions.
     *
     * @param folder where images are kept, such as {@link ImageCatalogue#defaultFolder()}
     * @param progress gets a line per step of a build; nothing where it is there already
     * @throws HypervisorException.Lacking if it can't be built; the folder is as it was then
     */
    public static ImageCatalogue ensure(Path folder, Consumer<String> progress) {
        ImageCatalogue catalogue = ImageCatalogue.in(folder);
        BUILDING.lock();
        try {
            Files.createDirectories(catalogue.folder());
            try (FileChannel channel = FileChannel.open(
                    catalogue.folder().resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.lock();
                String recipe = recipe();
                if (!current(catalogue.folder().resolve(NAME), recipe)) {
                    build(catalogue.folder(), recipe, progress);
                }
            }
            return catalogue;
        } catch (IOException e) {
            throw new HypervisorException.Lacking(
                    "demo image can't be kept in %s (%s): about 600 MiB are needed while it is built, 75 MiB after"
                            .formatted(folder, e),
                    e);
        } finally {
            BUILDING.unlock();
        }
    }

    private static boolean current(Path at, String recipe) throws IOException {
        Path file = at.resolve(ImageCatalogue.MANIFEST);
        if (!Files.isRegularFile(file)) {
            return false;
        }
        var manifest = new Properties();
        try (var reader = Files.newBufferedReader(file)) {
            manifest.load(reader);
        }
        return recipe.equals(manifest.getProperty("recipe.sha256"));
    }

    private static void build(Path folder, String recipe, Consumer<String> progress) throws IOException {
        Path work = Files.createTempDirectory(folder, ".building-");
        try {
            Path guest = Files.createDirectory(work.resolve("guest"));
            for (String name : GUEST_FILES) {
                Files.write(guest.resolve(name), resource(name));
            }
            Path script = Files.write(work.resolve(SCRIPT), resource(SCRIPT));
            Path out = Files.createDirectory(work.resolve("out"));
            var argv = new ArrayList<>(List.of("sh", script.toString(), out.toString(), guest.toString()));
            argv.addAll(sources());
            Tool.Outcome outcome =
                    Tool.run(argv, Map.of("TMPDIR", work.toString()), LIMIT, "dash", line -> report(line, progress));
            if (!outcome.succeeded()) {
                throw new HypervisorException.Lacking(
                        "demo image could not be built (exit %d): install the Debian packages mmdebstrap and cpio, and uidmap where you are not root; the last lines:%n%s"
                                .formatted(outcome.exit(), outcome.lastLines()),
                        null);
            }
            String manifest = "kernel=kernel\nkernel.sha256=%s\ninitrd=initrd\ninitrd.sha256=%s\nrecipe.sha256=%s\n"
                    .formatted(
                            ImageCatalogue.sha256(out.resolve("kernel")),
                            ImageCatalogue.sha256(out.resolve("initrd")),
                            recipe);
            Files.writeString(out.resolve(ImageCatalogue.MANIFEST), manifest);
            Files.setPosixFilePermissions(out, PosixFilePermissions.fromString("rwxr-xr-x"));
            RuntimeFolder.delete(folder.resolve(NAME));
            Files.move(out, folder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
        } finally {
            RuntimeFolder.delete(work);
        }
    }

    private static void report(String line, Consumer<String> progress) {
        String prefix = "step: ";
        if (line.startsWith(prefix)) {
            progress.accept(line.substring(prefix.length()));
        }
    }

    /** Returns the apt source files to build from: Debian's own where they are apart, else all. */
    static List<String> sources() throws IOException {
        Path debian = APT.resolve("sources.list.d/debian.sources");
        if (Files.isRegularFile(debian)) {
            return List.of(debian.toString());
        }
        var found = new ArrayList<String>();
        if (Files.isRegularFile(APT.resolve("sources.list"))) {
            found.add(APT.resolve("sources.list").toString());
        }
        if (found.isEmpty() && Files.isDirectory(APT.resolve("sources.list.d"))) {
            try (Stream<Path> files = Files.list(APT.resolve("sources.list.d"))) {
                files.map(Path::toString)
                        .filter(name -> name.endsWith(".list") || name.endsWith(".sources"))
                        .sorted()
                        .forEach(found::add);
            }
        }
        if (found.isEmpty()) {
            throw new HypervisorException.Lacking(
                    "the machine has no apt sources in %s: the demo image is built on Debian only".formatted(APT),
                    null);
        }
        return found;
    }

    private static String recipe() throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(resource(SCRIPT));
            for (String name : GUEST_FILES) {
                digest.update(name.getBytes(StandardCharsets.UTF_8));
                digest.update(resource(name));
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = DemoImage.class.getResourceAsStream("demo/" + name)) {
            if (in == null) {
                throw new IOException("resource demo/" + name + " is not in the jar");
            }
            return in.readAllBytes();
        }
    }
}
