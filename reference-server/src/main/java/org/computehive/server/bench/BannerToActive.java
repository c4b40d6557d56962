package org.computehive.server.bench;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalState;
import org.computehive.rental.SessionAccess;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.rental.memory.InMemoryAccess;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;
import org.computehive.store.JdbcStore;

/** How long an engine takes from a session's SSH banner until its rental is ACTIVE: stored, logged and told. */
final class BannerToActive {
    private static final Duration AHEAD = Duration.ofSeconds(3);
    private static final long LIMIT_SECONDS = 60;

    private BannerToActive() {}

    /** Returns the median, in seconds, of some rentals in an engine whose store and log lie in a folder. */
    static double median(Path folder, int count) throws Exception {
        var clock = InstantSource.system();
        var token = new Token(Account.ZERO, "USD", 6, true);
        var escrow = new InMemoryEscrow(token, clock);
        var lender = escrow.party(Amount.ZERO);
        var renter = escrow.party(Amount.of(1_000_000_000));
        var banners = new Banners(new InMemoryAccess(clock));
        Files.createDirectories(folder.resolve("log"));
        try (var log = FileAuditLog.open(folder.resolve("log"), NoteKey.generate("bench"));
                var engine = RentalEngine.builder()
                        .store(JdbcStore.sqlite(folder.resolve("rentals.sqlite"), clock))
                        .escrow(escrow)
                        .access(banners)
                        .auditLog(log)
                        .notifier(notice -> {})
                        .build()) {
            var host =
                    engine.registerHost(new HostId("host-1"), lender.account(), InMemoryHypervisor.withImages("demo"));
            engine.start();
            var shape = new MachineShape(1, 512, 64, "demo");
            engine.list(Listing.of(new ListingId("gpu-1"), host, shape, token, Rate.of(100)));
            double[] seconds = new double[count];
            for (int i = 0; i < count; i++) {
                Instant start = clock.instant().plus(AHEAD).truncatedTo(ChronoUnit.SECONDS);
                var window = Window.of(start, Duration.ofMinutes(10));
                RentalId id = engine.quote(renter.account(), new ListingId("gpu-1"), window)
                        .id();
                engine.reserve(id, renter.account());
                var offer = engine.when(id, rental -> rental.offer().isPresent())
                        .get(LIMIT_SECONDS, TimeUnit.SECONDS)
                        .offer()
                        .orElseThrow();
                engine.signOffer(id, lender.sign(offer.digest()));
                renter.open(offer, lender.sign(offer.digest()));
                var active = engine.when(id, RentalState.ACTIVE).thenApply(rental -> System.nanoTime());
                seconds[i] = (active.get(LIMIT_SECONDS, TimeUnit.SECONDS) - banners.seen(id)) / 1e9;
                engine.end(id, renter.account());
                engine.when(id, RentalState.ENDED).get(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
            return Rounds.median(seconds);
        }
    }

    /** Remembers when each banner was seen. */
    private record Banners(SessionAccess access, Map<RentalId, Long> times) implements SessionAccess {
        Banners(SessionAccess access) {
            this(access, new ConcurrentHashMap<>());
        }

        long seen(RentalId id) {
            return times.getOrDefault(id, 0L);
        }

        @Override
        public GuestAccess guestAccess(RentalId id, Window window) {
            return access.guestAccess(id, window);
        }

        @Override
        public Trust trust() {
            return access.trust();
        }

        @Override
        public Grant breakGlass(RentalId id, String operator, String reason, Instant until, String publicKey) {
            return access.breakGlass(id, operator, reason, until, publicKey);
        }

        @Override
        public String certify(RentalId id, Window window, String hostKey) {
            return access.certify(id, window, hostKey);
        }

        @Override
        public void admit(RentalId id, Window window, InetSocketAddress vm) {
            access.admit(id, window, vm);
        }

        @Override
        public String probe(RentalId id, Duration limit) {
            String banner = access.probe(id, limit);
            times.put(id, System.nanoTime());
            return banner;
        }

        @Override
        public int cut(RentalId id, Set<String> serials, String why) {
            return access.cut(id, serials, why);
        }

        @Override
        public Grant issue(RentalId id, Window window, String publicKey) {
            return access.issue(id, window, publicKey);
        }

        @Override
        public int cut(RentalId id, String why) {
            return access.cut(id, why);
        }

        @Override
        public int withdraw(RentalId id, String why) {
            return access.withdraw(id, why);
        }

        @Override
        public void onDecision(Consumer<Decision> listener) {
            access.onDecision(listener);
        }

        @Override
        public void close() {
            access.close();
        }
    }
}
