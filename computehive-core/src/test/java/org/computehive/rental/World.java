package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Amount;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.computehive.store.InMemoryStore;

/** A lender with several hosts, a renter, and an engine whose time the test moves and which it may crash and start again. */
final class World implements AutoCloseable {
    static final Amount MONEY = Amount.of(10_000_000);

    Instant now = Sample.NOW;
    final InstantSource clock = () -> now;
    final InMemoryStore store = InMemoryStore.simulated(clock);
    final InMemoryEscrow escrow = new InMemoryEscrow(Sample.TOKEN, clock);
    final InMemoryAuditLog log = new InMemoryAuditLog(NoteKey.generate("test.example"));
    final InMemoryEscrow.Party lender = escrow.party(Amount.ZERO);
    final InMemoryEscrow.Party renter = escrow.party(MONEY);
    final Map<HostId, InMemoryHypervisor> hosts = new LinkedHashMap<>();
    final List<Notifier.Notice> notices = new ArrayList<>();
    PriceAdvisor advisor = request -> {
        throw new AssertionError("nobody asked for a suggestion");
    };
    boolean calendarDown;
    final InMemoryAccess access = new InMemoryAccess(clock);
    final RentalPolicy policy;
    final RentalEngine engine;

    private World(RentalPolicy policy) {
        this.policy = policy;
        engine = newEngine();
    }

    /** Opens a world of hosts {@code host-1}, {@code host-2} and so on, each with one gpu and a listing of its own. */
    static World ofHosts(int count) {
        return ofHosts(count, Sample.POLICY);
    }

    static World ofHosts(int count, RentalPolicy policy) {
        var world = new World(policy);
        for (int number = 1; number <= count; number++) {
            world.addHost("host-" + number, 1);
        }
        world.engine.start();
        return world;
    }

    InMemoryHypervisor addHost(String name, int gpus) {
        var hypervisor = InMemoryHypervisor.withGpus(gpus, "demo");
        hosts.put(new HostId(name), hypervisor);
        Host host = engine.registerHost(new HostId(name), lender.account(), hypervisor);
        engine.list(Listing.of(
                new ListingId("lot-" + name), host, new MachineShape(1, 256, 64, "demo"), Sample.TOKEN, Rate.of(100)));
        return hypervisor;
    }

    private RentalEngine newEngine() {
        return RentalEngine.builder()
                .store(store)
                .escrow(escrow)
                .access(access)
                .priceAdvisor(request -> advisor.suggest(request))
                .auditLog(log)
                .notifier(notice -> {
                    if (calendarDown) {
                        throw new IllegalStateException("https://user:secret@calendar.example is down");
                    }
                    notices.add(notice);
                })
                .clock(clock)
                .policy(policy)
                .build();
    }

    InMemoryHypervisor host(int number) {
        return hosts.get(new HostId("host-" + number));
    }

    ListingId lot(int number) {
        return new ListingId("lot-host-" + number);
    }

    Window window() {
        return Window.of(Sample.NOW.plusSeconds(600), Duration.ofHours(4));
    }

    void passTo(Instant instant) {
        now = instant;
        store.runDue();
    }

    void pass(Duration time) {
        passTo(now.plus(time));
    }

    /** Lets time pass in steps, as it does, so that what is due on the way is done on its time. */
    void passSlowly(Duration time, Duration step) {
        Instant end = now.plus(time);
        while (now.isBefore(end)) {
            pass(step);
        }
    }

    /** Lets time pass in steps, until a rental is as asked; fails when the limit is over. */
    Rental passUntil(RentalId id, Predicate<Rental> condition, Duration step, Duration limit) {
        Instant end = now.plus(limit);
        while (!condition.test(of(id))) {
            if (!now.isBefore(end)) {
                throw new AssertionError("%s is still not as asked after %s".formatted(of(id), limit));
            }
            pass(step);
        }
        return of(id);
    }

    Rental of(RentalId id) {
        return store.rental(id).orElseThrow();
    }

    /** Awaits what a hint from the chain leads to on another thread. */
    Rental await(RentalId id, Predicate<Rental> condition) {
        store.runDue();
        return engine.when(id, condition).orTimeout(20, TimeUnit.SECONDS).join();
    }

    Rental await(RentalId id, RentalState state) {
        return await(id, rental -> rental.state() == state);
    }

    Rental funded() {
        return funded(lot(1), window());
    }

    Rental funded(ListingId listing, Window window) {
        RentalId id = engine.quote(renter.account(), listing, window).id();
        engine.reserve(id, renter.account());
        EscrowOffer offer =
                await(id, rental -> rental.offer().isPresent()).offer().orElseThrow();
        Rental signed = engine.signOffer(id, lender.sign(offer.digest()));
        renter.open(offer, signed.offerSignature().orElseThrow());
        return await(id, rental -> rental.state() == RentalState.FUNDED && rental.lastInvitation() == 0);
    }

    Rental active() {
        Rental rental = funded();
        passTo(window().start().minus(policy.lead()));
        await(rental.id(), booted -> booted.machine().isPresent());
        passTo(window().start());
        return await(rental.id(), RentalState.ACTIVE);
    }

    List<RentalEvent> events(RentalId id) {
        return store.history(id).stream().map(RentalStore.Recorded::event).toList();
    }

    <E extends RentalEvent> List<E> events(RentalId id, Class<E> kind) {
        return events(id).stream().filter(kind::isInstance).map(kind::cast).toList();
    }

    @Override
    public void close() {
        engine.close();
    }
}
