package org.computehive.vm;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.computehive.rental.HypervisorException;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.Library;
import org.libvirt.LibvirtException;
import org.libvirt.event.DomainEvent;
import org.libvirt.event.DomainEventType;
import org.libvirt.event.LifecycleListener;
import org.libvirt.event.StoppedDetail;
import org.libvirt.jna.Libvirt.VirErrorCallback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One shared connection to libvirt, reopened when its daemon was restarted, with events for what stops. Thread-safe. */
final class Libvirt implements AutoCloseable {
    static final String PACKAGES =
            "libvirt0, libvirt-daemon, libvirt-daemon-driver-qemu, qemu-system-x86 and qemu-utils";
    private static final Logger LOG = LoggerFactory.getLogger(Libvirt.class);
    /** Kept for as long as the class, since native code calls it; libvirt's own prints to standard error. */
    private static final VirErrorCallback QUIET = (data, error) -> {};

    private final URI uri;
    private final Map<UUID, CompletableFuture<Boolean>> stops = new ConcurrentHashMap<>();
    private final LifecycleListener listener = this::onLifecycle;
    private volatile Consumer<String> turnedOff = name -> {};
    private Connect connect;
    private boolean closed;

    private Libvirt(URI uri, Connect connect) {
        this.uri = uri;
        this.connect = connect;
    }

    /** Work on a connection. */
    interface Call<T> {
        T on(Connect connect) throws LibvirtException;
    }

    /**
     * Connects.
     *
     * @throws HypervisorException.Unreachable if libvirt isn't installed or doesn't answer
     */
    static Libvirt open(URI uri) {
        var libvirt = new Libvirt(uri, connect(uri));
        try {
            libvirt.connect.addLifecycleListener(libvirt.listener);
            EventLoop.CALLS.add(libvirt);
        } catch (LibvirtException e) {
            libvirt.close();
            throw unreachable(uri, e);
        }
        return libvirt;
    }

    private static Connect connect(URI uri) {
        try {
            if (!EventLoop.RUNS) {
                throw new HypervisorException.Unreachable("libvirt's event loop could not be started", null);
            }
            var connect = new Connect(uri.toString());
            connect.setKeepAlive(5, 6);
            return connect;
        } catch (LibvirtException e) {
            throw unreachable(uri, e);
        } catch (LinkageError e) {
            throw new HypervisorException.Unreachable(
                    "libvirt is not installed (%s): install the Debian packages %s".formatted(e.getMessage(), PACKAGES),
                    e);
        }
    }

    private static HypervisorException.Unreachable unreachable(URI uri, LibvirtException e) {
        return new HypervisorException.Unreachable(
                "libvirt at %s does not answer (%s): start its daemon, check your rights to its socket, or install the Debian packages %s"
                        .formatted(uri, e.getMessage(), PACKAGES),
                e);
    }

    URI uri() {
        return uri;
    }

    /** Returns whether its host is this machine. */
    boolean local() {
        return uri.getHost() == null;
    }

    /** Runs a call and turns its failure into the port's exceptions. */
    <T> T call(String what, Call<T> call) {
        try {
            return call.on(live());
        } catch (LibvirtException e) {
            throw failure(what, e);
        }
    }

    private synchronized Connect live() throws LibvirtException {
        if (closed) {
            throw new HypervisorException.Unreachable(
                    "the connection to %s is closed: open another".formatted(uri), null);
        }
        if (!connect.isAlive()) {
            LOG.info("libvirt connection lost, connecting again: uri={}", uri);
            free(connect);
            connect = connect(uri);
            connect.addLifecycleListener(listener);
        }
        return connect;
    }

    /** Names what failed: a lost daemon is unreachable, everything else the host lacks. */
    static HypervisorException failure(String what, LibvirtException e) {
        ErrorNumber code = code(e);
        String message = "%s failed: %s".formatted(what, Printable.line(String.valueOf(e.getMessage())));
        return code == ErrorNumber.VIR_ERR_RPC || code == ErrorNumber.VIR_ERR_NO_CONNECT
                ? new HypervisorException.Unreachable(message, e)
                : new HypervisorException.Lacking(message, e);
    }

    /** Returns libvirt's error number; {@code VIR_ERR_OK} where it gave none. */
    static ErrorNumber code(LibvirtException e) {
        return e.getError() == null ? ErrorNumber.VIR_ERR_OK : e.getError().getCode();
    }

    /** Returns a promise kept by the event that a domain stopped. Ask before the act that stops it. */
    CompletableFuture<Boolean> stop(UUID domain) {
        return stops.computeIfAbsent(domain, id -> new CompletableFuture<>());
    }

    /** Waits for the event that a domain stopped; false if it did not come in time. */
    boolean awaitStop(UUID domain, Duration limit) {
        try {
            return stop(domain).get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } finally {
            forget(domain);
        }
    }

    /** Sets who is told the name of each domain that its guest turned off, or that was asked to by its power button. */
    void onTurnedOff(Consumer<String> listener) {
        turnedOff = listener;
    }

    void forget(UUID domain) {
        stops.remove(domain);
    }

    private int onLifecycle(Domain domain, DomainEvent event) {
        try {
            if (event.getType() == DomainEventType.STOPPED) {
                StoppedDetail how = event.getDetail();
                if (how == StoppedDetail.SHUTDOWN) {
                    turnedOff.accept(domain.getName());
                }
                CompletableFuture<Boolean> stop = stops.get(UUID.fromString(domain.getUUIDString()));
                if (stop != null) {
                    stop.complete(true);
                }
            }
        } catch (LibvirtException e) {
            LOG.debug("an event came without its domain", e);
        }
        return 0;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            connect.removeLifecycleListener(listener);
        } catch (LibvirtException e) {
            LOG.debug("listener of {} could not be removed", uri, e);
        }
        free(connect);
        EventLoop.CALLS.remove(this);
    }

    private static void free(Connect connect) {
        try {
            connect.close();
        } catch (LibvirtException e) {
            LOG.debug("connection could not be closed", e);
        }
    }

    /** The one event loop of the process: libvirt allows no second, and it must run before any connection. */
    private static final class EventLoop {
        static final boolean RUNS = start();
        /**
         * The connections whose listeners it may call. One that its user lost without closing it stays here: were it
         * collected as garbage, native code would call into freed memory at the next event and end the whole process.
         */
        static final Set<Libvirt> CALLS = ConcurrentHashMap.newKeySet();

        private static boolean start() {
            try {
                Connect.setErrorCallback(QUIET);
                Library.initEventLoop();
            } catch (LibvirtException e) {
                LOG.warn("libvirt's event loop could not be started: {}", e.getMessage());
                return false;
            }
            Thread.ofPlatform().name("libvirt-events").daemon().start(EventLoop::run);
            return true;
        }

        private static void run() {
            while (!Thread.currentThread().isInterrupted()) {
                try {
                    Library.processEvent();
                } catch (LibvirtException e) {
                    LOG.warn("libvirt's event loop: {}", e.getMessage());
                }
            }
        }
    }
}
