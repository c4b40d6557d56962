package org.computehive.server.crash;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.Library;
import org.libvirt.LibvirtException;
import org.libvirt.event.DomainEvent;
import org.libvirt.event.LifecycleListener;
import org.w3c.dom.Element;

/**
 * An unprivileged libvirt daemon with the test driver. The driver's one host lives in the daemon for as long as somebody
 * is connected to it: this connection stays, so that domains outlive a killed engine, and sees every domain come and go.
 * Thread-safe.
 */
final class LibvirtDaemon implements AutoCloseable {
    private static final String ACCOUNT = "computehive";
    private static final Path PROGRAM = Path.of("/usr/sbin/libvirtd");
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final int LOOK_AGAIN_MILLIS = 20;
    /** unix(7): {@code sun_path} has 108 bytes, the last of them a zero. */
    private static final int MOST_SOCKET_BYTES = 107;

    private final Process daemon;
    private final String uri;
    private final Connect connect;
    private final Thread events;
    private final LifecycleListener listener;
    private volatile boolean closing;

    /**
     * A domain that came or went.
     *
     * @param name its name
     * @param id the daemon's number of this start
     * @param up whether it came
     * @param at when it was seen
     */
    record Change(String name, int id, UUID uuid, boolean up, Instant at) {}

    private LibvirtDaemon(Path folder, BiConsumer<Change, Map<String, String>> watcher)
            throws IOException, InterruptedException {
        checkLength(folder);
        Files.createDirectory(folder);
        for (String name : List.of("run", "config", "cache", "data")) {
            Path made = Files.createDirectory(
                    folder.resolve(name),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            if (Programs.root()) {
                Programs.give(made, ACCOUNT);
            }
        }
        daemon = run(folder);
        Path socket = folder.resolve("run/libvirt/libvirt-sock");
        uri = "test+unix:///default?socket=" + socket;
        awaitSocket(socket, folder);
        try {
            Connect.setErrorCallback(TestDriverHypervisor.QUIET);
            Library.initEventLoop();
            events = Thread.ofPlatform().name("libvirt-events").daemon().start(this::loop);
            connect = connect(folder);
            listener = (domain, event) -> seen(domain, event, watcher);
            connect.addLifecycleListener(listener);
        } catch (LibvirtException e) {
            daemon.destroyForcibly();
            throw new IOException("libvirt at %s: %s".formatted(uri, e.getMessage()), e);
        }
    }

    static LibvirtDaemon start(Path folder, BiConsumer<Change, Map<String, String>> watcher)
            throws IOException, InterruptedException {
        if (!Files.isExecutable(PROGRAM)) {
            throw new IOException("libvirtd is not installed: apt-get install libvirt-daemon");
        }
        return new LibvirtDaemon(folder, watcher);
    }

    /** libvirtd ends without a word where one of its sockets has a longer path than the kernel takes. */
    private static void checkLength(Path folder) throws IOException {
        Path longest = folder.resolve("run/libvirt/libvirt-admin-sock");
        int length = longest.toString().getBytes(StandardCharsets.UTF_8).length;
        if (length > MOST_SOCKET_BYTES) {
            throw new IOException(
                    "the path of libvirtd's socket %s has %d bytes, %d are the most: name a shorter temporary folder with -Djava.io.tmpdir"
                            .formatted(longest, length, MOST_SOCKET_BYTES));
        }
    }

    private static Process run(Path folder) throws IOException {
        var words = new ArrayList<>(Programs.as(ACCOUNT, "TERM"));
        words.addAll(List.of(
                "env",
                "-i",
                "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                "LC_ALL=C",
                "HOME=" + folder,
                "XDG_RUNTIME_DIR=" + folder.resolve("run"),
                "XDG_CONFIG_HOME=" + folder.resolve("config"),
                "XDG_CACHE_HOME=" + folder.resolve("cache"),
                "XDG_DATA_HOME=" + folder.resolve("data"),
                PROGRAM.toString()));
        return new ProcessBuilder(words)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("libvirtd.log").toFile())
                .start();
    }

    private void awaitSocket(Path socket, Path folder) throws IOException, InterruptedException {
        Instant limit = Instant.now().plus(START_LIMIT);
        while (!Files.exists(socket)) {
            if (!daemon.isAlive() || Instant.now().isAfter(limit)) {
                daemon.destroyForcibly();
                throw new IOException("libvirtd did not start: " + Files.readString(folder.resolve("libvirtd.log")));
            }
            Thread.sleep(LOOK_AGAIN_MILLIS);
        }
    }

    /** The socket is there a moment before anybody listens at it. */
    private Connect connect(Path folder) throws LibvirtException, InterruptedException, IOException {
        Instant limit = Instant.now().plus(START_LIMIT);
        while (true) {
            try {
                return new Connect(uri);
            } catch (LibvirtException e) {
                if (!daemon.isAlive() || Instant.now().isAfter(limit)) {
                    daemon.destroyForcibly();
                    throw new IOException(
                            "libvirtd did not answer at %s: %s"
                                    .formatted(uri, Files.readString(folder.resolve("libvirtd.log"))),
                            e);
                }
                Thread.sleep(LOOK_AGAIN_MILLIS);
            }
        }
    }

    private void loop() {
        while (!closing) {
            try {
                Library.processEvent();
            } catch (LibvirtException e) {
                return;
            }
        }
    }

    private int seen(Domain domain, DomainEvent event, BiConsumer<Change, Map<String, String>> watcher) {
        try {
            switch (event.getType()) {
                case STARTED -> watcher.accept(change(domain, true), mark(domain));
                case STOPPED -> watcher.accept(change(domain, false), Map.of());
                default -> {}
            }
        } catch (LibvirtException e) {
            throw new IllegalStateException("an event came without its domain", e);
        }
        return 0;
    }

    private static Change change(Domain domain, boolean up) throws LibvirtException {
        return new Change(domain.getName(), domain.getID(), UUID.fromString(domain.getUUIDString()), up, Instant.now());
    }

    /** Returns the attributes of its mark; none where it is gone already. */
    private static Map<String, String> mark(Domain domain) throws LibvirtException {
        try {
            return TestDriverHypervisor.session(domain.getXMLDesc(0))
                    .map(LibvirtDaemon::attributes)
                    .orElse(Map.of());
        } catch (LibvirtException e) {
            if (e.getError() != null && e.getError().getCode() == ErrorNumber.VIR_ERR_NO_DOMAIN) {
                return Map.of();
            }
            throw e;
        }
    }

    private static Map<String, String> attributes(Element mark) {
        return Map.of("id", mark.getAttribute("id"), "ssh-port", mark.getAttribute("ssh-port"));
    }

    String uri() {
        return uri;
    }

    /** Ends a domain behind the engine's back. */
    void destroy(String name) throws LibvirtException {
        connect.domainLookupByName(name).destroy();
    }

    /** Returns the names of the domains that are up, without the driver's own. */
    List<String> names() throws LibvirtException {
        var names = new ArrayList<String>();
        for (Domain domain : connect.listAllDomains(0)) {
            if (!domain.getName().equals("test")) {
                names.add(domain.getName());
            }
        }
        return names;
    }

    @Override
    public void close() throws Exception {
        closing = true;
        try {
            connect.removeLifecycleListener(listener);
            connect.close();
        } catch (LibvirtException e) {
            // Its daemon ends all the same.
            daemon.destroy();
        }
        daemon.destroy();
        if (!daemon.waitFor(START_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
            daemon.destroyForcibly().waitFor();
        }
        events.interrupt();
    }
}
