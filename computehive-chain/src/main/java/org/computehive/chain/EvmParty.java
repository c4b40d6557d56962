package org.computehive.chain;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.computehive.chain.EscrowReader.Sight;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The hand of a lender, a renter or an arbiter: what a party does with its own wallet, with or without the platform.
 *
 * <p>Each call simulates first, sends at most once, and returns when a block has it; whether that block is final is what
 * {@link EvmEscrow#read} tells. They throw {@link EscrowException} by what the caller can do. Thread-safe.
 */
public final class EvmParty {
    private static final Logger LOG = LoggerFactory.getLogger(EvmParty.class);

    private final EvmEscrow escrow;
    private final Chain chain;
    private final Sender sender;
    private final EvmWallet wallet;
    private final Account contract;
    private final Account token;

    EvmParty(EvmEscrow escrow, Chain chain, Sender sender, EvmWallet wallet) {
        this.escrow = escrow;
        this.chain = chain;
        this.sender = sender;
        this.wallet = wallet;
        this.contract = escrow.settings().contract();
        this.token = escrow.settings().token().contract();
    }

    /** Returns the party's account. */
    public Account account() {
        return wallet.account();
    }

    /** Signs a digest with the party's key; see {@link EvmWallet#sign}. */
    public Signature sign(Hash32 digest) {
        return wallet.sign(digest);
    }

    /**
     * Opens an escrow as its renter: locks the deposit, from the ledger first and the rest from the wallet. For exactly
     * what is missing the token is given a permit in the same transaction, where it knows them (ERC-2612), and else an
     * approval before it.
     *
     * @return the transaction that opened it, also where that happened before
     */
    public Hash32 open(EscrowOffer offer, Signature lenderSignature) {
        return pay(
                offer,
                rest -> permit(rest, offer.expiry())
                        .map(permit -> EscrowCalls.openFor(offer, lenderSignature, new byte[0], permit)),
                () -> EscrowCalls.open(offer, lenderSignature));
    }

    /**
     * Opens an escrow as its renter that goes on where a running one ends, on a lane of its own; paid as by {@link #open}.
     *
     * @param first the running one, of the same lender and renter
     * @param offer its window begins where the first one's ends
     * @param lenderSignature over {@link EvmEscrow#extensionDigest}
     * @return the transaction that opened it, also where that happened before
     */
    public Hash32 extend(EscrowOffer first, EscrowOffer offer, Signature lenderSignature) {
        escrow.requireOurs(first);
        return pay(offer, rest -> Optional.empty(), () -> EscrowCalls.extend(first, offer, lenderSignature));
    }

    /**
     * Opens an escrow for a renter who signed that it consents: this party pays the gas alone. The renter's ledger balance,
     * or what it approved of a token, pays the deposit.
     *
     * @param renterSignature over {@link EvmEscrow#consentDigest}
     * @return the transaction that opened it, also where that happened before
     */
    public Hash32 openFor(EscrowOffer offer, Signature lenderSignature, Signature renterSignature) {
        return openFor(offer, lenderSignature, renterSignature, Optional.empty());
    }

    /**
     * Opens an escrow for a renter who signed that it consents, and permits its token: the renter needs neither native coin
     * nor a transaction. A permit that somebody else handed in first does no harm: its allowance is there then.
     *
     * @param renterSignature over {@link EvmEscrow#consentDigest}
     * @param permit the renter's {@link #permit}
     * @return the transaction that opened it, also where that happened before
     */
    public Hash32 openFor(EscrowOffer offer, Signature lenderSignature, Signature renterSignature, TokenPermit permit) {
        return openFor(offer, lenderSignature, renterSignature, Optional.of(permit));
    }

    private Hash32 openFor(
            EscrowOffer offer, Signature lenderSignature, Signature renterSignature, Optional<TokenPermit> permit) {
        escrow.requireOurs(offer);
        String action = EvmEscrow.action("opening", offer);
        Chain.Log opened = escrow.look(action, offer).opened();
        return opened == null
                ? sendOpening(
                        action,
                        offer,
                        EscrowCalls.openFor(offer, lenderSignature, renterSignature.bytes(), permit.orElse(null)),
                        BigInteger.ZERO)
                : opened.transaction();
    }

    /**
     * Signs, as the renter, that the escrow may pull an offer's deposit: for {@link #openFor} by anybody, until the offer
     * expires. Handing it in makes an approval obsolete.
     *
     * @return empty if the token knows no permits (ERC-2612), or is the native coin
     * @throws EscrowException.Unreachable if the chain can't be read
     */
    public Optional<TokenPermit> permit(EscrowOffer offer) {
        escrow.requireOurs(offer);
        return permit(offer.deposit(), offer.expiry());
    }

    private Optional<TokenPermit> permit(Amount value, Instant deadline) {
        if (isNative()) {
            return Optional.empty();
        }
        try {
            return escrow.permitDomain().flatMap(domain -> domain.sign(chain, wallet, contract, value, deadline));
        } catch (RpcError e) {
            throw escrow.explain("reading the token's permits", e);
        }
    }

    /** Opens by a call that takes the deposit from this party: by a permit where there is one and it is taken. */
    private Hash32 pay(EscrowOffer offer, Function<Amount, Optional<String>> permitting, Supplier<String> opening) {
        escrow.requireOurs(offer);
        String action = EvmEscrow.action("opening", offer);
        wallet.spending().lock();
        try {
            Chain.Log opened = escrow.look(action, offer).opened();
            if (opened != null) {
                return opened.transaction();
            }
            Amount rest = missing(offer.deposit());
            if (!isNative() && !isAllowed(rest)) {
                Optional<String> permitted = permitting.apply(rest);
                if (permitted.isPresent()) {
                    try {
                        return sendOpening(action, offer, permitted.get(), BigInteger.ZERO);
                    } catch (EscrowException.Refused e) {
                        if (e.getClass() != EscrowException.Refused.class) {
                            throw e;
                        }
                        // Some tokens say yes to a permit and give no allowance.
                        LOG.debug("{}: not by a permit, going on by an approval", action, e);
                    }
                }
                approve(rest);
            }
            BigInteger value = isNative() ? rest.units() : BigInteger.ZERO;
            return sendOpening(action, offer, opening.get(), value);
        } finally {
            wallet.spending().unlock();
        }
    }

    /** Sends; a refusal does not count where the escrow was opened meanwhile, perhaps by this wallet before a crash. */
    private Hash32 sendOpening(String action, EscrowOffer offer, String data, BigInteger value) {
        try {
            return send(action, contract, data, value);
        } catch (EscrowException.Refused e) {
            Chain.Log opened = escrow.look(action, offer).opened();
            if (opened == null) {
                throw e;
            }
            return opened.transaction();
        }
    }

    /**
     * Ends a rental as its renter, who pays what it owes: the seconds since the start, none of them within the grace, and the
     * share of one who calls off late at least. The rest comes back.
     *
     * @return what was paid and refunded, once final; also where the escrow was closed before
     */
    public Reading.Closed end(EscrowOffer offer) {
        return escrow.close(offer, sender, "ending", phase -> EscrowCalls.end(offer));
    }

    /**
     * Ends a rental as its lender. Until its grace is over that gives everything back at once, and may cost of the bond; later
     * the lender claims the seconds since the start, which {@link Settlement.ByWord} pays unless the renter disputes.
     *
     * @return closed, or open and ended by the lender, once final; also where that happened before
     */
    public Reading endAsLender(EscrowOffer offer) {
        return say(offer, "ending", EscrowCalls.end(offer));
    }

    /**
     * Reports that the other party never came, or never started; it may dispute that, else {@link Settlement.ByWord} settles
     * it so.
     *
     * @return open and ended by this party, once final, or closed; also where that happened before
     * @throws EscrowException.NotYet if the other party may still come
     * @throws EscrowException.TooLate if the time to report it is over
     */
    public Reading reportNoShow(EscrowOffer offer) {
        return say(offer, "reporting a no-show of", EscrowCalls.reportNoShow(offer));
    }

    /** Gives this party's word, by which the escrow is closed unless the other party objects. */
    private Reading say(EscrowOffer offer, String doing, String data) {
        return escrow.advance(
                offer, sender, doing, sight -> escrow.request(doing, offer, sight, phase -> data), this::isMyWord);
    }

    private boolean isMyWord(Phase phase) {
        return phase instanceof Phase.Ended ended && ended.by().equals(account());
    }

    /**
     * Disputes what is paid: locks the dispute's bond, from the ledger first and the rest from the wallet, and freezes the
     * rental until its arbiter decides.
     *
     * @param evidence the root of the audit log that holds the evidence
     * @param entry the index of the first entry that is evidence, 0 to 2<sup>64</sup> - 1
     * @return open and disputed by this party, once final, or closed; also where that happened before
     * @throws EscrowException.TooLate if the time to object is over
     * @throws EscrowException.InsufficientFunds if the bond is not there
     */
    public Reading dispute(EscrowOffer offer, Hash32 evidence, BigInteger entry) {
        wallet.spending().lock();
        try {
            return escrow.advance(
                    offer,
                    sender,
                    "disputing",
                    sight -> disputing(offer, sight, evidence, entry),
                    phase -> phase instanceof Phase.Disputed disputed
                            && disputed.by().equals(account()));
        } finally {
            wallet.spending().unlock();
        }
    }

    private SendRequest disputing(EscrowOffer offer, Sight sight, Hash32 evidence, BigInteger entry) {
        Amount rest = missing(offer.stakes().disputeBond());
        if (!isNative()) {
            approve(rest);
        }
        return new SendRequest(
                EvmEscrow.action("disputing", offer),
                contract,
                EscrowCalls.dispute(offer, EvmEscrow.word(sight), evidence, entry),
                isNative() ? rest.units() : BigInteger.ZERO);
    }

    /**
     * Decides a dispute as its arbiter.
     *
     * @param used for how many whole seconds of the window the renter pays
     * @param slash how much of the lender's bond goes to the renter
     * @param forfeit how much of the bond of the party that disputed goes to the other one
     * @return what was paid and refunded, once final; also where the escrow was closed before
     */
    public Reading.Closed resolve(EscrowOffer offer, Duration used, Amount slash, Amount forfeit) {
        return escrow.close(
                offer, sender, "resolving", phase -> EscrowCalls.resolve(offer, phase, used, slash, forfeit));
    }

    /**
     * Settles an escrow by one's own hand, without the platform's operator. Whom the other party's word is held against may
     * agree to it by {@link Settlement.ByWord} before its time.
     *
     * @return what was paid and refunded, once final; also where the escrow was closed before
     */
    public Reading.Closed settle(EscrowOffer offer, Settlement settlement) {
        return escrow.settle(offer, sender, settlement);
    }

    /**
     * Makes every offer that the party signed for an idle lane worthless.
     *
     * @param lane the party's lane, as its lender
     */
    public Hash32 cancelOffers(BigInteger lane) {
        return send("cancelling the offers of lane " + lane, contract, EscrowCalls.cancelOffers(lane), BigInteger.ZERO);
    }

    /** Moves an amount from the wallet to the party's balance in the escrow's ledger. */
    public Hash32 deposit(Amount amount) {
        wallet.spending().lock();
        try {
            if (!isNative()) {
                approve(amount);
            }
            BigInteger value = isNative() ? amount.units() : BigInteger.ZERO;
            return send("depositing " + amount, contract, EscrowCalls.deposit(token, amount), value);
        } finally {
            wallet.spending().unlock();
        }
    }

    /**
     * Moves all of the party's balance in the escrow's ledger to its wallet.
     *
     * @return how much that was, perhaps nothing
     */
    public Amount withdraw() {
        wallet.spending().lock();
        try {
            Amount balance = ledgerBalance();
            if (balance.units().signum() > 0) {
                send(
                        "withdrawing " + balance,
                        contract,
                        EscrowCalls.withdraw(token, balance, account()),
                        BigInteger.ZERO);
            }
            return balance;
        } finally {
            wallet.spending().unlock();
        }
    }

    /** Returns what the escrow's ledger owes the party. */
    public Amount ledgerBalance() {
        return new Amount(view("reading a balance", contract, EscrowCalls.ledgerBalance(token, account())));
    }

    /** Returns what of the escrow's token lies in the wallet itself. */
    public Amount tokenBalance() {
        return isNative()
                ? nativeBalance()
                : new Amount(view("reading a token balance", token, EscrowCalls.tokenBalance(account())));
    }

    /** Returns the wallet's native coin, which pays for gas, in wei. */
    public Amount nativeBalance() {
        try {
            return new Amount(chain.balance(account()));
        } catch (RpcError e) {
            throw escrow.explain("reading a balance", e);
        }
    }

    private void approve(Amount needed) {
        BigInteger allowed = allowance();
        if (allowed.compareTo(needed.units()) >= 0) {
            return;
        }
        if (allowed.signum() > 0) {
            // Some tokens change an allowance only from or to zero, against a known race of ERC-20.
            send("withdrawing an approval", token, EscrowCalls.approve(contract, BigInteger.ZERO), BigInteger.ZERO);
        }
        send("approving " + needed, token, EscrowCalls.approve(contract, needed.units()), BigInteger.ZERO);
    }

    private boolean isAllowed(Amount needed) {
        return allowance().compareTo(needed.units()) >= 0;
    }

    private BigInteger allowance() {
        return view("reading an allowance", token, EscrowCalls.allowance(account(), contract));
    }

    private BigInteger view(String action, Account of, String data) {
        try {
            return EscrowCalls.word(chain.simulate(Map.of("to", of.address(), "data", data), Chain.LATEST), 0);
        } catch (RpcError e) {
            throw escrow.explain(action, e);
        }
    }

    private Hash32 send(String action, Account to, String data, BigInteger value) {
        return sender.send(new SendRequest(action, to, data, value)).transaction();
    }

    private boolean isNative() {
        return token.equals(Account.ZERO);
    }

    /** Returns what of an amount the ledger does not cover. */
    private Amount missing(Amount amount) {
        Amount balance = ledgerBalance();
        return balance.compareTo(amount) < 0 ? amount.minus(balance) : Amount.ZERO;
    }

    @Override
    public String toString() {
        return "party " + account();
    }
}
