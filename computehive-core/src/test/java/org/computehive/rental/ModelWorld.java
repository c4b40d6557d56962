package org.computehive.rental;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.computehive.access.AccessException;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.HostId;
import org.computehive.market.PciAddress;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.store.InMemoryStore;
import org.computehive.store.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * What outlives an engine (store, chain, hosts, audit log) and the engine that runs now, behind ports at which calls fail,
 * succeed without anybody hearing of it, or are the last that the engine's process does. It watches what the engine does
 * outside and notes in {@link #broken} what breaks a promise. All on the caller's thread.
 *
 * <p>The chain's hints are lost, which they may be: what they lead to on other threads has no order that could be repeated.
 */
final class ModelWorld implements AutoCloseable {
    private static final Set<String> ON_A_RENTAL =
            Set.of("prepare", "start", "expire", "destroy", "erase", "turnOver", "admit", "cut", "withdraw");
    private static final Set<String> NEVER_FAIL = Set.of(
            "token",
            "origin",
            "onDecision",
            "endedByPlatform",
            "guestTurnedOff",
            "checkSignature",
            "receiptDigest",
            "releaseDigest",
            "guestAccess");

    /** The process died at this call. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("the process was killed", null, false, false);
        }
    }

    Instant now = Sample.NOW;
    final InstantSource clock = () -> now;
    final InMemoryStore store = InMemoryStore.simulated(clock);
    final InMemoryEscrow chain = new InMemoryEscrow(Sample.TOKEN, clock);
    final InMemoryAuditLog log = new InMemoryAuditLog(NoteKey.generate("test.example"));
    final Map<HostId, InMemoryHypervisor> hosts = new LinkedHashMap<>();
    final Map<HostId, InMemoryEscrow.Party> lenders = new HashMap<>();
    final RentalPolicy policy;
    final List<String> broken = new ArrayList<>();
    final List<String> story = new ArrayList<>();
    volatile double failing;
    double killing;
    boolean chainDown;
    boolean calendarDown;
    /** The next death, such as {@code after erase}. */
    String deathAt = "";

    int kills;
    int failures;
    InMemoryAccess access = new InMemoryAccess(clock);

    @Nullable RentalEngine engine;

    private final Random random;
    private final Thread mine = Thread.currentThread();
    /** By the seed too: what ids are decides who comes first, and how long who waits. */
    private final Random ids;

    private final Map<String, Long> logged = new HashMap<>();
    private final Map<HostId, Map<RentalId, List<PciAddress>>> gpusOfVms = new HashMap<>();
    private final Map<HostId, Set<RentalId>> disks = new HashMap<>();
    private final Set<HostId> attached = new HashSet<>();
    private final List<RentalEngine> engines = new ArrayList<>();
    private int generation;
    private boolean dead = true;
    private Timers.@Nullable Handler handler;

    ModelWorld(Random random, RentalPolicy policy) {
        this.random = random;
        ids = new Random(random.nextLong());
        this.policy = policy;
        store.timers().start((id, version) -> {
            Timers.Handler toWake = handler;
            if (toWake == null || dead) {
                return later();
            }
            try {
                return toWake.wake(id, version);
            } catch (Killed e) {
                return later();
            } catch (StoreException | AuditLogException e) {
                throw e;
            } catch (RuntimeException e) {
                breaks("a wake-up failed with " + e);
                throw e;
            }
        });
    }

    /** A process that is gone wakes nobody; its wake-ups stay set for the next one. */
    private Instant later() {
        return now.plusMillis(1);
    }

    RentalEngine engine() {
        RentalEngine running = engine;
        if (running == null) {
            throw new IllegalStateException("no engine runs");
        }
        return running;
    }

    boolean isDead() {
        return dead;
    }

    void addHost(String name, int gpus, InMemoryEscrow.Party lender) {
        var id = new HostId(name);
        hosts.put(id, InMemoryHypervisor.withGpus(gpus, "demo"));
        lenders.put(id, lender);
        gpusOfVms.put(id, new HashMap<>());
        disks.put(id, new HashSet<>());
    }

    /** Starts an engine on what the one before left; one that dies while it starts is started again. */
    void restart() {
        for (int attempt = 0; attempt < 100; attempt++) {
            generation++;
            dead = false;
            handler = null;
            attached.clear();
            access = new InMemoryAccess(clock);
            tell("engine %d starts".formatted(generation));
            try {
                engine = newEngine();
                engines.add(engine);
                attach();
                engine().start();
                return;
            } catch (Killed | StoreException | AuditLogException e) {
                tell("  which failed: " + e);
            }
        }
        throw new AssertionError("the engine did not start in 100 tries");
    }

    /** What is left of all that ran: a process that dies takes its threads along. */
    @Override
    public void close() {
        dead = true;
        engines.forEach(RentalEngine::close);
        chain.close();
    }

    /** Connects the hosts that answer, as their agents would. */
    void attach() {
        for (Map.Entry<HostId, InMemoryHypervisor> host : hosts.entrySet()) {
            if (!attached.contains(host.getKey())) {
                try {
                    engine().registerHost(
                                    host.getKey(),
                                    lenders.get(host.getKey()).account(),
                                    hypervisor(host.getKey(), host.getValue()));
                    attached.add(host.getKey());
                } catch (HypervisorException | StoreException e) {
                    tell("  %s can't be registered: %s".formatted(host.getKey(), e.getMessage()));
                }
            }
        }
    }

    void tell(String what) {
        story.add(now + " " + what);
    }

    void breaks(String what) {
        tell("BROKEN: " + what);
        broken.add(what);
    }

    private RentalEngine newEngine() {
        return RentalEngine.builder()
                .store(port(RentalStore.class, store, () -> new StoreException("the disk is full", null), this::stored))
                .escrow(port(
                        Escrow.class,
                        chain,
                        () -> new EscrowException.Unreachable("the node hung up", null),
                        this::onChain))
                .access(port(
                        SessionAccess.class,
                        access,
                        () -> new AccessException.NotUsable("the gateway is busy", null),
                        Call::invoke))
                .priceAdvisor(request -> {
                    throw new AssertionError("nobody asked for a suggestion");
                })
                .auditLog(
                        port(AuditLog.class, log, () -> new AuditLogException("the disk is full", null), this::logged))
                .notifier(port(
                        Notifier.class,
                        notice -> {},
                        () -> new UncheckedIOException(new IOException("no mail server")),
                        this::deliver))
                .clock(clock)
                .policy(policy)
                .ids(() -> RentalId.random(ids))
                .build();
    }

    private interface Watched {
        @Nullable Object through(Call call) throws Throwable;
    }

    /** A call of a port. */
    private record Call(Object inner, Method method, Object[] arguments) {
        @Nullable Object invoke() throws Throwable {
            try {
                return method.invoke(inner, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }

        String name() {
            return method.getName();
        }
    }

    private <T> T port(Class<T> type, T inner, Supplier<RuntimeException> failure, Watched watched) {
        int born = generation;
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    var call = new Call(inner, method, arguments == null ? new Object[0] : arguments);
                    if (method.getDeclaringClass() == Object.class) {
                        return call.invoke();
                    }
                    if (call.name().equals("close")) {
                        return null;
                    }
                    if (call.name().equals("timers")) {
                        return timers();
                    }
                    if (born != generation || dead) {
                        throw new Killed();
                    }
                    return called(call, failure, watched);
                }));
    }

    private @Nullable Object called(Call call, Supplier<RuntimeException> failure, Watched watched) throws Throwable {
        switch (call.name()) {
            case "hurry" -> {
                return null;
            }
            case "onChange" -> {
                AutoCloseable none = () -> {};
                return none;
            }
            default -> {}
        }
        if (Thread.currentThread() != mine) {
            return calledElsewhere(call, failure, watched);
        }
        checkAudited(call);
        if (NEVER_FAIL.contains(call.name())) {
            return watched.through(call);
        }
        maybeDie(call, "before");
        // A claim that is lost on its way is given back by a process's death alone, which is not simulated for one
        // call.
        boolean lasts = !call.name().equals("claim");
        if (random.nextDouble() < failing) {
            boolean unheard = lasts && !(call.inner() instanceof AuditLog) && random.nextBoolean();
            failures++;
            if (unheard) {
                watched.through(call);
            }
            tell("  %s fails%s".formatted(call.name(), unheard ? ", but was done" : ""));
            throw failure.get();
        }
        Object result = watched.through(call);
        if (lasts) {
            maybeDie(call, "after");
        }
        return result;
    }

    /** What follows the market on a thread of its own: it fails too, but by no draw that decides what happens here. */
    private @Nullable Object calledElsewhere(Call call, Supplier<RuntimeException> failure, Watched watched)
            throws Throwable {
        if (ThreadLocalRandom.current().nextDouble() < failing) {
            throw failure.get();
        }
        return watched.through(call);
    }

    private void maybeDie(Call call, String when) {
        if (random.nextDouble() < killing || deathAt.equals(when + " " + call.name())) {
            deathAt = "";
            kills++;
            dead = true;
            tell("  killed %s %s".formatted(when, call.name()));
            throw new Killed();
        }
    }

    private Timers timers() {
        return new Timers() {
            @Override
            public void start(Handler toWake) {
                handler = toWake;
            }

            @Override
            public void hurry() {}

            @Override
            public void close() {}
        };
    }

    // ---- what is seen

    private void checkAudited(Call call) {
        Optional<RentalId> id = Optional.empty();
        if (ON_A_RENTAL.contains(call.name()) && !(call.inner() instanceof AuditLog)) {
            id = Optional.of(call.arguments()[0] instanceof VmSpec spec ? spec.id() : (RentalId) call.arguments()[0]);
        } else if (call.arguments().length > 0 && call.arguments()[0] instanceof Notifier.Notice notice) {
            id = Optional.of(notice.rental());
        } else if (call.name().equals("settle")) {
            var offer = (EscrowOffer) call.arguments()[0];
            id = Optional.of(ofOffer(offer).id());
        }
        id.ifPresent(rental -> {
            if (logged(rental) < store.version(rental)) {
                breaks("%s of %s at version %d, of which the audit log has %d"
                        .formatted(call.name(), rental, store.version(rental), logged(rental)));
            }
        });
    }

    private Rental ofOffer(EscrowOffer offer) {
        return all().stream()
                .filter(rental ->
                        rental.legs().stream().anyMatch(leg -> leg.offer().equals(Optional.of(offer))))
                .findFirst()
                .orElseThrow();
    }

    long logged(RentalId id) {
        return logged.getOrDefault(id.value(), 0L);
    }

    private @Nullable Object stored(Call call) throws Throwable {
        Object result = call.invoke();
        if (call.name().equals("append") || call.name().equals("begin")) {
            for (RentalStore.Recorded recorded : appended(call)) {
                tell("    %s: %s"
                        .formatted(recorded.after(), recorded.event().getClass().getSimpleName()));
            }
        }
        return result;
    }

    private static List<RentalStore.Recorded> appended(Call call) {
        return switch (call.arguments()[0]) {
            case RentalStore.Recorded one -> List.of(one);
            case List<?> all ->
                all.stream().map(RentalStore.Recorded.class::cast).toList();
            default -> throw new IllegalStateException("append takes no " + call.arguments()[0]);
        };
    }

    private @Nullable Object logged(Call call) throws Throwable {
        long before = log.size();
        Object result = call.invoke();
        for (byte[] bytes : log.entries(before, log.size())) {
            AuditEntry entry = AuditEntry.parse(bytes);
            entry.number().ifPresent(number -> {
                String id = entry.rental().orElseThrow();
                if (number != logged.getOrDefault(id, 0L) + 1) {
                    breaks("the audit log has version %d of %s after %s".formatted(number, id, logged.get(id)));
                }
                logged.put(id, number);
            });
        }
        return result;
    }

    private @Nullable Object deliver(Call call) {
        if (calendarDown) {
            throw new UncheckedIOException(new IOException("the calendar is down"));
        }
        return null;
    }

    private @Nullable Object onChain(Call call) throws Throwable {
        if (chainDown) {
            switch (call.name()) {
                case "read" -> {
                    return new Escrow.Reading.Unknown("no node answers");
                }
                case "offer", "settle" -> throw new EscrowException.Unreachable("no node answers", null);
                default -> {}
            }
        }
        Object result = call.invoke();
        // A block that is not final yet.
        return result instanceof Escrow.Reading.Open && random.nextDouble() < failing
                ? new Escrow.Reading.Pending(1, 3)
                : result;
    }

    private Hypervisor hypervisor(HostId host, InMemoryHypervisor machine) {
        return port(Hypervisor.class, machine, this::hostFailure, call -> onHost(host, machine, call));
    }

    private HypervisorException hostFailure() {
        return switch (random.nextInt(4)) {
            case 0 -> new HypervisorException.Lacking("no memory left", null);
            case 1 -> new HypervisorException.NotGone("its process hangs", null);
            default -> new HypervisorException.Unreachable("the connection was reset", null);
        };
    }

    private @Nullable Object onHost(HostId host, InMemoryHypervisor machine, Call call) throws Throwable {
        if (call.arguments().length > 0 && call.arguments()[0] instanceof VmSpec spec) {
            Object result = call.invoke();
            disks.get(host).add(spec.id());
            if (call.name().equals("start")) {
                started(host, machine, spec);
            }
            return result;
        }
        Object result = call.invoke();
        if (call.name().equals("erase")) {
            disks.get(host).remove((RentalId) call.arguments()[0]);
        }
        return result;
    }

    private void started(HostId host, InMemoryHypervisor machine, VmSpec spec) {
        gpusOfVms.get(host).put(spec.id(), spec.gpus());
        Rental rental = store.rental(spec.id()).orElseThrow();
        if (now.isBefore(rental.terms().window().start().minus(policy.lead()))
                || !now.isBefore(rental.sessionEnd())
                || rental.state() != RentalState.STARTING) {
            breaks("%s gets a VM outside its time %s".formatted(rental, rental.window()));
        }
        for (Hypervisor.RunningVm vm : machine.list()) {
            Set<PciAddress> shared = new HashSet<>(gpusOfVms.get(host).get(vm.id()));
            shared.retainAll(spec.gpus());
            if (!vm.id().equals(spec.id()) && !shared.isEmpty()) {
                breaks("%s starts on %s of %s, which the VM of %s has".formatted(rental, shared, host, vm.id()));
            }
        }
    }

    /** What is left on the hosts. */
    List<String> remains() {
        var found = new ArrayList<String>();
        hosts.forEach((id, machine) -> {
            machine.list().forEach(vm -> found.add("a VM of %s on %s".formatted(vm.id(), id)));
            disks.get(id).forEach(disk -> found.add("a disk of %s on %s".formatted(disk, id)));
        });
        return found;
    }

    List<Rental> all() {
        return store.inStates(Set.of(RentalState.values()), 10_000);
    }

    void pass(Duration time) {
        now = now.plus(time);
        store.runDue();
        if (dead) {
            restart();
        }
    }
}
