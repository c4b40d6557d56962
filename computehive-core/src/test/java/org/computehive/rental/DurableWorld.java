package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Amount;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.computehive.store.JdbcStore;
import org.jspecify.annotations.Nullable;

/**
 * A lender with hosts, a renter, and one engine after the other on one SQLite file. Chain, hosts and audit log outlive an
 * engine, its gateway does not. An engine is closed, or dies at the commit of an event: from then on nothing that it does
 * reaches a port.
 */
final class DurableWorld implements AutoCloseable {
    static final Amount MONEY = Amount.of(100_000_000);
    static final RentalPolicy POLICY = new RentalPolicy(
            Duration.ofMinutes(10),
            Duration.ofMinutes(15),
            Duration.ofMinutes(2),
            Duration.ofMinutes(3),
            Duration.ofMillis(100),
            Duration.ofMillis(100));

    /** When an engine dies. */
    enum When {
        /** The event is lost. */
        BEFORE,
        /** The event is kept, and its process heard nothing of it. */
        AFTER
    }

    /** The engine's process died at this call. */
    static final class Killed extends Error {
        private static final long serialVersionUID = 1L;

        Killed() {
            super("the process was killed", null, false, false);
        }
    }

    private record Death(When when, Class<? extends RentalEvent> at) {}

    /** It goes on by itself, and is set forward. */
    private volatile InstantSource time =
            InstantSource.offset(InstantSource.system(), Duration.between(Instant.now(), Sample.NOW));

    final InstantSource clock = () -> time.instant();
    final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, clock);
    final InMemoryAuditLog log = new InMemoryAuditLog(NoteKey.generate("test.example"));
    final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    final InMemoryEscrow.Party renter = escrow.party(MONEY);
    volatile boolean calendarDown;
    /** Counts what could not be delivered. */
    volatile CountDownLatch undelivered = new CountDownLatch(0);

    int deaths;
    RentalEngine engine;
    InMemoryAccess access;
    private final Path file;
    private final Map<HostId, InMemoryHypervisor> hosts = new LinkedHashMap<>();
    private Life life;
    private JdbcStore store;

    /** Opens a world of hosts {@code host-1}, {@code host-2} and so on, each with one gpu and a listing of its own. */
    DurableWorld(Path folder, int count) {
        file = folder.resolve("rentals.sqlite");
        for (int number = 1; number <= count; number++) {
            hosts.put(new HostId("host-" + number), InMemoryHypervisor.withGpus(1, "demo"));
        }
        open();
        for (Host host : engine.hosts()) {
            engine.list(Listing.of(
                    new ListingId("lot-" + host.id()),
                    host,
                    new MachineShape(1, 256, 64, "demo"),
                    Sample.TOKEN,
                    Rate.of(100)));
        }
    }

    /** One engine's process. */
    private static final class Life {
        final CompletableFuture<Void> death = new CompletableFuture<>();
        volatile Optional<Death> awaits = Optional.empty();
    }

    private void open() {
        life = new Life();
        access = new InMemoryAccess(clock);
        store = JdbcStore.sqlite(file, clock);
        engine = RentalEngine.builder()
                .store(port(RentalStore.class, store))
                .escrow(port(Escrow.class, escrow))
                .access(port(SessionAccess.class, access))
                .priceAdvisor(request -> {
                    throw new AssertionError("nobody asked for a suggestion");
                })
                .auditLog(port(AuditLog.class, log))
                .notifier(port(Notifier.class, notice -> {
                    if (calendarDown) {
                        undelivered.countDown();
                        throw new IllegalStateException("the calendar is down");
                    }
                }))
                .clock(clock)
                .policy(POLICY)
                .build();
        hosts.forEach((id, host) -> engine.registerHost(id, lender.account(), port(Hypervisor.class, host)));
        engine.start();
    }

    private <T> T port(Class<T> type, T inner) {
        Life mine = life;
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(),
                new Class<?>[] {type},
                (proxy, method, arguments) -> called(mine, inner, method, arguments)));
    }

    private static @Nullable Object called(Life life, Object inner, Method method, Object @Nullable [] arguments)
            throws Throwable {
        boolean alive = !life.death.isDone();
        if (method.getName().equals("close") || (method.getName().equals("timers") && !alive)) {
            return invoke(inner, method, arguments);
        }
        if (!alive) {
            throw new Killed();
        }
        if (method.getName().equals("onChange")) {
            Runnable listener = (Runnable) arguments[0];
            return invoke(inner, method, new Object[] {
                (Runnable) () -> {
                    if (!life.death.isDone()) {
                        listener.run();
                    }
                }
            });
        }
        boolean dies = method.getName().equals("append")
                && life.awaits.filter(death -> commits(arguments, death.at())).isPresent();
        if (dies && life.awaits.orElseThrow().when() == When.BEFORE) {
            throw killed(life);
        }
        Object result = invoke(inner, method, arguments);
        if (dies) {
            throw killed(life);
        }
        return result;
    }

    private static Killed killed(Life life) {
        life.death.complete(null);
        return new Killed();
    }

    private static boolean commits(Object[] arguments, Class<? extends RentalEvent> kind) {
        return arguments[0] instanceof List<?> events
                && events.stream()
                        .anyMatch(event ->
                                event instanceof RentalStore.Recorded recorded && kind.isInstance(recorded.event()));
    }

    private static @Nullable Object invoke(Object inner, Method method, Object @Nullable [] arguments)
            throws Throwable {
        try {
            return method.invoke(inner, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    // ---- deaths

    /** Has the engine die at the next commit of a kind of event. */
    void dieAt(When when, Class<? extends RentalEvent> kind) {
        life.awaits = Optional.of(new Death(when, kind));
    }

    /** Awaits the engine's death, and starts another on what it left. */
    void restartOnceDead() {
        life.death.copy().orTimeout(30, TimeUnit.SECONDS).join();
        deaths++;
        restart();
    }

    /** Asks a command; if the engine dies of it, the next one is asked again. */
    void survive(Runnable command) {
        try {
            command.run();
        } catch (Killed e) {
            restartOnceDead();
            command.run();
        }
    }

    /** Awaits it; if the engine dies before, of the next one. */
    Rental survive(RentalId id, Predicate<Rental> condition) {
        if (!life.death.isDone()) {
            CompletableFuture.anyOf(engine.when(id, condition), life.death)
                    .orTimeout(30, TimeUnit.SECONDS)
                    .join();
        }
        if (life.death.isDone()) {
            restartOnceDead();
        }
        return await(id, condition);
    }

    /** Awaits a second attempt, of two messages each, so that the engine surely knows since when they fail. */
    void awaitUndelivered() throws InterruptedException {
        undelivered = new CountDownLatch(3);
        pass(POLICY.recovery().slowest());
        assertTrue(undelivered.await(30, TimeUnit.SECONDS));
    }

    /** Closes the engine and starts another. */
    void restart() {
        engine.close();
        open();
    }

    /** Closes the engine, lets something happen while none runs, and starts another. */
    void restartAfter(Runnable meanwhile) {
        engine.close();
        meanwhile.run();
        open();
    }

    // ---- a rental's way

    InMemoryHypervisor host(int number) {
        return hosts.get(new HostId("host-" + number));
    }

    Window window() {
        return Window.of(Sample.NOW.plusSeconds(900), Duration.ofHours(4));
    }

    RentalCommands asLender(String key) {
        return engine.once(lender.account(), new IdempotencyKey(key));
    }

    RentalCommands asRenter(String key) {
        return engine.once(renter.account(), new IdempotencyKey(key));
    }

    void passTo(Instant instant) {
        time = InstantSource.offset(time, Duration.between(clock.instant(), instant));
        store.timers().hurry();
    }

    void pass(Duration further) {
        passTo(clock.instant().plus(further));
    }

    Rental of(RentalId id) {
        return store.rental(id).orElseThrow();
    }

    <E extends RentalEvent> List<E> events(RentalId id, Class<E> kind) {
        return store.history(id).stream()
                .map(RentalStore.Recorded::event)
                .filter(kind::isInstance)
                .map(kind::cast)
                .toList();
    }

    Rental await(RentalId id, Predicate<Rental> condition) {
        return engine.when(id, condition).orTimeout(30, TimeUnit.SECONDS).join();
    }

    Rental await(RentalId id, RentalState state) {
        return await(id, rental -> rental.state() == state);
    }

    /** Signs the offer that waits for it. */
    EscrowOffer signed(RentalId id) {
        EscrowOffer offer = await(id, rental -> rental.offerToSign().isPresent())
                .offerToSign()
                .orElseThrow();
        engine.signOffer(id, lender.sign(offer.digest()));
        return offer;
    }

    void open(EscrowOffer offer) {
        renter.open(offer, lender.sign(offer.digest()));
    }

    Rental active() {
        RentalId id = engine.quote(renter.account(), new ListingId("lot-host-1"), window())
                .id();
        engine.reserve(id, renter.account());
        open(signed(id));
        await(
                id,
                rental -> rental.state() == RentalState.FUNDED
                        && rental.invitationDue().isEmpty());
        passTo(window().start());
        return await(id, RentalState.ACTIVE);
    }

    /** Has both parties sign the receipts of what is over. */
    void settle(RentalId id) {
        await(id, RentalState.ENDED);
        for (InMemoryEscrow.Party party : List.of(renter, lender)) {
            engine.signReceipts(
                    id,
                    party.account(),
                    engine.receiptsToSign(id).stream()
                            .map(receipt -> party.sign(receipt.digest()))
                            .toList());
        }
    }

    /** It is settled for the time used, nothing is left of it anywhere, and each of its events is in the log once. */
    Rental checkSettled(RentalId id) {
        Rental settled = await(
                id,
                rental -> rental.state() == RentalState.SETTLED
                        && rental.invitationDue().isEmpty());
        assertEquals(settled.due(), lender.balance());
        assertEquals(MONEY, lender.balance().plus(renter.balance()));
        hosts.forEach((name, host) -> assertEquals(List.of(), host.list(), name::toString));
        assertTrue(settled.occupied().isEmpty() && settled.lanes().isEmpty(), settled::toString);
        assertTrue(access.enter(id).isEmpty());
        assertEquals(
                LongStream.rangeClosed(1, settled.version()).boxed().toList(),
                log.entries(0, log.size()).stream()
                        .map(AuditEntry::parse)
                        .filter(entry ->
                                entry.number().isPresent() && entry.rental().equals(Optional.of(id.value())))
                        .map(entry -> entry.number().orElseThrow())
                        .toList());
        return settled;
    }

    @Override
    public void close() {
        engine.close();
    }
}
