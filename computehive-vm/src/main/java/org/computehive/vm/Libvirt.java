package org.computehive.vm;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.computehive.rental.HypervisorException;
import org.jspecify.annotations.Nullable;
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

/**
 * One shared connection to libvirt, opened again when its daemon was restarted, with events for what stops. Thread-safe.
 *
 * <p>A connection that broke is left to the calls that still use it and freed with the last of them: libvirt's library
 * would otherwise touch freed memory. A lost daemon is noticed without a call, so that events flow again.
 */
final class Libvirt implements AutoCloseable {
    static final String PACKAGES =
            "libvirt0, libvirt-daemon, libvirt-daemon-driver-qemu, qemu-system-x86 and qemu-utils";
    private static final Logger LOG = LoggerFactory.getLogger(Libvirt.class);
    /** Kept for as long as the class, since native code calls it; libvirt's own prints to standard error. */
    private static final VirErrorCallback QUIET = (data, error) -> {};

    /** How often a connection that nobody uses is looked at. */
    private static final long LOOK_MILLIS = 1_000;

    private static final long LOOK_SELDOM_MILLIS = 30_000;

    private final URI uri;
    private final Runnable beforeConnecting;
    private final Map<UUID, CompletableFuture<Boolean>> stops = new ConcurrentHashMap<>();
    private final LifecycleListener listener = this::onLifecycle;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile Consumer<String> turnedOff = name -> {};
    private @Nullable Link link;
    private boolean closed;

    private Libvirt(URI uri, Runnable beforeConnecting) {
        this.uri = uri;
        this.beforeConnecting = beforeConnecting;
    }

    /** A connection and how many calls are on it. */
    private static final class Link {
        private final Connect connect;
        private int calls;
        private boolean given;

        private Link(Connect connect) {
            this.connect = connect;
        }
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
        return open(uri, () -> {});
    }

    /**
     * Connects to a daemon that may have to be started first.
     *
     * @param beforeConnecting starts the daemon unless it runs; called again before each new connection
     * @throws HypervisorException.Unreachable if libvirt isn't installed or doesn't answer
     */
    static Libvirt open(URI uri, Runnable beforeConnecting) {
        var libvirt = new Libvirt(uri, beforeConnecting);
        libvirt.call("connecting", connect -> true);
        EventLoop.CALLS.add(libvirt);
        Thread.ofPlatform().name("libvirt-link").daemon().start(libvirt::watch);
        return libvirt;
    }

    /** Connects again when the daemon was lost, for the events' sake. */
    private void watch() {
        long wait = LOOK_MILLIS;
        try {
            while (!closing.await(wait, TimeUnit.MILLISECONDS)) {
                try {
                    call("looking after the connection", connect -> true);
                    wait = LOOK_MILLIS;
                } catch (HypervisorException e) {
                    LOG.debug("libvirt is still lost: uri={}", uri, e);
                    wait = Math.min(2 * wait, LOOK_SELDOM_MILLIS); // each try over a network may start a program
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Connect connect(URI uri) {
        try {
            if (!EventLoop.RUNS) {
                throw new HypervisorException.Unreachable("libvirt's event loop could not be started", null);
            }
            var connect = new Connect(uri.toString());
            keepAlive(connect);
            return connect;
        } catch (LibvirtException e) {
            throw unreachable(uri, e);
        } catch (LinkageError e) {
            throw new HypervisorException.Unreachable(
                    "libvirt is not installed (%s): install the Debian packages %s".formatted(e.getMessage(), PACKAGES),
                    e);
        }
    }

    private static void keepAlive(Connect connect) throws LibvirtException {
        try {
            connect.setKeepAlive(5, 6);
        } catch (LibvirtException e) {
            if (code(e) != ErrorNumber.VIR_ERR_NO_SUPPORT) { // a driver inside this process has no connection to lose
                free(connect);
                throw e;
            }
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

    /**
     * Runs a call and turns its failure into the port's exceptions. Where the daemon is lost meanwhile it is run again on
     * another connection, so it must be one that may be repeated.
     */
    <T> T call(String what, Call<T> call) {
        return run(what, call, true);
    }

    /** Runs a call that must not be repeated. */
    <T> T once(String what, Call<T> call) {
        return run(what, call, false);
    }

    private <T> T run(String what, Call<T> call, boolean again) {
        Link used = take();
        LibvirtException failed;
        boolean lost;
        try {
            return call.on(used.connect);
        } catch (LibvirtException e) {
            failed = e;
            lost = !alive(used);
        } finally {
            give(used);
        }
        if (lost && again) {
            return run(what, call, false);
        }
        throw lost ? unreachable(uri, failed) : failure(what, failed);
    }

    private synchronized Link take() {
        if (closed) {
            throw new HypervisorException.Unreachable(
                    "the connection to %s is closed: open another".formatted(uri), null);
        }
        Link usable = link;
        if (usable != null && !alive(usable)) {
            LOG.info("libvirt connection lost, connecting again: uri={}", uri);
            abandon(usable);
            usable = null;
        }
        if (usable == null) {
            link = null;
            usable = connected();
            link = usable;
            settleStops(usable.connect);
        }
        usable.calls++;
        return usable;
    }

    private static boolean alive(Link link) {
        try {
            return link.connect.isAlive();
        } catch (LibvirtException e) {
            LOG.debug("a connection that can't be asked is dead", e);
            return false;
        }
    }

    private Link connected() {
        beforeConnecting.run();
        Connect connect = connect(uri);
        try {
            connect.addLifecycleListener(listener);
            return new Link(connect);
        } catch (LibvirtException e) {
            free(connect);
            throw unreachable(uri, e);
        }
    }

    /** What stopped while nobody listened sent its event to nobody. */
    private void settleStops(Connect connect) {
        stops.forEach((uuid, stop) -> {
            try {
                connect.domainLookupByUUID(uuid).free();
            } catch (LibvirtException e) {
                if (code(e) == ErrorNumber.VIR_ERR_NO_DOMAIN) {
                    stop.complete(true);
                }
            }
        });
    }

    private synchronized void give(Link used) {
        used.calls--;
        freeIfUnused(used);
    }

    private synchronized void abandon(Link broken) {
        broken.given = true;
        freeIfUnused(broken);
    }

    private void freeIfUnused(Link candidate) {
        if (candidate.given && candidate.calls == 0) {
            try {
                candidate.connect.removeLifecycleListener(listener);
            } catch (LibvirtException e) {
                LOG.debug("listener of {} could not be removed", uri, e);
            }
            free(candidate.connect);
            if (closed) {
                EventLoop.CALLS.remove(this);
            }
        }
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
        } finally {
            free(domain);
        }
        return 0;
    }

    /** Lets go of the connection; calls that are on it end first. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        closing.countDown();
        if (link == null) {
            EventLoop.CALLS.remove(this);
        } else {
            abandon(link);
            link = null;
        }
    }

    /** Frees it now: as garbage it would be freed only when memory runs short, and native memory is not what Java counts. */
    private static void free(Domain domain) {
        try {
            domain.free();
        } catch (LibvirtException e) {
            LOG.debug("a domain could not be freed", e);
        }
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
