package org.computehive.rental;

import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.computehive.audit.AuditLog;
import org.computehive.market.Account;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
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
public final class RentalEngine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RentalEngine.class);
    private static final Set<RentalState> OPEN_ON_CHAIN =
            EnumSet.of(RentalState.RESERVED, RentalState.FUNDED, RentalState.ENDED, RentalState.CANCELLED);
    private static final int MANY = 10_000;
    /** A renter may ask for many certificates; every reading of a rental reads all its events. */
    private static final int MOST_EVENTS = 200;

    private final RentalStore store;
    private final Escrow escrow;
    private final SessionAccess access;
    private final PriceAdvisor advisor;
    private final RentalPolicy policy;
    private final Journal journal;
    private final Market market;
    private final Bookings bookings;
    private final Steps steps;
    private final Runner runner;
    private final ExecutorService nudges = Executors.newVirtualThreadPerTaskExecutor();
    private final @Nullable AuditLog ownLog;
    private @Nullable AutoCloseable chainSubscription;

    RentalEngine(RentalEngineBuilder.Ports ports, InstantSource clock, RentalPolicy policy) {
        store = ports.store();
        escrow = ports.escrow();
        access = ports.access();
        advisor = ports.priceAdvisor();
        ownLog = ports.ownLog();
        this.policy = policy;
        journal = new Journal(store, ports.auditLog(), clock, policy);
        steps = new Steps(store, escrow, access, new Invitations(ports.notifier()), journal, policy);
        runner = new Runner(store, steps, journal, policy);
        market = new Market(store, steps, escrow.token(), policy, journal);
        bookings = new Bookings(store, market, journal, policy);
    }

    /**
     * Returns a builder. What it is not told comes in memory, or in a folder if it is given one: see
     * {@link EmbeddedParts}.
     */
    public static RentalEngineBuilder builder() {
        return new RentalEngineBuilder();
    }

    // ---- hosts and listings

    /**
     * Reads a host's inventory, keeps it, and runs VMs on it from now on. Called again for the same host after a restart.
     *
     * @param id the lender's name for it
     * @param lender who owns it
     * @param hypervisor its hypervisor; stays open when the engine closes
     * @throws HypervisorException if it can't be read
     * @throws RentalException.NotAllowed if the name is another lender's
     */
    public Host registerHost(HostId id, Account lender, Hypervisor hypervisor) {
        return market.register(id, lender, hypervisor);
    }

    /** Returns all hosts. */
    public List<Host> hosts() {
        return store.hosts();
    }

    /**
     * Suggests a price. Nothing applies it: a lender who likes it puts it in a listing.
     *
     * @throws IllegalArgumentException if the request makes no sense
     */
    public PriceSuggestion suggestPrice(PriceAdvisor.Request request) {
        return advisor.suggest(request);
    }

    /**
     * Offers gpus, or changes an offer of the same id; rentals and quotes already made keep their terms.
     *
     * @param listing what is offered
     * @throws RentalException.NotFound if there is no such host, or not of this lender's
     * @throws RentalException.Unacceptable if the listing promises more than its host can keep, or a gpu can't be rented
     * @throws RentalException.NotAllowed if the listing's id is another lender's
     */
    public Listing list(Listing listing) {
        return market.list(listing);
    }

    /** Returns a listing. */
    public Listing listing(ListingId id) {
        return market.listing(id);
    }

    /** Returns the listings that fit a query and are free in its window, cheapest first. A hint: a reservation decides. */
    public List<Listing> search(ListingQuery query) {
        return market.search(query);
    }

    /**
     * Makes a quarantined gpu rentable again, once its lender has seen to it.
     *
     * @param gpu the device
     * @param lender the owner of its host
     * @param why what was done; kept with the gpu and in the audit log
     * @throws RentalException.NotFound if the lender has no such gpu
     */
    public GpuCondition releaseGpu(GpuId gpu, Account lender, String why) {
        return market.release(gpu, lender, why);
    }

    // ---- booking

    /**
     * Quotes a listing's price for a window.
     *
     * @param renter whom it is for
     * @param listing what it is for
     * @param window when; in whole seconds, ending in the future
     * @throws RentalException.Unacceptable if the window breaks a rule of the listing
     */
    public Quote quote(Account renter, ListingId listing, Window window) {
        return bookings.quote(renter, listing, window);
    }

    /**
     * Takes up a quote: holds the gpus until the escrow is funded or the hold runs out. Repeating it returns the rental.
     *
     * @param quote the quote's id, which becomes the rental's
     * @param renter whom the quote is for
     * @throws RentalException.Expired if the quote is over
     * @throws RentalException.Overlap if a gpu is taken in the window
     */
    public Rental reserve(RentalId quote, Account renter) {
        return bookings.reserve(quote, renter);
    }

    /**
     * Takes the lender's signature of the offer; then the renter may open the escrow with it.
     *
     * @throws RentalException.WrongState if there is no unsigned offer
     * @throws EscrowException.Refused if it is not the lender's signature
     */
    public Rental signOffer(RentalId id, Signature lenderSignature) {
        EscrowOffer offer = existingRental(id)
                .offer()
                .orElseThrow(() -> new RentalException.WrongState("rental %s has no offer to sign yet".formatted(id)));
        escrow.checkSignature(offer.lender(), offer.digest(), lenderSignature);
        return commit(id, rental -> new RentalEvent.OfferSigned(journal.now(), lenderSignature));
    }

    /**
     * Calls a rental off before it starts. A deposit that is locked already goes back when the renter ends the escrow on
     * the chain. A lender calls off a funded rental by {@link #signRelease}, which gives all back at once.
     *
     * @throws RentalException.NotFound if the caller is neither renter nor lender
     * @throws RentalException.WrongState if it is too late, the caller is the lender and the deposit is locked, or the offer
     *     is signed but not yet funded: then the hold runs out by itself
     */
    public Rental cancel(RentalId id, Account caller) {
        partyRental(id, caller);
        return commit(id, rental -> new RentalEvent.Cancelled(journal.now(), caller));
    }

    // ---- session

    /**
     * Issues a certificate for the renter's key, worth nothing outside the window.
     *
     * @param id the rental
     * @param renter its renter
     * @param publicKey one line in OpenSSH's format
     * @throws IllegalArgumentException if it is not a public key that is accepted
     * @throws RentalException.WrongState if the escrow is not funded or the session is over
     */
    public SessionAccess.Grant issueCertificate(RentalId id, Account renter, String publicKey) {
        Rental rental = renterRental(id, renter);
        if (!rental.mayEnter()
                || !journal.now().isBefore(rental.terms().window().end())) {
            throw new RentalException.WrongState(
                    "rental %s is %s: a certificate is issued from funding to the window's end"
                            .formatted(id, rental.state()));
        }
        if (rental.version() > MOST_EVENTS) {
            throw new RentalException.Unacceptable(
                    "rental %s has more than %d events: use a certificate that was issued already"
                            .formatted(id, MOST_EVENTS));
        }
        SessionAccess.Grant grant = access.issue(id, rental.terms().window(), publicKey);
        commit(
                id,
                current -> new RentalEvent.CertificateIssued(
                        journal.now(), grant.serial(), grant.keyFingerprint(), grant.notAfter()));
        return grant;
    }

    /**
     * Ends a session early. The meter stops now; access is cut first, then the VM and its disk key go.
     *
     * @throws RentalException.NotAllowed if the caller is not the renter
     * @throws RentalException.WrongState if no session runs
     */
    public Rental end(RentalId id, Account renter) {
        renterRental(id, renter);
        Rental ending = commit(id, rental -> new RentalEvent.Ending(journal.now(), RentalEvent.EndCause.BY_RENTER));
        // At once, even while a step of this rental waits for its host; the step that follows makes sure.
        access.cut(id, "the renter ended it");
        return ending;
    }

    // ---- settlement

    /**
     * Returns the EIP-712 digest of the receipt: the seconds used, as the meter counted them. Renter and lender sign it.
     *
     * @throws RentalException.WrongState if the session is not over
     */
    public Hash32 receiptToSign(RentalId id) {
        Rental rental = endedRental(id);
        return escrow.receiptDigest(rental.offer().orElseThrow(), rental.used());
    }

    /**
     * Takes a party's signature of the receipt, the renter's before the lender's; with both the escrow is settled at once.
     *
     * @param id the rental
     * @param signer its renter or its lender
     * @param signature of {@link #receiptToSign}
     * @throws EscrowException.Refused if it is not that party's signature
     * @throws RentalException.WrongState if the session is not over, or the lender comes first
     */
    public Rental signReceipt(RentalId id, Account signer, Signature signature) {
        partyRental(id, signer);
        escrow.checkSignature(signer, receiptToSign(id), signature);
        return commit(
                id,
                rental -> signer.equals(rental.terms().renter())
                        ? new RentalEvent.ReceiptSigned(journal.now(), rental.used(), signature)
                        : new RentalEvent.ReceiptCountersigned(journal.now(), signature));
    }

    /**
     * Returns the EIP-712 digest by which the lender gives everything back.
     *
     * @throws RentalException.WrongState if there is no offer
     */
    public Hash32 releaseToSign(RentalId id) {
        Rental rental = existingRental(id);
        return escrow.releaseDigest(rental.offer()
                .orElseThrow(() -> new RentalException.WrongState("rental %s has no offer".formatted(id))));
    }

    /**
     * Takes the lender's signed release; the deposit goes back at once. Before the start this calls the rental off.
     *
     * @throws EscrowException.Refused if it is not the lender's signature of {@link #releaseToSign}
     * @throws RentalException.WrongState if nothing is locked, or a session runs
     */
    public Rental signRelease(RentalId id, Signature lenderSignature) {
        Rental known = existingRental(id);
        escrow.checkSignature(known.terms().lender(), releaseToSign(id), lenderSignature);
        return commit(id, rental -> new RentalEvent.ReleaseSigned(journal.now(), lenderSignature));
    }

    /** Commits an event to a rental as it is now: what comes between is no reason to fail. */
    private Rental commit(RentalId id, Function<Rental, RentalEvent> event) {
        while (true) {
            Rental rental = existingRental(id);
            try {
                return journal.commit(rental, event.apply(rental));
            } catch (RentalException.Superseded e) {
                LOG.debug("{} changed meanwhile; looking again", rental);
            }
        }
    }

    // ---- reading

    /**
     * Returns a rental to one of its parties.
     *
     * @throws RentalException.NotFound if there is none, or it is not the caller's
     */
    public Rental rental(RentalId id, Account caller) {
        return partyRental(id, caller);
    }

    /** Returns a party's rentals, newest first. */
    public List<Rental> rentals(Account party) {
        return store.of(party, MANY);
    }

    /** Returns a rental's events with the salts that open their audit commitments, to one of its parties. */
    public List<Recorded> history(RentalId id, Account caller) {
        partyRental(id, caller);
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

    private Rental existingRental(RentalId id) {
        return store.rental(id).orElseThrow(() -> new RentalException.NotFound("there is no rental %s".formatted(id)));
    }

    private Rental endedRental(RentalId id) {
        Rental rental = existingRental(id);
        if (rental.endedAt().isEmpty()) {
            throw new RentalException.WrongState(
                    "rental %s is %s: a receipt is for a session that ended".formatted(id, rental.state()));
        }
        return rental;
    }

    private Rental partyRental(RentalId id, Account caller) {
        Rental rental = existingRental(id);
        if (!caller.equals(rental.terms().renter())
                && !caller.equals(rental.terms().lender())) {
            throw new RentalException.NotFound("there is no rental %s".formatted(id));
        }
        return rental;
    }

    private Rental renterRental(RentalId id, Account caller) {
        Rental rental = partyRental(id, caller);
        if (!caller.equals(rental.terms().renter())) {
            throw new RentalException.NotAllowed("only the renter of %s may do this".formatted(id));
        }
        return rental;
    }

    // ---- running

    /**
     * Starts to carry rentals out, and picks up what an earlier run left: hosts are registered before.
     */
    public void start() {
        journal.takeOver(Instant.MAX);
        access.onDecision(this::note);
        new Reconciler(store, access, journal).reconcile(steps.hosts());
        store.timers().start(runner);
        chainSubscription = escrow.onChange(() -> background(this::nudgeOpenOnChain));
    }

    /**
     * Puts what the gateway decided in the audit log before it takes effect. What strangers try who name no rental stays
     * out, or anybody could fill the log.
     */
    private void note(SessionAccess.Decision decision) {
        if (RentalId.ofPrincipal(decision.principal()).flatMap(store::rental).isPresent()) {
            journal.note("access." + decision.kind(), decision.principal(), decision.at(), decision.detail());
        }
    }

    private void nudgeOpenOnChain() {
        for (Rental rental : store.inStates(OPEN_ON_CHAIN, MANY)) {
            if (rental.offerSignature().isPresent()) {
                background(() -> runner.nudge(rental.id()));
            }
        }
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
        closeQuietly(chainSubscription);
        nudges.shutdown();
        closeQuietly(store.timers());
        nudges.close();
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
