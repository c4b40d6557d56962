package org.computehive.rental.memory;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.Escrow;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;

/**
 * An escrow in memory that moves no real money: for tests, simulations and the first steps in JShell.
 *
 * <p>It has the rules of the contract on a chain (who may open, end and settle when, and who gets what), a ledger of its
 * own, and parties with Ed25519 keys whose signatures are really checked. Digests are SHA-256 over the members' text and
 * mean nothing to a chain. Everything is final at once, and all is forgotten when the process ends. Thread-safe.
 */
public final class InMemoryEscrow implements Escrow {
    private final Token token;
    private final InstantSource clock;
    private final Map<Lane, BigInteger> sequences = new HashMap<>();
    private final Map<Lane, Hash32> rented = new HashMap<>();
    private final Map<Hash32, Entry> records = new HashMap<>();
    private final Map<Account, Amount> balances = new HashMap<>();
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService calls = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("in-memory-escrow").factory());
    private boolean reachable = true;
    private long transactions;

    private record Lane(Account lender, BigInteger number) {}

    private record Entry(Reading.Open opened, Reading latest) {}

    private record Listener(Runnable runnable, Object identity) {}

    /**
     * Makes an empty one.
     *
     * @param token what its amounts are shown in; no such token is touched
     * @param clock the time that windows and locks are measured by
     */
    public InMemoryEscrow(Token token, InstantSource clock) {
        this.token = token;
        this.clock = clock;
    }

    /** Makes a party with a new key and a balance out of nothing. */
    public Party party(Amount balance) {
        var party = new Party();
        synchronized (this) {
            balances.put(party.account(), balance);
        }
        return party;
    }

    /** Makes this behave like a chain that can be reached, or can't; the ledger stays as it is. */
    public void setReachable(boolean yes) {
        synchronized (this) {
            reachable = yes;
        }
        changed();
    }

    /** A lender or a renter with its key. Thread-safe. */
    public final class Party {
        private final PlayKey key = new PlayKey();
        private final Account account = key.account();

        private Party() {}

        /** Returns the party's account, made from its public key. */
        public Account account() {
            return account;
        }

        /** Signs a digest: the public key and an Ed25519 signature. */
        public Signature sign(Hash32 digest) {
            return key.sign(digest);
        }

        /**
         * Opens an escrow as its renter: locks the deposit.
         *
         * @return the transaction that opened it, also where that happened before
         * @throws EscrowException if it is refused
         */
        public Hash32 open(EscrowOffer offer, Signature lenderSignature) {
            return InMemoryEscrow.this.open(account, offer, lenderSignature);
        }

        /**
         * Ends a rental as its renter: pays the seconds since the start, nothing before it and within its grace.
         *
         * @throws EscrowException if it is refused
         */
        public Reading.Closed end(EscrowOffer offer) {
            return InMemoryEscrow.this.end(account, offer);
        }

        /** Returns what the party owns: not what is locked. */
        public Amount balance() {
            return balanceOf(account);
        }
    }

    @Override
    public Token token() {
        return token;
    }

    @Override
    public synchronized EscrowOffer offer(Terms terms) {
        checkSeconds(terms);
        requireReachable();
        var lane = new Lane(terms.lender(), terms.lane());
        Hash32 taken = rented.get(lane);
        if (taken != null) {
            throw refused("lane %s of %s is taken by rental %s: use another lane, or settle that one first"
                    .formatted(terms.lane(), terms.lender(), taken));
        }
        return written(terms, sequences.getOrDefault(lane, BigInteger.ZERO));
    }

    private EscrowOffer written(Terms terms, BigInteger sequence) {
        return new EscrowOffer(
                terms.lender(),
                terms.lane(),
                sequence,
                terms.renter(),
                token.contract(),
                terms.arbiter(),
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                terms.expiry(),
                terms.spec(),
                PlayKey.digest("offer", terms, sequence, token.contract()));
    }

    @Override
    public void checkSignature(Account signer, Hash32 digest, Signature signature) {
        requireSignature(signer, digest, signature);
    }

    @Override
    public synchronized Reading read(EscrowOffer offer) {
        if (!reachable) {
            return new Reading.Unknown("the in-memory escrow is set to be unreachable");
        }
        if (!isOurs(offer)) {
            return new Reading.Unknown("offer %s was changed, or is another escrow's".formatted(offer.digest()));
        }
        Entry record = records.get(offer.digest());
        return record == null ? new Reading.Absent(now()) : record.latest();
    }

    @Override
    public Hash32 receiptDigest(EscrowOffer offer, Duration used) {
        requireOurs(offer);
        requireUsed(offer, used);
        return PlayKey.digest("receipt", offer.digest(), used.toSeconds());
    }

    @Override
    public Hash32 releaseDigest(EscrowOffer offer) {
        requireOurs(offer);
        return PlayKey.digest("release", offer.digest());
    }

    @Override
    public Reading.Closed settle(EscrowOffer offer, Settlement settlement) {
        requireOurs(offer);
        if (settlement instanceof Settlement.ByReceipt receipt) {
            requireUsed(offer, receipt.used());
        }
        return close(offer, () -> settledSeconds(offer, settlement));
    }

    private Duration settledSeconds(EscrowOffer offer, Settlement settlement) {
        switch (settlement) {
            case Settlement.ByReceipt receipt -> {
                Hash32 digest = receiptDigest(offer, receipt.used());
                requireSignature(offer.renter(), digest, receipt.renterSignature());
                requireSignature(offer.lender(), digest, receipt.lenderSignature());
                return receipt.used();
            }
            case Settlement.ByRelease release -> {
                requireSignature(offer.lender(), releaseDigest(offer), release.lenderSignature());
                return Duration.ZERO;
            }
            case Settlement.ByTimeLock lock -> {
                Instant from = offer.window().end().plus(offer.disputeWindow());
                if (now().isBefore(from)) {
                    throw new EscrowException.NotYet(
                            "the time lock holds until %s; try again then".formatted(from), null);
                }
                return offer.window().length();
            }
        }
    }

    private Reading.Closed end(Account caller, EscrowOffer offer) {
        requireOurs(offer);
        if (!caller.equals(offer.renter())) {
            throw refused("%s is not the renter %s".formatted(caller, offer.renter()));
        }
        return close(offer, () -> accrued(offer));
    }

    private Hash32 open(Account caller, EscrowOffer offer, Signature lenderSignature) {
        requireOurs(offer);
        Hash32 transaction;
        synchronized (this) {
            requireReachable();
            Entry before = records.get(offer.digest());
            if (before != null) {
                return before.opened().transaction();
            }
            requireOpenable(caller, offer, lenderSignature);
            var lane = new Lane(offer.lender(), offer.lane());
            balances.put(caller, balanceOf(caller).minus(offer.deposit()));
            rented.put(lane, offer.digest());
            transaction = transaction();
            var opened = new Reading.Open(offer.deposit(), transaction, now());
            records.put(offer.digest(), new Entry(opened, opened));
        }
        changed();
        return transaction;
    }

    private void requireOpenable(Account caller, EscrowOffer offer, Signature lenderSignature) {
        var lane = new Lane(offer.lender(), offer.lane());
        if (!caller.equals(offer.renter())) {
            throw refused("%s is not the renter %s".formatted(caller, offer.renter()));
        }
        if (now().isAfter(offer.expiry())) {
            throw new EscrowException.OfferExpired(
                    "offer %s expired at %s".formatted(offer.digest(), offer.expiry()), null);
        }
        if (!now().isBefore(offer.window().end())) {
            throw new EscrowException.OfferExpired("window %s is over".formatted(offer.window()), null);
        }
        if (rented.containsKey(lane)) {
            throw new EscrowException.OfferUsed(
                    "lane %s is taken by rental %s".formatted(offer.lane(), rented.get(lane)), null);
        }
        BigInteger expected = sequences.getOrDefault(lane, BigInteger.ZERO);
        if (!offer.sequence().equals(expected)) {
            throw new EscrowException.OfferUsed(
                    "lane %s waits for offer number %s, not %s".formatted(offer.lane(), expected, offer.sequence()),
                    null);
        }
        requireSignature(offer.lender(), offer.digest(), lenderSignature);
        if (balanceOf(caller).compareTo(offer.deposit()) < 0) {
            throw new EscrowException.InsufficientFunds(
                    "%s owns %s, the deposit is %s".formatted(caller, balanceOf(caller), offer.deposit()), null);
        }
    }

    private interface Meter {
        Duration used();
    }

    private Reading.Closed close(EscrowOffer offer, Meter meter) {
        Reading.Closed closed;
        synchronized (this) {
            requireReachable();
            Entry record = records.get(offer.digest());
            if (record == null) {
                throw refused("offer %s was never opened".formatted(offer.digest()));
            }
            if (record.latest() instanceof Reading.Closed before) {
                return before;
            }
            Amount paid = offer.rate().cost(meter.used());
            Amount refunded = offer.deposit().minus(paid);
            balances.merge(offer.lender(), paid, Amount::plus);
            balances.merge(offer.renter(), refunded, Amount::plus);
            var lane = new Lane(offer.lender(), offer.lane());
            rented.remove(lane);
            sequences.put(lane, offer.sequence().add(BigInteger.ONE));
            closed = new Reading.Closed(paid, refunded, transaction(), now());
            records.put(offer.digest(), new Entry(record.opened(), closed));
        }
        changed();
        return closed;
    }

    private Duration accrued(EscrowOffer offer) {
        Instant start = offer.window().start();
        if (!now().isAfter(start.plus(offer.grace()))) {
            return Duration.ZERO;
        }
        Duration elapsed = Duration.between(start, now());
        return elapsed.compareTo(offer.window().length()) < 0
                ? elapsed
                : offer.window().length();
    }

    private synchronized Amount balanceOf(Account account) {
        return balances.getOrDefault(account, Amount.ZERO);
    }

    private Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS);
    }

    private Hash32 transaction() {
        return PlayKey.digest("transaction", ++transactions, System.identityHashCode(this));
    }

    private void requireReachable() {
        if (!reachable) {
            throw new EscrowException.Unreachable("the in-memory escrow is set to be unreachable", null);
        }
    }

    private void requireOurs(EscrowOffer offer) {
        if (!isOurs(offer)) {
            throw refused("offer %s was changed, or is another escrow's".formatted(offer.digest()));
        }
    }

    private boolean isOurs(EscrowOffer offer) {
        var terms = new Terms(
                offer.lender(),
                offer.lane(),
                offer.renter(),
                offer.arbiter(),
                offer.rate(),
                offer.window(),
                offer.grace(),
                offer.disputeWindow(),
                offer.expiry(),
                offer.spec());
        return PlayKey.digest("offer", terms, offer.sequence(), offer.token()).equals(offer.digest())
                && offer.token().equals(token.contract());
    }

    private static void requireUsed(EscrowOffer offer, Duration used) {
        requireSeconds("used time", used);
        if (used.compareTo(offer.window().length()) > 0) {
            throw new IllegalArgumentException("used time %s is over the window's length %s"
                    .formatted(used, offer.window().length()));
        }
    }

    private static void checkSeconds(Terms terms) {
        requireSeconds(
                "window start", Duration.between(Instant.EPOCH, terms.window().start()));
        requireSeconds("window length", terms.window().length());
        requireSeconds("grace", terms.grace());
        requireSeconds("dispute window", terms.disputeWindow());
        requireSeconds("expiry", Duration.between(Instant.EPOCH, terms.expiry()));
        if (terms.lane().signum() < 0 || terms.lane().bitLength() > Long.SIZE) {
            throw new IllegalArgumentException("lane %s is out of range: 0 to 2^64 - 1".formatted(terms.lane()));
        }
    }

    private static void requireSeconds(String what, Duration time) {
        if (time.isNegative() || time.toNanosPart() != 0) {
            throw new IllegalArgumentException(
                    "%s %s is negative or not in whole seconds: a chain counts seconds".formatted(what, time));
        }
    }

    private static void requireSignature(Account signer, Hash32 digest, Signature signature) {
        if (!PlayKey.verifies(signer, digest, signature)) {
            throw new EscrowException.InvalidSignature(
                    "the signature over %s is not %s's: sign that digest with that account's key"
                            .formatted(digest, signer),
                    null);
        }
    }

    private static EscrowException.Refused refused(String message) {
        return new EscrowException.Refused(message, null);
    }

    private void changed() {
        if (!calls.isShutdown()) {
            listeners.forEach(listener -> calls.execute(listener.runnable()));
        }
    }

    @Override
    public AutoCloseable onChange(Runnable listener) {
        var entry = new Listener(listener, new Object());
        listeners.add(entry);
        return () -> listeners.remove(entry);
    }

    @Override
    public void close() {
        calls.shutdown();
    }
}
