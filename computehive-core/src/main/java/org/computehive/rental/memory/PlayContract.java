package org.computehive.rental.memory;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Closing;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the contract on a chain and its ledger, for callers whose signatures were checked: who may do what when, and
 * who gets what. A refusal changes nothing. Not thread-safe.
 */
final class PlayContract {
    private static final Duration ARBITER_TIME = Duration.ofDays(7);

    private final InstantSource clock;
    private final Map<Lane, BigInteger> sequences = new HashMap<>();
    private final Map<Lane, Hash32> rented = new HashMap<>();
    private final Map<Hash32, Entry> entries = new HashMap<>();
    private final Map<Account, Amount> balances = new HashMap<>();
    private long transactions;

    private record Lane(Account lender, BigInteger number) {
        static Lane of(EscrowOffer offer) {
            return new Lane(offer.lender(), offer.lane());
        }
    }

    private record Entry(Reading.Open open, Reading.@Nullable Closed closed) {}

    PlayContract(InstantSource clock) {
        this.clock = clock;
    }

    Instant now() {
        return clock.instant().truncatedTo(ChronoUnit.SECONDS);
    }

    Amount balance(Account account) {
        return balances.getOrDefault(account, Amount.ZERO);
    }

    void credit(Account account, Amount amount) {
        balances.merge(account, amount, Amount::plus);
    }

    /** Returns the number of a lane's next offer. */
    BigInteger sequence(Account lender, BigInteger number) {
        var lane = new Lane(lender, number);
        Hash32 taken = rented.get(lane);
        if (taken != null) {
            throw refused("lane %s of %s is taken by rental %s: use another lane, or settle that one first"
                    .formatted(number, lender, taken));
        }
        return sequences.getOrDefault(lane, BigInteger.ZERO);
    }

    Reading read(EscrowOffer offer) {
        Entry entry = entries.get(offer.digest());
        if (entry == null) {
            return new Reading.Absent(now());
        }
        return entry.closed() == null ? entry.open() : entry.closed();
    }

    Optional<Reading.Open> opened(EscrowOffer offer) {
        return Optional.ofNullable(entries.get(offer.digest())).map(Entry::open);
    }

    Hash32 open(Account caller, EscrowOffer offer) {
        requireOpenable(caller, offer);
        debit(offer.lender(), offer.stakes().bond(), "the bond");
        try {
            debit(caller, offer.deposit(), "the deposit");
        } catch (EscrowException e) {
            credit(offer.lender(), offer.stakes().bond());
            throw e;
        }
        rented.put(Lane.of(offer), offer.digest());
        Hash32 transaction = transaction();
        put(offer, new Reading.Open(offer.deposit(), transaction, now(), new Phase.Running()));
        return transaction;
    }

    private void requireOpenable(Account caller, EscrowOffer offer) {
        requireCaller(caller, offer.renter(), "renter");
        if (now().isAfter(offer.expiry())) {
            throw new EscrowException.OfferExpired(
                    "offer %s expired at %s".formatted(offer.digest(), offer.expiry()), null);
        }
        if (!now().isBefore(offer.window().end())) {
            throw new EscrowException.OfferExpired("window %s is over".formatted(offer.window()), null);
        }
        Hash32 taken = rented.get(Lane.of(offer));
        if (taken != null) {
            throw new EscrowException.OfferUsed("lane %s is taken by rental %s".formatted(offer.lane(), taken), null);
        }
        BigInteger expected = sequences.getOrDefault(Lane.of(offer), BigInteger.ZERO);
        if (!offer.sequence().equals(expected)) {
            throw new EscrowException.OfferUsed(
                    "lane %s waits for offer number %s, not %s".formatted(offer.lane(), expected, offer.sequence()),
                    null);
        }
    }

    Reading.Closed endByRenter(Account caller, EscrowOffer offer) {
        requireCaller(caller, offer.renter(), "renter");
        requireRunning(offer);
        return close(offer, Closing.END, offer.owed(now()), Amount.ZERO, Amount.ZERO);
    }

    Reading endByLender(Account caller, EscrowOffer offer) {
        requireCaller(caller, offer.lender(), "lender");
        requireRunning(offer);
        if (PlayTerms.isWithinGrace(offer, now())) {
            return close(offer, Closing.LENDERS_END, Duration.ZERO, PlayTerms.conceded(offer, now()), Amount.ZERO);
        }
        requireBefore(offer.window().end());
        return enter(offer, ended(offer, caller, offer.elapsed(now())));
    }

    Reading reportNoShow(Account caller, EscrowOffer offer) {
        requireArbiter(offer);
        Instant start = offer.window().start();
        if (caller.equals(offer.renter())) {
            requireFrom(start);
            if (!PlayTerms.isWithinGrace(offer, now())) {
                throw tooLate(start.plus(offer.grace()));
            }
            requireRunning(offer);
            return enter(offer, ended(offer, caller, Duration.ZERO));
        }
        requireCaller(caller, offer.lender(), "lender");
        if (!offer.cancellation().endsNoShows()) {
            throw refused("offer %s says nothing of a renter who doesn't come".formatted(offer.digest()));
        }
        requireFrom(start.plus(offer.cancellation().noShowAfter()));
        requireBefore(offer.window().end());
        requireRunning(offer);
        return enter(offer, ended(offer, caller, PlayTerms.absent(offer, now())));
    }

    private Phase.Ended ended(EscrowOffer offer, Account by, Duration used) {
        return new Phase.Ended(by, now(), used, now().plus(offer.disputeWindow()));
    }

    Reading dispute(Account caller, EscrowOffer offer, Hash32 evidence, BigInteger entry) {
        requireArbiter(offer);
        Phase phase = open(offer).phase();
        switch (phase) {
            case Phase.Disputed disputed ->
                throw refused("escrow %s is disputed already, by %s".formatted(offer.digest(), disputed.by()));
            case Phase.Ended ended -> {
                requireCaller(caller, other(offer, ended.by()), "one whom it is held against,");
                requireBefore(ended.from());
            }
            case Phase.Running running -> {
                requireCaller(caller, offer.renter(), "renter");
                requireBefore(unlock(offer));
            }
        }
        debit(caller, offer.stakes().disputeBond(), "the dispute's bond");
        return enter(
                offer,
                new Phase.Disputed(caller, now(), ifSilent(offer, phase), now().plus(ARBITER_TIME), evidence, entry));
    }

    private Duration ifSilent(EscrowOffer offer, Phase phase) {
        return phase instanceof Phase.Ended ended
                ? PlayTerms.least(offer.elapsed(ended.at()), ended.used())
                : offer.owed(now());
    }

    Reading.Closed resolve(Account caller, EscrowOffer offer, Duration used, Amount slash, Amount forfeit) {
        requireCaller(caller, offer.stakes().arbiter(), "arbiter");
        requireDisputed(offer);
        requireAtMost("slash", slash, offer.stakes().bond());
        requireAtMost("forfeit", forfeit, offer.stakes().disputeBond());
        return close(offer, Closing.ARBITER, used, slash, forfeit);
    }

    Reading.Closed settleAfterSilence(EscrowOffer offer) {
        Phase.Disputed disputed = requireDisputed(offer);
        requireFrom(disputed.from());
        return close(offer, Closing.SILENCE, disputed.used(), Amount.ZERO, Amount.ZERO);
    }

    /** Settles as a party said; the one whom that is held against need not wait. */
    Reading.Closed settleByWord(@Nullable Account caller, EscrowOffer offer) {
        if (!(open(offer).phase() instanceof Phase.Ended ended)) {
            throw refused("nobody ended escrow %s, or it is disputed".formatted(offer.digest()));
        }
        if (!other(offer, ended.by()).equals(caller)) {
            requireFrom(ended.from());
        }
        return ended.by().equals(offer.lender())
                ? close(offer, Closing.LENDERS_WORD, ended.used(), Amount.ZERO, Amount.ZERO)
                : close(
                        offer,
                        Closing.RENTERS_WORD,
                        Duration.ZERO,
                        offer.stakes().bond(),
                        Amount.ZERO);
    }

    Reading.Closed settleByReceipt(EscrowOffer offer, Duration used) {
        requireUndisputed(offer);
        return close(offer, Closing.RECEIPT, used, Amount.ZERO, Amount.ZERO);
    }

    Reading.Closed settleByRelease(EscrowOffer offer) {
        Phase phase = requireUndisputed(offer);
        boolean absent = phase instanceof Phase.Ended ended && ended.by().equals(offer.renter());
        Amount slash = absent ? offer.stakes().bond() : PlayTerms.conceded(offer, now());
        return close(offer, Closing.RELEASE, Duration.ZERO, slash, Amount.ZERO);
    }

    Reading.Closed settleByTimeLock(EscrowOffer offer) {
        requireFrom(unlock(offer));
        requireRunning(offer);
        return close(offer, Closing.TIME_LOCK, offer.window().length(), Amount.ZERO, Amount.ZERO);
    }

    /** The only place where locked money is shared out. */
    private Reading.Closed close(EscrowOffer offer, Closing how, Duration used, Amount slash, Amount forfeit) {
        Reading.Open open = open(offer);
        Amount paid = offer.rate().cost(used);
        Amount refunded = offer.deposit().minus(paid);
        credit(offer.lender(), paid.plus(offer.stakes().bond()).minus(slash));
        credit(offer.renter(), refunded.plus(slash));
        if (open.phase() instanceof Phase.Disputed disputed) {
            credit(disputed.by(), offer.stakes().disputeBond().minus(forfeit));
            credit(other(offer, disputed.by()), forfeit);
        }
        rented.remove(Lane.of(offer));
        sequences.put(Lane.of(offer), offer.sequence().add(BigInteger.ONE));
        var closed = new Reading.Closed(paid, refunded, slash, forfeit, how, transaction(), now());
        entries.put(offer.digest(), new Entry(open, closed));
        return closed;
    }

    private Reading.Open enter(EscrowOffer offer, Phase phase) {
        Reading.Open open = open(offer);
        return put(offer, new Reading.Open(open.deposit(), open.transaction(), open.chainTime(), phase));
    }

    private Reading.Open put(EscrowOffer offer, Reading.Open open) {
        entries.put(offer.digest(), new Entry(open, null));
        return open;
    }

    private Reading.Open open(EscrowOffer offer) {
        return switch (read(offer)) {
            case Reading.Open open -> open;
            case Reading.Closed closed -> throw refused("escrow %s is closed already".formatted(offer.digest()));
            default -> throw refused("offer %s was never opened".formatted(offer.digest()));
        };
    }

    private void requireRunning(EscrowOffer offer) {
        if (!(open(offer).phase() instanceof Phase.Running)) {
            throw refused("escrow %s is no longer running: %s"
                    .formatted(offer.digest(), open(offer).phase()));
        }
    }

    private Phase.Disputed requireDisputed(EscrowOffer offer) {
        if (open(offer).phase() instanceof Phase.Disputed disputed) {
            return disputed;
        }
        throw refused("escrow %s is not disputed".formatted(offer.digest()));
    }

    private Phase requireUndisputed(EscrowOffer offer) {
        Phase phase = open(offer).phase();
        if (phase instanceof Phase.Disputed) {
            throw refused("escrow %s is disputed: its arbiter decides".formatted(offer.digest()));
        }
        return phase;
    }

    private static void requireArbiter(EscrowOffer offer) {
        if (!offer.stakes().canBeDisputed()) {
            throw refused("offer %s names no arbiter: nobody could decide".formatted(offer.digest()));
        }
    }

    private static void requireCaller(Account caller, Account allowed, String who) {
        if (!caller.equals(allowed)) {
            throw refused("%s is not the %s %s".formatted(caller, who, allowed));
        }
    }

    private static void requireAtMost(String what, Amount amount, Amount most) {
        if (amount.compareTo(most) > 0) {
            throw refused("%s %s is over the bond %s: decide for less".formatted(what, amount, most));
        }
    }

    private void requireFrom(Instant from) {
        if (now().isBefore(from)) {
            throw new EscrowException.NotYet("the time lock holds until %s; try again then".formatted(from), null);
        }
    }

    private void requireBefore(Instant until) {
        if (!now().isBefore(until)) {
            throw tooLate(until);
        }
    }

    private EscrowException.TooLate tooLate(Instant until) {
        return new EscrowException.TooLate("that could be said until %s, it is %s".formatted(until, now()), null);
    }

    private void debit(Account account, Amount amount, String what) {
        if (balance(account).compareTo(amount) < 0) {
            throw new EscrowException.InsufficientFunds(
                    "%s owns %s, %s is %s".formatted(account, balance(account), what, amount), null);
        }
        balances.put(account, balance(account).minus(amount));
    }

    private static Account other(EscrowOffer offer, Account party) {
        return party.equals(offer.lender()) ? offer.renter() : offer.lender();
    }

    private static Instant unlock(EscrowOffer offer) {
        return offer.window().end().plus(offer.disputeWindow());
    }

    private Hash32 transaction() {
        return PlayKey.digest("transaction", ++transactions, System.identityHashCode(this));
    }

    private static EscrowException.Refused refused(String message) {
        return new EscrowException.Refused(message, null);
    }
}
