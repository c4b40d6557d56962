package org.computehive.rental;

import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.computehive.audit.AuditLog;
import org.computehive.manifest.Manifest;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.market.Maintenance;
import org.computehive.market.matching.Candidate;
import org.computehive.market.matching.Objective;
import org.computehive.market.matching.Proposals;
import org.computehive.market.search.FreeWindow;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one way in for programs that embed ComputeHive: lists gpus, takes bookings, runs sessions, settles escrows.
 *
 * <p>A caller is named by its {@link Account}; whoever embeds the engine has made sure that it is who it says. The engine
 * checks what that account may do. Commands return once what they acknowledge is durable and in the audit log; what follows
 * (VM, access, settlement) happens by itself, survives a crash at any instant, and is awaited with {@link #when}.
 *
 * <p>Thread-safe. Several engines live in one process; there is no static state.
 *
 * <h2>Security guarantees</h2>
 *
 * The engine holds no key of a lender's or a renter's. It never applies a price suggestion. No gpu is in two overlapping
 * rentals, nobody enters outside a window, and every change is in the audit log before it takes effect outside.
 */
public final class RentalEngine implements RentalCommands, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RentalEngine.class);
    private static final Set<RentalState> OPEN_ON_CHAIN = EnumSet.of(
            RentalState.RESERVED,
            RentalState.FUNDED,
            RentalState.ACTIVE,
            RentalState.ENDED,
            RentalState.CANCELLED,
            RentalState.DISPUTED);

    private final RentalStore store;
    private final Escrow escrow;
    private final Doors access;
    private final Pricing pricing;
    private final RentalPolicy policy;
    private final Journal journal;
    private final Market market;
    private final Search search;
    private final Rentals rentals;
    private final Signing signing;
    private final Commands commands;
    private final Operations operations;
    private final Steps steps;
    private final Runner runner;
    private final Pruning pruning;
    private final AuditSweep auditSweep;
    private final ExecutorService nudges = Executors.newVirtualThreadPerTaskExecutor();
    private final @Nullable AuditLog ownLog;
    private final @Nullable ClockWatch clockWatch;
    private @Nullable AutoCloseable chainSubscription;

    RentalEngine(
            RentalEngineBuilder.Ports ports,
            RentalEngineBuilder.Sources sources,
            RentalPolicy policy,
            Retention retention) {
        InstantSource clock = sources.clock();
        store = ports.store();
        escrow = ports.escrow();
        access = new Doors(ports.access(), store, policy.watch());
        pricing = new Pricing(ports.priceAdvisor(), store, clock, ports.suggestions(), this::background);
        ownLog = ports.ownLog();
        this.policy = policy;
        journal = new Journal(store, ports.auditLog(), clock, policy);
        clockWatch = sources.monotonic()
                .map(nanos -> new ClockWatch(clock, nanos, ClockWatch.LIMIT, this::clockJumped))
                .orElse(null);
        var invitations = new Invitations(ports.notifier(), ports.calendar());
        steps = new Steps(store, escrow, access, invitations, journal, policy, ports.attestor());
        runner = new Runner(store, steps, journal, policy);
        market = new Market(store, steps, escrow.token(), policy, journal, ports.attestor());
        search = new Search(store, market, clock, ports.reputation());
        pruning = new Pruning(store, journal, retention);
        auditSweep = new AuditSweep(journal);
        rentals = new Rentals(store, journal);
        signing = new Signing(escrow, journal, rentals);
        operations = new Operations(store, rentals, journal, access);
        var bookings = new Bookings(store, market, journal, policy, sources.ids());
        var extensions = new Extensions(store, market, journal, policy, sources.ids());
        commands = new Commands(
                Asking.PLAINLY, rentals, market, bookings, extensions, signing, operations, journal, access);
    }

    /**
     * Returns a builder. What it is not told comes in memory, or in a folder if it is given one: see
     * {@link EmbeddedParts}.
     */
    public static RentalEngineBuilder builder() {
        return new RentalEngineBuilder();
    }

    /**
     * Returns the commands, each carried out once for a key: the same request under the same key, however often and at the
     * same time, after a restart or on another replica, gets the first answer again (for a rental, as it was then). A
     * refused command leaves no key behind, so it may be asked again when its cause is gone. Keys are forgotten after
     * {@link Retention#answers}.
     *
     * <p>A command under a key that had another request throws {@link RentalException.KeyReused}.
     *
     * @param caller whose key it is; every caller has keys of its own
     * @param key the caller's name for the request
     */
    public RentalCommands once(Account caller, IdempotencyKey key) {
        return commands.asked(new OncePerKey(store, journal, caller, key));
    }

    // ---- hosts and listings

    @Override
    public Host registerHost(HostId id, Account lender, Hypervisor hypervisor) {
        return commands.registerHost(id, lender, hypervisor);
    }

    /** Returns all hosts. */
    public List<Host> hosts() {
        return store.hosts();
    }

    /**
     * Suggests a price. Nothing applies it: a lender who likes it puts it in a listing.
     *
     * <p>What was {@link #measureDemand measured} of demand is used, unless the request states its own. It does no I/O.
     *
     * @throws IllegalArgumentException if the request makes no sense
     */
    public PriceSuggestion suggestPrice(PriceAdvisor.Request request) {
        return pricing.suggest(request);
    }

    /**
     * Suggests a price to a lender, by its own bookings too where the request is for a window, and keeps the suggestion for
     * {@link #adviceOutcomes}.
     *
     * @throws IllegalArgumentException if the request makes no sense
     */
    public PriceSuggestion suggestPrice(Account lender, PriceAdvisor.Request request) {
        return pricing.suggest(lender, request);
    }

    /**
     * Measures demand of the days (UTC) that are over, from the store's bookings and this engine's searches. Suggestions have
     * it done by themselves, once a day in the background; call it to have it done now.
     */
    public void measureDemand() {
        pricing.meter().measure();
    }

    /**
     * Returns the suggestions that a lender was given, newest first, each beside what it charged from then on: the newest
     * {@value SuggestionHistory#MOST_OF_ONE} at most.
     */
    public List<AdviceOutcome> adviceOutcomes(Account lender) {
        return pricing.outcomes(lender);
    }

    @Override
    public Listing list(Listing listing) {
        return commands.list(listing);
    }

    /** Returns a listing. */
    public Listing listing(ListingId id) {
        return market.listing(id);
    }

    /**
     * Returns the listings that fit a query and are free, cheapest first. A hint: a reservation decides.
     *
     * @param query what is looked for, and how many answers at most
     */
    public List<Listing> search(ListingQuery query) {
        return freeWindows(query).stream().map(FreeWindow::listing).toList();
    }

    /**
     * Returns when the listings that fit a query are free: for each its earliest window, cheapest first, and at one price
     * the earliest first. What has begun already is not looked at. A hint: a reservation decides.
     *
     * @param query what is looked for, and how many answers at most
     */
    public List<FreeWindow> freeWindows(ListingQuery query) {
        List<FreeWindow> found = search.freeWindows(query);
        pricing.meter().searched(query, !found.isEmpty());
        return found;
    }

    /**
     * Proposes windows for a request, the best first, each with its terms and the reason for its rank. Nothing is booked:
     * people decide, and a reservation then may find it taken.
     *
     * @param query what is looked for; its {@link ListingQuery#answers answers} say how many listings are looked at
     * @param objective what counts how much: waiting, gaps that nobody would rent
     * @param most how many proposals at the most, 1 to {@value Proposals#MAX_PROPOSALS}
     * @throws RentalException.Unacceptable if the query's time is over
     */
    public List<Proposals.Ranked> propose(ListingQuery query, Objective objective, int most) {
        return search.propose(query, objective, most);
    }

    /**
     * Returns the listings that fit a query with all the time in which each could be rented, for {@code Matching.best}, which
     * serves many requests at once.
     *
     * @param query what is looked for, in what time, and how many answers at most
     */
    public List<Candidate> candidates(ListingQuery query) {
        return search.candidates(query);
    }

    /**
     * Finds where a session can be had again, nearest first, and says in what each would differ.
     *
     * @param manifest what the session ran on, such as {@link Rental#manifest}
     * @param query when, and what else matters; ask for the same number of gpus to get the same
     */
    public List<Rebooking> rebook(Manifest manifest, ListingQuery query) {
        return search.rebook(manifest, query);
    }

    @Override
    public GpuCondition releaseGpu(GpuId gpu, Account operator, String why) {
        return commands.releaseGpu(gpu, operator, why);
    }

    @Override
    public Maintenance block(Account lender, Maintenance maintenance) {
        return commands.block(lender, maintenance);
    }

    @Override
    public boolean unblock(Account lender, HostId host, String name) {
        return commands.unblock(lender, host, name);
    }

    /** Returns the maintenance windows of a lender's host, by start. */
    public List<Maintenance> maintenances(Account lender, HostId host) {
        return operations.maintenances(lender, host);
    }

    // ---- booking

    @Override
    public Quote quote(Account renter, ListingId listing, Window window) {
        return commands.quote(renter, listing, window);
    }

    @Override
    public Rental reserve(RentalId quote, Account renter) {
        return commands.reserve(quote, renter);
    }

    @Override
    public Rental reserve(Account renter, ListingId listing, Window window, Amount most) {
        return commands.reserve(renter, listing, window, most);
    }

    @Override
    public Rental signOffer(RentalId id, Signature lenderSignature) {
        return commands.signOffer(id, lenderSignature);
    }

    @Override
    public Rental cancel(RentalId id, Account caller) {
        return commands.cancel(id, caller);
    }

    // ---- session

    @Override
    public SessionAccess.Grant issueCertificate(RentalId id, Account renter, String publicKey) {
        return commands.issueCertificate(id, renter, publicKey);
    }

    @Override
    public Rental end(RentalId id, Account caller) {
        return commands.end(id, caller);
    }

    @Override
    public Rental endByOperator(RentalId id, Fault reason) {
        return commands.endByOperator(id, reason);
    }

    @Override
    public Quote quoteExtension(RentalId id, Account renter, Instant newEnd) {
        return commands.quoteExtension(id, renter, newEnd);
    }

    @Override
    public Rental extend(RentalId id, Account renter, RentalId quote) {
        return commands.extend(id, renter, quote);
    }

    @Override
    public Rental reclaim(RentalId id, Account lender, Instant at) {
        return commands.reclaim(id, lender, at);
    }

    // ---- settlement

    /**
     * Returns the EIP-712 digest of the receipt of a rental that was not extended: the seconds owed, as the meter counted
     * them or the terms say. Renter and lender sign it.
     *
     * @throws RentalException.WrongState if the session is not over, or more than one leg is to be signed for
     */
    public Hash32 receiptToSign(RentalId id) {
        Rental rental = rentals.existing(id);
        return Signing.only(rental, signing.receipts(rental)).digest();
    }

    /**
     * Returns the receipts of all legs whose deposit is locked, in order. Renter and lender sign each.
     *
     * @throws RentalException.WrongState if the session is not over
     */
    public List<LegDigest> receiptsToSign(RentalId id) {
        return signing.receipts(rentals.existing(id));
    }

    @Override
    public Rental signReceipt(RentalId id, Account signer, Signature signature) {
        return commands.signReceipt(id, signer, signature);
    }

    @Override
    public Rental signReceipts(RentalId id, Account signer, List<Signature> signatures) {
        return commands.signReceipts(id, signer, signatures);
    }

    /**
     * Returns the EIP-712 digest by which the lender gives everything back, of a rental that was not extended.
     *
     * @throws RentalException.WrongState if there is no offer, or more than one
     */
    public Hash32 releaseToSign(RentalId id) {
        Rental rental = rentals.existing(id);
        return Signing.only(rental, signing.releases(rental)).digest();
    }

    /** Returns the digests by which the lender gives everything back, of all legs that are not closed, in order. */
    public List<LegDigest> releasesToSign(RentalId id) {
        return signing.releases(rentals.existing(id));
    }

    @Override
    public Rental signRelease(RentalId id, Signature lenderSignature) {
        return commands.signRelease(id, lenderSignature);
    }

    @Override
    public Rental signReleases(RentalId id, List<Signature> signatures) {
        return commands.signReleases(id, signatures);
    }

    // ---- reading

    /**
     * Returns a rental to one of its parties.
     *
     * @throws RentalException.NotFound if there is none, or it is not the caller's
     */
    public Rental rental(RentalId id, Account caller) {
        return rentals.ofParty(id, caller);
    }

    /**
     * Returns the rentals with a step that failed for longer than the policy allows, oldest first, for an operator; what
     * and why, {@link Rental#stuck} says.
     */
    public List<Rental> stuck() {
        return operations.stuck();
    }

    /**
     * Lets an operator into a running session for a while, by a certificate of its own kind, where the access was opened
     * with it; else it is refused. The grant is in the audit log before it takes effect, and so is each login by it. Each
     * call is a grant of its own, in place of an earlier one of the same operator's for the same rental, and counts at this
     * engine's gateway until that is restarted.
     *
     * @param operator who enters; 1 to 48 of a-z, 0-9 and inner hyphens
     * @param reason why, for the record; 1 to 200 characters
     * @param until when it ends, not after the session does
     * @param publicKey the operator's public key, one line in OpenSSH's format
     * @throws org.computehive.access.AccessException.LeaseRefused if it is off
     * @throws org.computehive.access.AccessException.OutsideWindow if it would be over, or last longer than it may
     * @throws RentalException.NotFound if there is no such rental
     * @throws RentalException.WrongState if nobody may enter it now
     * @throws RentalException.Unacceptable if it would be longer than the session
     */
    public SessionAccess.Grant breakGlass(
            RentalId id, String operator, String reason, Instant until, String publicKey) {
        return operations.breakGlass(id, operator, reason, until, publicKey);
    }

    /**
     * Revokes certificates of a rental's for good: the renter lost a key. Their connections are cut, and no login by one
     * is let in, at this engine at once, at those of other replicas at each login and their next look. Others of the
     * rental's, and those that are issued afterwards, count. Repeating it changes nothing.
     *
     * @param renter its renter
     * @param serials which, as {@link SessionAccess.Grant#serial} says; none for all that were issued so far
     * @throws RentalException.NotFound if there is no such rental of the renter's, or it has no such certificate
     * @throws RentalException.WrongState if nobody may enter it now
     */
    public Rental revokeCertificates(RentalId id, Account renter, Set<String> serials) {
        return operations.revokeCertificates(id, renter, serials);
    }

    /**
     * Revokes certificates of a rental's, as its renter may. Whoever embeds the engine has made sure that an operator asks.
     *
     * @param serials which; none for all that were issued so far
     * @param why stored and in the audit log, so no secrets; not blank
     * @throws RentalException.NotFound if there is no such rental, or it has no such certificate
     * @throws RentalException.Unacceptable if the reason is blank
     * @throws RentalException.WrongState if nobody may enter it now
     */
    public Rental revokeCertificates(RentalId id, Set<String> serials, String why) {
        return operations.revokeCertificates(id, serials, why);
    }

    @Override
    public Rental resume(RentalId id, String note) {
        return commands.resume(id, note);
    }

    /** Returns a party's rentals, newest first: the newest {@value RentalStore#MOST} of them. */
    public List<Rental> rentals(Account party) {
        return store.of(party, RentalStore.MOST);
    }

    /** Returns a rental's events with the salts that open their audit commitments, to one of its parties. */
    public List<Recorded> history(RentalId id, Account caller) {
        rentals.ofParty(id, caller);
        return store.history(id);
    }

    /** Completes with a rental once it is as asked: now, or after an event that this engine commits. */
    public CompletableFuture<Rental> when(RentalId id, Predicate<Rental> condition) {
        return journal.when(id, condition);
    }

    /**
     * Completes with a rental when it is in a state: now, or after an event that this engine commits. A state that it left
     * behind is not waited for again; the future stays open then.
     */
    public CompletableFuture<Rental> when(RentalId id, RentalState state) {
        return journal.when(id, rental -> rental.state() == state);
    }

    /**
     * Tells a listener of every event that this engine commits, after it is durable; it must return soon.
     *
     * @return ends the subscription
     */
    public AutoCloseable listen(Consumer<Recorded> listener) {
        return journal.listen(listener);
    }

    // ---- running

    /**
     * Starts to carry rentals out, and picks up what an earlier run left: hosts are registered before.
     */
    public void start() {
        journal.takeOver(Instant.MAX);
        access.onDecision(this::note);
        access.start();
        new Reconciler(store, access, journal).reconcile(steps.hosts());
        pruning.run();
        store.timers().start((id, version) -> {
            pruning.run();
            auditSweep.run();
            return runner.wake(id, version);
        });
        search.start();
        chainSubscription = escrow.onChange(() -> background(this::nudgeOpenOnChain));
        if (clockWatch != null) {
            clockWatch.start();
        }
    }

    /** What is due by the clock as it is now is due: it is said in the audit log, and the timers look again at once. */
    private void clockJumped(ClockWatch.Jump jump) {
        LOG.warn(
                "the clock jumped by {}, from {} to {}: it was set, or the machine was suspended",
                jump.length(),
                jump.from(),
                jump.to());
        store.timers().hurry();
        journal.note("clock.jumped", "clock", jump.to(), "by %s, from %s".formatted(jump.length(), jump.from()));
    }

    /**
     * Puts what the gateway decided in the audit log before it takes effect. What strangers try who name no rental stays
     * out, or anybody could fill the log.
     */
    private void note(SessionAccess.Decision decision) {
        RentalId.ofPrincipal(decision.principal())
                .filter(id -> store.rental(id).isPresent())
                .ifPresent(id -> journal.note(
                        "access." + decision.kind(), id, decision.principal(), decision.at(), decision.detail()));
        if (decision.kind().equals("accepted")) {
            RentalId.ofPrincipal(decision.principal()).ifPresent(this::enter);
        }
    }

    /** Notes that the renter came, before it is let in: a session that ends when nobody comes must not end on it. */
    private void enter(RentalId id) {
        while (true) {
            Optional<Rental> rental =
                    store.rental(id).filter(known -> known.enteredAt().isEmpty() && known.mayEnter());
            if (rental.isEmpty()) {
                return;
            }
            try {
                journal.commit(rental.get(), new RentalEvent.Entered(journal.now()));
                return;
            } catch (RentalException.Superseded e) {
                LOG.debug("{} changed meanwhile; looking again", rental.get());
            } catch (RentalException.WrongState e) {
                LOG.debug("{} was entered before it was said to run", rental.get());
                return;
            }
        }
    }

    private void nudgeOpenOnChain() {
        store.allInStates(OPEN_ON_CHAIN)
                .filter(rental -> rental.state() != RentalState.ACTIVE
                        || rental.pendingExtension().isPresent())
                .filter(rental -> rental.offerSignature().isPresent())
                .map(Rental::id)
                .forEach(id -> background(() -> runner.nudge(id)));
    }

    private void background(Runnable work) {
        try {
            nudges.execute(() -> {
                try {
                    work.run();
                } catch (RuntimeException e) {
                    LOG.warn("background work failed; its timer will try again", e);
                }
            });
        } catch (RejectedExecutionException e) {
            LOG.debug("closing: left to the timers of the next run");
        }
    }

    /** Stops carrying rentals out and closes access, escrow and store. Hypervisors and VMs stay as they are. */
    @Override
    public void close() {
        closeQuietly(clockWatch);
        closeQuietly(chainSubscription);
        nudges.shutdown();
        closeQuietly(store.timers());
        nudges.close();
        closeQuietly(search);
        closeQuietly(access);
        closeQuietly(escrow);
        closeQuietly(store);
        closeQuietly(ownLog);
    }

    static void closeQuietly(@Nullable AutoCloseable part) {
        if (part == null) {
            return;
        }
        try {
            part.close();
        } catch (Exception e) {
            LOG.warn("closing {} failed", part.getClass().getSimpleName(), e);
        }
    }

    /** Returns where rent is locked: without one set on the builder, an {@code InMemoryEscrow}, whose parties pay play money. */
    public Escrow escrow() {
        return escrow;
    }
}
