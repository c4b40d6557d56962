package org.computehive.rental.memory;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.Escrow;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.jspecify.annotations.Nullable;

/**
 * An escrow in memory that moves no real money: for tests, simulations and the first steps in JShell.
 *
 * <p>It has the rules of the contract on a chain (who may open, end and settle when, and who gets what), a ledger of its
 * own, and parties with Ed25519 keys whose signatures are really checked. Digests are SHA-256 over the members' text and
 * mean nothing to a chain. Everything is final at once, and all is forgotten when the process ends. Thread-safe.
 */
public final class InMemoryEscrow implements Escrow {
    private final Token token;
    private final PlayContract contract;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private final ExecutorService calls = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("in-memory-escrow").factory());
    private boolean reachable = true;

    private record Listener(Runnable runnable, Object identity) {}

    /**
     * Makes an empty one.
     *
     * @param token what its amounts are shown in; no such token is touched
     * @param clock the time that windows and locks are measured by
     */
    public InMemoryEscrow(Token token, InstantSource clock) {
        this.token = token;
        this.contract = new PlayContract(clock);
    }

    /** Makes a party with a new key and a balance out of nothing. */
    public Party party(Amount balance) {
        var party = new Party();
        synchronized (this) {
            contract.credit(party.account(), balance);
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

    /** A lender, a renter or an arbiter with its key. Thread-safe. */
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
         * Ends a rental as its renter, who pays what it owes: the seconds since the start, none within the grace, and the
         * share of one who calls off late at least.
         *
         * @throws EscrowException if it is refused
         */
        public Reading.Closed end(EscrowOffer offer) {
            return (Reading.Closed) change(offer, () -> contract.endByRenter(account, offer));
        }

        /**
         * Ends a rental as its lender. Until its grace is over that gives everything back at once, and may cost of the bond;
         * later the lender claims the seconds since the start, which the renter may dispute.
         *
         * @return closed, or open in the phase that it is in then
         * @throws EscrowException if it is refused
         */
        public Reading endAsLender(EscrowOffer offer) {
            return change(offer, this::isMyWord, () -> contract.endByLender(account, offer));
        }

        /**
         * Reports that the other party never came, or never started; it may dispute that.
         *
         * @return open in the phase that it is in then, or closed before
         * @throws EscrowException if it is refused
         */
        public Reading reportNoShow(EscrowOffer offer) {
            return change(offer, this::isMyWord, () -> contract.reportNoShow(account, offer));
        }

        private boolean isMyWord(Phase phase) {
            return phase instanceof Phase.Ended ended && ended.by().equals(account);
        }

        /**
         * Disputes what is paid: locks the dispute's bond, and freezes the rental until its arbiter decides.
         *
         * @param evidence the root of the audit log that holds the evidence
         * @param entry the index of the first entry that is evidence
         * @return open in the phase that it is in then, or closed before
         * @throws EscrowException if it is refused
         */
        public Reading dispute(EscrowOffer offer, Hash32 evidence, BigInteger entry) {
            return change(
                    offer,
                    phase -> phase instanceof Phase.Disputed disputed
                            && disputed.by().equals(account),
                    () -> contract.dispute(account, offer, evidence, entry));
        }

        /**
         * Decides a dispute as its arbiter.
         *
         * @param used for how many whole seconds of the window the renter pays
         * @param slash how much of the lender's bond goes to the renter
         * @param forfeit how much of the bond of the party that disputed goes to the other one
         * @throws EscrowException if it is refused
         */
        public Reading.Closed resolve(EscrowOffer offer, Duration used, Amount slash, Amount forfeit) {
            requireUsed(offer, used);
            return (Reading.Closed) change(offer, () -> contract.resolve(account, offer, used, slash, forfeit));
        }

        /**
         * Settles an escrow by one's own hand. Whom the other party's word is held against may agree to it before its time.
         *
         * @throws EscrowException if it is refused
         */
        public Reading.Closed settle(EscrowOffer offer, Settlement settlement) {
            return InMemoryEscrow.this.settle(account, offer, settlement);
        }

        /** Returns what the party owns: not what is locked. */
        public Amount balance() {
            synchronized (InMemoryEscrow.this) {
                return contract.balance(account);
            }
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
        return written(terms, contract.sequence(terms.lender(), terms.lane()));
    }

    private EscrowOffer written(Terms terms, BigInteger sequence) {
        return new EscrowOffer(
                terms.lender(),
                terms.lane(),
                sequence,
                terms.renter(),
                token.contract(),
                terms.stakes(),
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                terms.cancellation(),
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
        return contract.read(offer);
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
        return settle(null, offer, settlement);
    }

    private Reading.Closed settle(@Nullable Account caller, EscrowOffer offer, Settlement settlement) {
        requireOurs(offer);
        if (settlement instanceof Settlement.ByReceipt receipt) {
            requireUsed(offer, receipt.used());
        }
        return (Reading.Closed) change(offer, () -> settled(caller, offer, settlement));
    }

    private Reading.Closed settled(@Nullable Account caller, EscrowOffer offer, Settlement settlement) {
        return switch (settlement) {
            case Settlement.ByReceipt receipt -> {
                Hash32 digest = receiptDigest(offer, receipt.used());
                requireSignature(offer.renter(), digest, receipt.renterSignature());
                requireSignature(offer.lender(), digest, receipt.lenderSignature());
                yield contract.settleByReceipt(offer, receipt.used());
            }
            case Settlement.ByRelease release -> {
                requireSignature(offer.lender(), releaseDigest(offer), release.lenderSignature());
                yield contract.settleByRelease(offer);
            }
            case Settlement.ByTimeLock lock -> contract.settleByTimeLock(offer);
            case Settlement.ByWord word -> contract.settleByWord(caller, offer);
            case Settlement.BySilence silence -> contract.settleAfterSilence(offer);
        };
    }

    private Hash32 open(Account caller, EscrowOffer offer, Signature lenderSignature) {
        requireOurs(offer);
        Hash32 transaction;
        synchronized (this) {
            requireReachable();
            Optional<Reading.Open> before = contract.opened(offer);
            if (before.isPresent()) {
                return before.get().transaction();
            }
            requireSignature(offer.lender(), offer.digest(), lenderSignature);
            transaction = contract.open(caller, offer);
        }
        changed();
        return transaction;
    }

    private Reading change(EscrowOffer offer, Supplier<Reading> change) {
        return change(offer, phase -> false, change);
    }

    /** Makes a change, unless the escrow is closed already or in the phase that it leads to. */
    private Reading change(EscrowOffer offer, Predicate<Phase> reached, Supplier<Reading> change) {
        requireOurs(offer);
        Reading then;
        synchronized (this) {
            requireReachable();
            Reading before = contract.read(offer);
            if (before instanceof Reading.Closed
                    || (before instanceof Reading.Open open && reached.test(open.phase()))) {
                return before;
            }
            then = change.get();
        }
        changed();
        return then;
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
                offer.stakes(),
                offer.rate(),
                offer.window(),
                offer.grace(),
                offer.disputeWindow(),
                offer.cancellation(),
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
