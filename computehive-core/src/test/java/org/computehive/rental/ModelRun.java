package org.computehive.rental;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.computehive.access.AccessException;
import org.computehive.access.HostKeyPair;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLogException;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Maintenance;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.schedule.Window;
import org.computehive.store.StoreException;
import org.jspecify.annotations.Nullable;

/** One random life of a market: two lenders with four hosts, three renters, an operator. */
final class ModelRun {
    static final RentalPolicy POLICY = new RentalPolicy(
                    Duration.ofMinutes(10),
                    Duration.ofMinutes(15),
                    Duration.ofMinutes(2),
                    Duration.ofMinutes(3),
                    Duration.ofSeconds(15),
                    Duration.ofSeconds(5))
            .with(new RentalPolicy.Recovery(
                    3,
                    Duration.ofMinutes(2),
                    Duration.ofMinutes(10),
                    Duration.ofMinutes(5),
                    Duration.ofMinutes(30),
                    Duration.ofDays(1)));

    private static final Amount MONEY = Amount.of(1_000_000_000);
    private static final MachineShape SHAPE = new MachineShape(1, 256, 64, "demo");
    private static final String KEY = HostKeyPair.generate().publicKey().line();

    private final ModelWorld world;
    private final Random random;
    private final InMemoryEscrow.Party rich;
    private final InMemoryEscrow.Party other;
    private final List<InMemoryEscrow.Party> renters;
    private final Map<Account, InMemoryEscrow.Party> parties = new HashMap<>();
    private final List<Listing> listings = new ArrayList<>();
    private final List<Quote> quotes = new ArrayList<>();
    private final List<Maintenance> maintenances = new ArrayList<>();
    private final List<EscrowOffer> opened = new ArrayList<>();
    /** What a party did something to on the chain by itself. */
    private final Set<EscrowOffer> byHand = new HashSet<>();

    private final Map<EscrowOffer, Account> disputes = new HashMap<>();
    private final InMemoryEscrow.Party arbiter;

    private final List<Asked> asked = new ArrayList<>();
    private int keys;

    /** A command under a key, and what it was answered. */
    private static final class Asked {
        final Account caller;
        final IdempotencyKey key;
        final String what;
        final Function<RentalCommands, Object> command;

        @Nullable Object answer;

        Asked(Account caller, IdempotencyKey key, String what, Function<RentalCommands, Object> command) {
            this.caller = caller;
            this.key = key;
            this.what = what;
            this.command = command;
        }
    }

    ModelRun(ModelWorld world, Random random) {
        this.world = world;
        this.random = random;
        rich = party(MONEY);
        other = party(MONEY);
        arbiter = party(MONEY);
        renters = List.of(party(MONEY), party(MONEY), party(MONEY));
        world.addHost("host-1", 1, rich);
        world.addHost("host-2", 1, rich);
        world.addHost("host-3", 2, rich);
        world.addHost("host-4", 1, other);
    }

    private InMemoryEscrow.Party party(Amount money) {
        InMemoryEscrow.Party party = world.chain.party(money);
        parties.put(party.account(), party);
        return party;
    }

    void run(int steps) {
        world.restart();
        world.engine().hosts().forEach(this::offer);
        world.failing = random.nextInt(3) == 0 ? 0 : 0.03 * random.nextDouble();
        world.killing = random.nextInt(3) == 0 ? 0 : 0.004 * random.nextDouble();
        for (int step = 0; step < steps; step++) {
            guarded(this::command);
            if (random.nextInt(4) == 0) {
                guarded(this::fault);
            }
            guarded(world::attach);
            world.pass(time());
            check();
        }
        finish();
    }

    private void offer(Host host) {
        var rules = new Listing.Rules(
                Duration.ofSeconds(10),
                Duration.ofDays(7),
                Duration.ofMinutes(random.nextInt(3)),
                Duration.ofMinutes(4),
                Duration.ofMinutes(random.nextInt(90)),
                random.nextBoolean()
                        ? Cancellation.FREE
                        : new Cancellation(Duration.ofMinutes(20), 2_500, Duration.ofMinutes(15), 5_000),
                Duration.ofMinutes(random.nextInt(20)),
                random.nextInt(3) == 0
                        ? Stakes.NONE
                        : new Stakes(arbiter.account(), Amount.of(random.nextInt(9_999)), Amount.of(777)));
        Listing plain = Listing.of(
                new ListingId("lot-" + host.id()), host, SHAPE, Sample.TOKEN, Rate.of(50 + random.nextInt(9)));
        listings.add(world.engine()
                .list(new Listing(
                        plain.id(),
                        plain.lender(),
                        plain.host(),
                        plain.gpus(),
                        plain.shape(),
                        plain.token(),
                        plain.floor(),
                        plain.ceiling(),
                        plain.price(),
                        plain.availability(),
                        rules,
                        plain.assurance(),
                        plain.emulated())));
    }

    /** Mostly little by little, sometimes an engine that did not look for long. */
    private Duration time() {
        return switch (random.nextInt(20)) {
            case 0 -> Duration.ofMinutes(random.nextInt(random.nextInt(4) == 0 ? 45 : 5));
            case 1, 2, 3, 4 -> Duration.ofSeconds(random.nextInt(240));
            case 5, 6 ->
                world.store
                        .nextDue()
                        .filter(world.now::isBefore)
                        .map(due -> Duration.between(world.now, due))
                        .orElse(Duration.ZERO);
            case 7 -> Duration.ofMillis(random.nextInt(1500));
            default -> Duration.ofSeconds(random.nextInt(30));
        };
    }

    private void fault() {
        var machines = List.copyOf(world.hosts.values());
        var machine = machines.get(random.nextInt(machines.size()));
        switch (random.nextInt(14)) {
            case 0 -> world.chainDown = true;
            case 1, 2, 3 -> world.chainDown = false;
            case 4 -> world.calendarDown = random.nextBoolean();
            case 5 -> {
                world.tell("a host goes away");
                machine.setReachable(false);
            }
            case 6, 7, 8 -> machines.forEach(one -> one.setReachable(true));
            case 9 -> machine.failNextStart(new HypervisorException.GuestFailed("kernel panic", null));
            case 10 -> {
                List<Rental> active = in(RentalState.ACTIVE);
                if (!active.isEmpty()) {
                    Rental lost = any(active);
                    world.tell("the VM of " + lost + " crashes");
                    world.hosts.get(lost.host()).crash(lost.id());
                }
            }
            case 11 -> {
                world.tell("the platform ends all VMs of a host");
                machine.endByPlatform(world.now);
            }
            case 12 -> {
                world.tell("the engine is closed");
                world.engine().close();
                world.restart();
            }
            default -> {
                world.tell("the engine is killed");
                world.kills++;
                world.restart();
            }
        }
    }

    // ---- commands

    /** A command may be refused, find a part down or be the process's last; nothing else. */
    private void guarded(Runnable command) {
        try {
            command.run();
        } catch (ModelWorld.Killed e) {
            world.tell("  the process is dead");
        } catch (RentalException
                | EscrowException
                | HypervisorException
                | StoreException
                | AuditLogException
                | AccessException e) {
            world.tell("  refused: " + e.getMessage());
        }
        if (world.isDead()) {
            world.restart();
        }
    }

    private <T> T ask(Account caller, String what, Function<RentalCommands, T> command) {
        world.tell(what);
        if (random.nextBoolean()) {
            return command.apply(world.engine());
        }
        var once = new Asked(caller, new IdempotencyKey("key-" + ++keys), what, command::apply);
        asked.add(once);
        @SuppressWarnings("unchecked")
        T answer = (T) askAgain(once);
        return answer;
    }

    private Object askAgain(Asked once) {
        Object answer = once.command.apply(world.engine().once(once.caller, once.key));
        Object before = once.answer;
        if (before != null && !(before instanceof GpuCondition) && !Objects.equals(before, answer)) {
            world.breaks("%s was answered %s, and now %s".formatted(once.what, before, answer));
        }
        once.answer = answer;
        return answer;
    }

    private void command() {
        switch (random.nextInt(40)) {
            case 0, 1, 2, 3 -> {
                quote();
                reserve();
            }
            case 4 -> quote();
            case 5 -> reserve();
            case 37 -> book();
            case 6, 7, 8, 9, 30, 31, 32 -> signOffer();
            case 10, 11, 12, 13, 33, 34, 35, 36 -> fund();
            case 14 ->
                ofAny(RentalState.values(), rental -> {
                    Account by = anyParty(rental);
                    ask(by, "cancel " + rental, engine -> engine.cancel(rental.id(), by));
                });
            case 15, 16 -> ofAny(in(RentalState.ACTIVE, RentalState.FUNDED), this::extend);
            case 17 ->
                ofAny(in(RentalState.ACTIVE, RentalState.STARTING), rental -> {
                    Account by = anyParty(rental);
                    ask(by, "end " + rental, engine -> engine.end(rental.id(), by));
                });
            case 18 -> {
                if (random.nextInt(3) == 0) {
                    ofAny(in(RentalState.ACTIVE, RentalState.STARTING), rental -> {
                        var fault = new Fault(Fault.Blame.values()[random.nextInt(4)], "abuse");
                        ask(
                                rich.account(),
                                "operator ends " + rental,
                                engine -> engine.endByOperator(rental.id(), fault));
                    });
                }
            }
            case 19 -> ofAny(in(RentalState.ACTIVE, RentalState.STARTING, RentalState.FUNDED), this::reclaim);
            case 20, 21 -> ofAny(in(RentalState.ENDED, RentalState.CANCELLED, RentalState.ENDING), this::signReceipts);
            case 22 ->
                ofAny(
                        random.nextInt(4) > 0 ? in(RentalState.ENDED, RentalState.CANCELLED) : world.all(),
                        this::signReleases);
            case 23 -> block();
            case 24 -> unblock();
            case 25 -> certify();
            case 26 -> enter();
            case 27, 38 -> actOnChain();
            case 39 -> {
                if (!opened.isEmpty() && !world.chainDown && random.nextInt(3) == 0) {
                    resolve(any(opened));
                }
            }
            case 28 -> {
                if (!asked.isEmpty()) {
                    Asked once = any(asked);
                    world.tell("again: " + once.what);
                    askAgain(once);
                }
            }
            default -> keepUp();
        }
    }

    private List<Rental> in(RentalState... states) {
        return world.all().stream()
                .filter(rental -> List.of(states).contains(rental.state()))
                .toList();
    }

    private <T> T any(List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    private void ofAny(RentalState[] states, java.util.function.Consumer<Rental> command) {
        ofAny(in(states), command);
    }

    private void ofAny(List<Rental> rentals, java.util.function.Consumer<Rental> command) {
        if (!rentals.isEmpty()) {
            command.accept(any(rentals));
        }
    }

    private Account anyParty(Rental rental) {
        return random.nextBoolean() ? rental.terms().renter() : rental.terms().lender();
    }

    private InMemoryEscrow.Party lender(Rental rental) {
        return Objects.requireNonNull(parties.get(rental.terms().lender()));
    }

    private InMemoryEscrow.Party renter(Rental rental) {
        return Objects.requireNonNull(parties.get(rental.terms().renter()));
    }

    private Window window() {
        Instant start =
                world.now.plusSeconds(30 + random.nextInt(1500)).truncatedTo(java.time.temporal.ChronoUnit.SECONDS);
        return Window.of(start, Duration.ofSeconds(30 + random.nextInt(4000)));
    }

    private void quote() {
        Account renter = any(renters).account();
        ListingId listing = any(listings).id();
        Window window = window();
        quotes.add(ask(renter, "quote " + listing + " " + window, engine -> engine.quote(renter, listing, window)));
    }

    private void reserve() {
        if (!quotes.isEmpty()) {
            Quote quote = random.nextInt(3) > 0 ? quotes.getLast() : any(quotes);
            ask(quote.renter(), "reserve " + quote.id(), engine -> engine.reserve(quote.id(), quote.renter()));
        }
    }

    private void book() {
        Account renter = any(renters).account();
        Listing listing = any(listings);
        Window window = window();
        Amount most = listing.price().cost(window.length());
        ask(
                renter,
                "book " + listing.id() + " " + window,
                engine -> engine.reserve(renter, listing.id(), window, most));
    }

    private void signOffer() {
        for (Rental rental : world.all()) {
            rental.offerToSign().ifPresent(offer -> {
                Signature signature = lender(rental).sign(offer.digest());
                ask(offer.lender(), "sign the offer of " + rental, engine -> engine.signOffer(rental.id(), signature));
            });
        }
    }

    private void fund() {
        for (Rental rental : world.all()) {
            for (Leg leg : rental.legs()) {
                boolean waits = leg.isPending() && leg.offerSignature().isPresent();
                if (waits && !world.chainDown && random.nextInt(5) > 0) {
                    EscrowOffer offer = leg.offer().orElseThrow();
                    world.tell("the renter funds %s of %s".formatted(leg, rental));
                    renter(rental).open(offer, leg.offerSignature().orElseThrow());
                    if (!opened.contains(offer)) {
                        opened.add(offer);
                    }
                }
            }
        }
    }

    /** A party goes by the chain alone. What the contract refuses there changes nothing. */
    private void actOnChain() {
        if (opened.isEmpty() || world.chainDown || random.nextInt(3) == 0) {
            return;
        }
        List<EscrowOffer> open = opened.stream()
                .filter(one -> world.chain.read(one) instanceof Escrow.Reading.Open)
                .toList();
        EscrowOffer offer = any(open.isEmpty() ? opened : open);
        InMemoryEscrow.Party renter = Objects.requireNonNull(parties.get(offer.renter()));
        InMemoryEscrow.Party lender = Objects.requireNonNull(parties.get(offer.lender()));
        int deed = random.nextInt(8);
        world.tell("deed %d is done to the escrow of %s on the chain".formatted(deed, offer.window()));
        try {
            Escrow.Reading then = switch (deed) {
                case 0, 1 -> renter.end(offer);
                case 2 -> lender.endAsLender(offer);
                case 3 -> lender.reportNoShow(offer);
                case 4 -> renter.reportNoShow(offer);
                case 5, 6 -> (random.nextBoolean() ? renter : lender).dispute(offer, Sample.HASH, BigInteger.ZERO);
                default -> (random.nextBoolean() ? renter : lender).settle(offer, new Escrow.Settlement.ByWord());
            };
            byHand.add(offer);
            if (then instanceof Escrow.Reading.Open(var deposit, var hash, var at, Escrow.Phase.Disputed disputed)) {
                disputes.put(offer, disputed.by());
            }
        } catch (EscrowException.Refused | EscrowException.NotYet e) {
            world.tell("that is refused");
        }
    }

    private void resolve(EscrowOffer offer) {
        boolean disputed =
                world.chain.read(offer) instanceof Escrow.Reading.Open(var deposit, var hash, var at, var phase)
                        && phase instanceof Escrow.Phase.Disputed;
        if (disputed) {
            world.tell("the arbiter decides over the escrow of " + offer.window());
            arbiter.resolve(
                    offer,
                    Duration.ofSeconds(random.nextLong(offer.window().length().toSeconds() + 1)),
                    anyOf(offer.stakes().bond()),
                    anyOf(offer.stakes().disputeBond()));
        }
    }

    private Amount anyOf(Amount amount) {
        return Amount.of(random.nextLong(amount.units().longValueExact() + 1));
    }

    private void extend(Rental rental) {
        Account renter = rental.terms().renter();
        Instant end = rental.window().end().plusSeconds(60 + random.nextInt(3000));
        Quote quote = ask(renter, "quote more of " + rental, engine -> engine.quoteExtension(rental.id(), renter, end));
        ask(renter, "extend " + rental, engine -> engine.extend(rental.id(), renter, quote.id()));
    }

    private void reclaim(Rental rental) {
        Instant at =
                world.now.truncatedTo(java.time.temporal.ChronoUnit.SECONDS).plusSeconds(60 + random.nextInt(2000));
        world.tell("reclaim %s at %s".formatted(rental, at));
        world.engine().reclaim(rental.id(), rental.terms().lender(), at);
    }

    private void signReceipts(Rental rental) {
        InMemoryEscrow.Party by = random.nextBoolean() ? renter(rental) : lender(rental);
        List<Signature> signatures = receipts(rental, by);
        ask(
                by.account(),
                "sign the receipts of " + rental,
                engine -> engine.signReceipts(rental.id(), by.account(), signatures));
    }

    /** Signs as a party does that looks at what it signs. */
    private List<Signature> receipts(Rental rental, InMemoryEscrow.Party by) {
        var signatures = new ArrayList<Signature>();
        for (LegDigest receipt : world.engine().receiptsToSign(rental.id())) {
            Rental now = world.store.rental(rental.id()).orElseThrow();
            Duration owed = bill(now).owed(now.legs().get(receipt.leg()));
            if (!receipt.used().equals(owed)) {
                world.breaks("the receipt of leg %d of %s is for %s, owed are %s"
                        .formatted(receipt.leg(), now, receipt.used(), owed));
            }
            signatures.add(by.sign(receipt.digest()));
        }
        return signatures;
    }

    private ModelBill bill(Rental rental) {
        return new ModelBill(
                rental,
                world.store.history(rental.id()).stream().map(Recorded::event).toList());
    }

    private void signReleases(Rental rental) {
        List<Signature> signatures = world.engine().releasesToSign(rental.id()).stream()
                .map(release -> lender(rental).sign(release.digest()))
                .toList();
        ask(rental.terms().lender(), "release " + rental, engine -> engine.signReleases(rental.id(), signatures));
    }

    private void block() {
        Listing listing = any(listings);
        var maintenance =
                new Maintenance(listing.host(), "m" + ++keys, List.of(any(listing.gpus())), window(), "new fans");
        world.tell("block " + maintenance);
        maintenances.add(maintenance);
        world.engine().block(listing.lender(), maintenance);
    }

    private void unblock() {
        if (!maintenances.isEmpty()) {
            Maintenance maintenance = any(maintenances);
            world.tell("unblock " + maintenance);
            world.engine()
                    .unblock(
                            Objects.requireNonNull(world.lenders.get(maintenance.host()))
                                    .account(),
                            maintenance.host(),
                            maintenance.name());
        }
    }

    private void certify() {
        ofAny(in(RentalState.FUNDED, RentalState.STARTING, RentalState.ACTIVE), rental -> {
            Account renter = rental.terms().renter();
            ask(renter, "certify " + rental, engine -> engine.issueCertificate(rental.id(), renter, KEY));
        });
    }

    private void enter() {
        ofAny(RentalState.values(), rental -> {
            world.tell("enter " + rental);
            Optional<?> way = world.access.enter(rental.id());
            Rental then = world.store.rental(rental.id()).orElseThrow();
            boolean inTime = then.terms().window().start().compareTo(world.now) <= 0
                    && world.now.isBefore(then.window().end());
            boolean cut = then.find(RentalEvent.AccessCut.class).isPresent();
            if (way.isPresent() && (!inTime || cut || then.state().isOver())) {
                world.breaks("%s lets its renter in".formatted(then));
            }
        });
    }

    /** What lender and operator see to. */
    private void keepUp() {
        for (Rental stuck : world.engine().stuck()) {
            world.tell("resume " + stuck);
            world.engine().resume(stuck.id(), "looked at it");
        }
        for (Listing listing : listings) {
            for (GpuId gpu : listing.gpus()) {
                ask(Sample.OPERATOR, "release " + gpu, engine -> engine.releaseGpu(gpu, Sample.OPERATOR, "cleaned"));
            }
        }
    }

    // ---- what holds at every step

    private void check() {
        List<Rental> all = world.all();
        checkBookings(all);
        checkMoney();
        for (Rental rental : all) {
            if (rental.version() != world.store.history(rental.id()).size()) {
                world.breaks(rental + " has another version than events");
            }
        }
        if (!world.broken.isEmpty()) {
            throw new AssertionError(String.join("; ", world.broken));
        }
    }

    private record Taken(String by, GpuId gpu, Window window) {}

    private void checkBookings(List<Rental> all) {
        var taken = new ArrayList<Taken>();
        var lanes = new HashMap<String, Rental>();
        for (Rental rental : all) {
            rental.occupied().forEach(one -> taken.add(new Taken(rental.toString(), one.gpu(), one.window())));
            for (long lane : rental.lanes()) {
                Rental holder = lanes.put(rental.terms().lender() + " " + lane, rental);
                if (holder != null) {
                    world.breaks("%s and %s have lane %d".formatted(rental, holder, lane));
                }
            }
        }
        world.hosts
                .keySet()
                .forEach(host -> world.store
                        .maintenances(host)
                        .forEach(maintenance -> maintenance
                                .gpus()
                                .forEach(gpu ->
                                        taken.add(new Taken(maintenance.toString(), gpu, maintenance.window())))));
        for (int i = 0; i < taken.size(); i++) {
            for (Taken later : taken.subList(i + 1, taken.size())) {
                Taken one = taken.get(i);
                if (one.gpu().equals(later.gpu()) && one.window().overlaps(later.window())) {
                    world.breaks("%s and %s have one gpu".formatted(one, later));
                }
            }
        }
    }

    /** Every party owns what it had, less what it locked, and what the chain paid it or gave back, once for each escrow. */
    private void checkMoney() {
        var owned = new HashMap<Account, Amount>();
        parties.keySet().forEach(party -> owned.put(party, MONEY));
        for (EscrowOffer offer : opened) {
            owned.computeIfPresent(offer.renter(), (party, amount) -> amount.minus(offer.deposit()));
            Optional<Account> disputed = Optional.ofNullable(disputes.get(offer));
            switch (world.chain.read(offer)) {
                case Escrow.Reading.Open open -> {
                    owned.computeIfPresent(
                            offer.lender(),
                            (party, amount) -> amount.minus(offer.stakes().bond()));
                    disputed.ifPresent(by -> owned.computeIfPresent(
                            by, (party, amount) -> amount.minus(offer.stakes().disputeBond())));
                    if (!open.deposit().equals(offer.deposit())) {
                        world.breaks("%s locks %s of %s".formatted(offer, open.deposit(), offer.deposit()));
                    }
                }
                case Escrow.Reading.Closed closed -> {
                    owned.computeIfPresent(
                            offer.lender(),
                            (party, amount) -> amount.plus(closed.paid()).minus(closed.slashed()));
                    owned.computeIfPresent(
                            offer.renter(),
                            (party, amount) -> amount.plus(closed.refunded()).plus(closed.slashed()));
                    disputed.ifPresent(by -> {
                        owned.computeIfPresent(by, (party, amount) -> amount.minus(closed.forfeited()));
                        owned.computeIfPresent(
                                by.equals(offer.lender()) ? offer.renter() : offer.lender(),
                                (party, amount) -> amount.plus(closed.forfeited()));
                    });
                    if (!closed.paid().plus(closed.refunded()).equals(offer.deposit())) {
                        world.breaks("%s paid %s and refunded %s of %s"
                                .formatted(offer, closed.paid(), closed.refunded(), offer.deposit()));
                    }
                }
                default -> world.breaks("escrow of %s is gone".formatted(offer));
            }
        }
        parties.forEach((account, party) -> {
            if (!party.balance().equals(owned.get(account))) {
                world.breaks("%s owns %s, and not %s".formatted(account, party.balance(), owned.get(account)));
            }
        });
    }

    // ---- the end

    private void finish() {
        world.tell("--- all is well again");
        world.failing = 0;
        world.killing = 0;
        world.chainDown = false;
        world.calendarDown = false;
        world.hosts.values().forEach(host -> host.setReachable(true));
        if (world.isDead()) {
            world.restart();
        }
        world.attach();
        opened.forEach(this::resolve);
        letGo();
        for (Rental rental : world.all()) {
            if (!isFinal(rental) && !waitsForSignatures(rental)) {
                world.breaks("%s comes to no end; stuck: %s".formatted(rental, rental.stuck()));
            }
        }
        if (!world.remains().isEmpty()) {
            world.breaks("left: " + world.remains());
        }
        check();
        for (Rental rental : world.all()) {
            if (!isFinal(rental)) {
                settle(rental);
            }
        }
        letGo();
        world.all().forEach(this::checkEnd);
        check();
        world.engine().close();
    }

    /** Long enough for every window, hold, time lock and retry. */
    private void letGo() {
        Instant until = world.all().stream()
                .map(rental -> rental.window().end().plus(rental.terms().disputeWindow()))
                .reduce(world.now, (one, later) -> one.isAfter(later) ? one : later)
                .plus(Duration.ofHours(2));
        while (world.now.isBefore(until)) {
            world.pass(Duration.ofMinutes(4));
            world.engine().stuck().forEach(stuck -> world.engine().resume(stuck.id(), "all is well"));
        }
    }

    private static boolean isFinal(Rental rental) {
        return rental.state().isOver() || (rental.state() == RentalState.CANCELLED && !rental.funded());
    }

    /**
     * What only the parties can end: a session that is over and was not used to the end of a leg without a fault, so that no
     * time lock may pay for it in full, and for which nobody signed what settles it; or one that was called off.
     */
    private static boolean waitsForSignatures(Rental rental) {
        boolean closing = Set.of(RentalState.ENDED, RentalState.CANCELLED, RentalState.DISPUTED)
                .contains(rental.state());
        return closing
                && rental.legs().stream()
                        .allMatch(leg -> leg.isClosed()
                                || (leg.isLocked() && leg.signedSettlement().isEmpty() && !rental.mayTimeLock(leg)));
    }

    private void settle(Rental rental) {
        if (random.nextBoolean()) {
            signReleases(rental);
            return;
        }
        for (InMemoryEscrow.Party by : List.of(renter(rental), lender(rental))) {
            world.engine().signReceipts(rental.id(), by.account(), receipts(rental, by));
        }
    }

    private void checkEnd(Rental rental) {
        if (!isFinal(rental)) {
            world.breaks("%s is not settled though all signed; stuck: %s".formatted(rental, rental.stuck()));
        }
        if (!rental.occupied().isEmpty()
                || !rental.lanes().isEmpty()
                || !rental.stuck().isEmpty()) {
            world.breaks("%s still has %s, lanes %s, stuck %s"
                    .formatted(rental, rental.occupied(), rental.lanes(), rental.stuck()));
        }
        if (world.access.enter(rental.id()).isPresent()) {
            world.breaks("%s still lets its renter in".formatted(rental));
        }
        for (Leg leg : rental.legs()) {
            leg.settlement().ifPresent(settled -> checkSettlement(rental, leg, settled));
        }
        checkHistory(rental);
    }

    /** It says what the chain says, and that is what is owed. */
    private void checkSettlement(Rental rental, Leg leg, RentalEvent.OfLeg.Settled settled) {
        EscrowOffer offer = leg.offer().orElseThrow();
        if (!(world.chain.read(offer) instanceof Escrow.Reading.Closed closed)
                || !closed.paid().equals(settled.paid())
                || !closed.refunded().equals(settled.refunded())
                || !settled.paid().plus(settled.refunded()).equals(leg.deposit())) {
            world.breaks("%s of %s paid %s, refunded %s; the chain says %s"
                    .formatted(leg, rental, settled.paid(), settled.refunded(), world.chain.read(offer)));
            return;
        }
        boolean ownWord = byHand.contains(offer)
                && !Set.of(Escrow.Closing.RECEIPT, Escrow.Closing.RELEASE, Escrow.Closing.TIME_LOCK)
                        .contains(closed.how());
        Set<Amount> allowed = bill(rental).allowed(leg, ownWord ? Optional.of(closed.paid()) : Optional.empty());
        if (!allowed.contains(settled.paid())) {
            world.breaks("%s of %s paid %s, and not one of %s".formatted(leg, rental, settled.paid(), allowed));
        }
    }

    /** Its events are versions 1 to n, lead to it, and are in the audit log, each once and as they are stored. */
    private void checkHistory(Rental rental) {
        List<Recorded> history = world.store.history(rental.id());
        Rental folded =
                Rental.of(rental.id(), history.stream().map(Recorded::event).toList());
        boolean same = folded.version() == rental.version()
                && folded.state() == rental.state()
                && folded.due().equals(rental.due())
                && folded.told().equals(rental.told())
                && folded.runs().equals(rental.runs())
                && folded.holdings().equals(rental.holdings());
        if (!same) {
            world.breaks("the events of %s lead to %s".formatted(rental, folded));
        }
        for (int i = 0; i < history.size(); i++) {
            if (history.get(i).after().version() != i + 1) {
                world.breaks("event %d of %s has version %d"
                        .formatted(i, rental, history.get(i).after().version()));
            }
            if (i > 0
                    && history.get(i)
                            .event()
                            .at()
                            .isBefore(history.get(i - 1).event().at())) {
                world.breaks("event %d of %s is earlier than the one before".formatted(i + 1, rental));
            }
        }
        List<AuditEntry> entries = world.log.entries(0, world.log.size()).stream()
                .map(AuditEntry::parse)
                .filter(entry -> entry.number().isPresent()
                        && entry.rental().equals(Optional.of(rental.id().value())))
                .toList();
        boolean audited = entries.size() == history.size()
                && IntStream.range(0, entries.size()).allMatch(i -> isOf(entries.get(i), history.get(i)));
        if (!audited) {
            world.breaks("the audit log has %d entries for the %d events of %s"
                    .formatted(entries.size(), history.size(), rental));
        }
    }

    private static boolean isOf(AuditEntry entry, Recorded recorded) {
        return entry.number().orElse(0) == recorded.after().version()
                && entry.matches(
                        EventCodec.write(recorded.event()).getBytes(StandardCharsets.UTF_8),
                        HexFormat.of().parseHex(recorded.salt()));
    }
}
