package org.computehive.chain;

import java.math.BigInteger;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Predicate;
import org.computehive.chain.Chain.Log;
import org.computehive.chain.EscrowReader.Sight;
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.computehive.rental.Escrow;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The escrow contract on an Ethereum-compatible chain, over JSON-RPC.
 *
 * <p>Digests are computed here and never asked of a node (EIP-712). What is read is read from the contract's events, in
 * one consistent view of the chain, each time anew; a node that is silent, lags behind what was final, serves another
 * chain, or contradicts itself gives {@link Escrow.Reading.Unknown}. Thread-safe.
 *
 * <h2>Security guarantees</h2>
 *
 * A node can hide events and so delay; it can't make up an escrow's terms, since those are hashed into the offer's
 * digest, nor make this side pay anybody else. A contract of other code than the one in this module's jar is refused at
 * connect, unless the node lies about that too. That a node tells of an opening that never was is not detected: name
 * nodes that you trust.
 */
public final class EvmEscrow implements Escrow {
    private static final Logger LOG = LoggerFactory.getLogger(EvmEscrow.class);
    private static final Duration RECHECK = Duration.ofMillis(500);
    private static final Hash32 NO_HASH = new Hash32("0x" + "0".repeat(64));

    private final EscrowSettings settings;
    private final Chain chain;
    private final EscrowReader reader;
    private final OfferCodec codec;
    private final SignatureCheck signatures;
    private final AtomicReference<@Nullable Optional<PermitDomain>> permitDomain = new AtomicReference<>();
    private final Reverts reverts = new Reverts(Artefact.RENTAL_ESCROW.abi(), Artefact.DEV_TOKEN.abi());

    private EvmEscrow(EscrowSettings settings, Chain chain) {
        this.settings = settings;
        this.chain = chain;
        this.reader = new EscrowReader(chain, settings);
        this.codec = new OfferCodec(settings.chainId(), settings.contract());
        this.signatures = new SignatureCheck(chain, reverts);
    }

    /**
     * Connects, and checks that the chain and the token are the ones named, and that the contract is a {@code RentalEscrow}:
     * its code is compared byte for byte with what is in this module's jar, at every new connection to a node.
     *
     * @throws EscrowException.WrongContract if the address holds no contract or another one, also one that answers alike
     * @throws EscrowException.Refused if another of them is not
     * @throws EscrowException.Unreachable if no node answers
     */
    public static EvmEscrow connect(EscrowSettings settings) {
        Chain chain = Chain.connect(
                settings.nodes(),
                settings.chainId(),
                settings.contract(),
                settings.rpcTimeout(),
                settings.pollInterval());
        var escrow = new EvmEscrow(settings, chain);
        try {
            escrow.checkContract();
            escrow.checkToken();
            return escrow;
        } catch (RpcError e) {
            chain.close();
            throw escrow.reverts.explain("connecting to " + settings, e);
        } catch (RuntimeException e) {
            chain.close();
            throw e;
        }
    }

    /** Its code is right, see {@link Chain}; the values in it, which only the domain is made of, are seen here. */
    private void checkContract() {
        Account contract = settings.contract();
        try {
            Hash32 expected = codec.releaseDigest(NO_HASH);
            if (reader.hash(EscrowCalls.hashRelease(NO_HASH)).equals(expected)) {
                return;
            }
        } catch (RpcError | EscrowException.Unreachable e) {
            if (e instanceof RpcError error && !error.isRefusal()) {
                throw error;
            }
            LOG.debug("the contract does not know hashRelease", e);
        }
        throw new EscrowException.WrongContract(
                "the contract at %s is not a RentalEscrow of version 1: give the escrow's address".formatted(contract),
                null);
    }

    private void checkToken() {
        Token token = settings.token();
        if (token.contract().equals(Account.ZERO)) {
            return;
        }
        if (!chain.hasCode(token.contract())) {
            throw new EscrowException.WrongContract(
                    "there is no token contract at %s on chain %d".formatted(token.contract(), settings.chainId()),
                    null);
        }
        BigInteger decimals = EscrowCalls.word(
                chain.simulate(
                        Map.of("to", token.contract().address(), "data", EscrowCalls.tokenDecimals()), Chain.LATEST),
                0);
        if (!decimals.equals(BigInteger.valueOf(token.decimals()))) {
            throw new EscrowException.WrongContract(
                    "token %s has %s decimals on the chain, %d are configured"
                            .formatted(token.contract(), decimals, token.decimals()),
                    null);
        }
    }

    @Override
    public Token token() {
        return settings.token();
    }

    /** Returns what this was connected with. */
    public EscrowSettings settings() {
        return settings;
    }

    /**
     * Returns the hand of a lender or a renter who holds a wallet; its transactions go to the same chain.
     *
     * <p>It works until this escrow is closed.
     */
    public EvmParty party(EvmWallet wallet) {
        return new EvmParty(this, chain, sender(wallet), wallet);
    }

    /** Returns what lenders and renters whose keys lie elsewhere are asked to sign and to send. */
    public WalletRequests walletRequests() {
        return new WalletRequests(this, chain);
    }

    @Override
    public EscrowOffer offer(Terms terms) {
        codec.offer(terms, BigInteger.ZERO, settings.token().contract());
        try {
            return codec.offer(
                    terms,
                    reader.sequence(terms.lender(), terms.lane()),
                    settings.token().contract());
        } catch (RpcError e) {
            throw reverts.explain("reading lane " + terms.lane(), e);
        }
    }

    @Override
    public void checkSignature(Account signer, Hash32 digest, Signature signature) {
        signatures.check(signer, digest, signature);
    }

    @Override
    public Reading read(EscrowOffer offer) {
        try {
            requireOurs(offer);
            return reader.reading(offer, reader.look(offer));
        } catch (EscrowException | RpcError e) {
            return new Reading.Unknown(String.valueOf(e.getMessage()));
        }
    }

    @Override
    public Hash32 receiptDigest(EscrowOffer offer, Duration used) {
        requireOurs(offer);
        return codec.receiptDigest(offer.digest(), OfferCodec.used(offer, used));
    }

    @Override
    public Hash32 releaseDigest(EscrowOffer offer) {
        requireOurs(offer);
        return codec.releaseDigest(offer.digest());
    }

    /** Returns the EIP-712 digest of a renter's consent that anybody opens the escrow for it: {@link EvmParty#openFor}. */
    public Hash32 consentDigest(EscrowOffer offer) {
        requireOurs(offer);
        return codec.consentDigest(offer.digest());
    }

    /**
     * Returns the EIP-712 digest by which a lender agrees that its offer opens only while another one runs: {@link
     * EvmParty#extend}.
     */
    public Hash32 extensionDigest(EscrowOffer first, EscrowOffer offer) {
        requireOurs(first);
        requireOurs(offer);
        return codec.extensionDigest(first.digest(), offer.digest());
    }

    /**
     * {@inheritDoc}
     *
     * <p>The operator's wallet sends it and pays the gas.
     */
    @Override
    public Reading.Closed settle(EscrowOffer offer, Settlement settlement) {
        EvmWallet operator = settings.operator();
        if (operator == null) {
            throw new EscrowException.Refused("no operator wallet is configured to settle with: name one", null);
        }
        return settle(offer, sender(operator), settlement);
    }

    /** Settles by anybody's hand. */
    Reading.Closed settle(EscrowOffer offer, Sender sender, Settlement settlement) {
        return close(offer, sender, "settling", phase -> EscrowCalls.settle(offer, phase, settlement));
    }

    /**
     * Sends a call that closes an escrow unless it is closed, and waits until that is final.
     *
     * @param data the call, given the word of the phase in which the escrow is
     */
    Reading.Closed close(EscrowOffer offer, Sender sender, String doing, Function<BigInteger, String> data) {
        return (Reading.Closed)
                advance(offer, sender, doing, sight -> request(doing, offer, sight, data), phase -> false);
    }

    SendRequest request(String doing, EscrowOffer offer, Sight sight, Function<BigInteger, String> data) {
        return new SendRequest(action(doing, offer), settings.contract(), data.apply(word(sight)), BigInteger.ZERO);
    }

    /** Returns the word of the phase in which an escrow is at the head. */
    static BigInteger word(Sight sight) {
        Log phase = sight.phase();
        return phase == null ? BigInteger.ZERO : PhaseWord.word(phase);
    }

    static String action(String doing, EscrowOffer offer) {
        return doing + " escrow " + offer.digest();
    }

    /**
     * Sends a call that closes an escrow or takes it to another phase, unless that has happened, and waits until it is
     * final.
     *
     * @param request what to send, given what the chain shows
     * @param reached whether a phase is the one that the call leads to
     */
    Reading advance(
            EscrowOffer offer,
            Sender sender,
            String doing,
            Function<Sight, SendRequest> request,
            Predicate<Phase> reached) {
        requireOurs(offer);
        String action = action(doing, offer);
        Deadline deadline = Deadline.in(settings.patience());
        boolean sent = false;
        while (true) {
            long seen = chain.watcher().version();
            Sight sight = look(action, offer);
            Log done = done(offer, sight, reached);
            if (done != null && sight.isFinal(done)) {
                return reader.reading(offer, sight);
            }
            if (done == null) {
                requireOpen(action, offer, sight);
                if (sentOrOvertaken(offer, sender, request.apply(sight), reached, sent)) {
                    sent = true;
                    continue;
                }
            }
            if (deadline.isOver()) {
                throw new EscrowException.NotYet(
                        "%s: it is sent, but has not its %d confirmations yet; try again later"
                                .formatted(action, settings.confirmations()),
                        null);
            }
            chain.watcher().await(seen, deadline.orIn(RECHECK));
        }
    }

    /** Returns the event that closed an escrow or took it to where it is to be. */
    private static @Nullable Log done(EscrowOffer offer, Sight sight, Predicate<Phase> reached) {
        if (sight.settled() != null) {
            return sight.settled();
        }
        for (Log log : Arrays.asList(sight.disputed(), sight.ended())) {
            if (log != null && reached.test(EscrowReader.phase(offer, log))) {
                return log;
            }
        }
        return null;
    }

    /**
     * Sends. A refusal counts only where what is to be is not so meanwhile and this side had not sent before.
     *
     * @return false if it was sent before and a node that lags behind has to be waited for
     */
    private boolean sentOrOvertaken(
            EscrowOffer offer, Sender sender, SendRequest request, Predicate<Phase> reached, boolean sentBefore) {
        try {
            sender.send(request);
            return true;
        } catch (EscrowException.Refused e) {
            if (done(offer, look(request.action(), offer), reached) != null) {
                return true;
            }
            if (sentBefore) {
                return false;
            }
            throw e;
        }
    }

    private void requireOpen(String action, EscrowOffer offer, Sight sight) {
        switch (reader.reading(offer, sight)) {
            case Reading.Absent absent ->
                throw new EscrowException.Refused(
                        "%s: it was never opened, as of %s".formatted(action, absent.chainTime()), null);
            case Reading.Pending pending ->
                throw new EscrowException.NotYet(
                        "%s: its opening has %d of %d confirmations; try again later"
                                .formatted(action, pending.confirmations(), pending.required()),
                        null);
            case Reading.Open open -> LOG.debug("{}: {} units are locked", action, open.deposit());
            case Reading.Closed closed -> LOG.debug("{}: closed by {}", action, closed.transaction());
            case Reading.Unknown unknown -> throw new EscrowException.Unreachable(unknown.why(), null);
        }
    }

    /**
     * Returns what the chain shows of an open escrow.
     *
     * @throws EscrowException.Refused if it was never opened, or is closed
     */
    Sight openSight(String doing, EscrowOffer offer) {
        requireOurs(offer);
        String action = action(doing, offer);
        Sight sight = look(action, offer);
        if (sight.settled() != null) {
            throw new EscrowException.Refused(
                    "%s: transaction %s closed it"
                            .formatted(action, sight.settled().transaction()),
                    null);
        }
        requireOpen(action, offer, sight);
        return sight;
    }

    /** Returns the word of the phase in which an open escrow is at the head. */
    BigInteger phaseWord(String doing, EscrowOffer offer) {
        return word(openSight(doing, offer));
    }

    Sight look(String action, EscrowOffer offer) {
        try {
            return reader.look(offer);
        } catch (RpcError e) {
            throw reverts.explain(action, e);
        }
    }

    /** Refuses an offer of another contract, chain or token, and one whose members were changed. */
    void requireOurs(EscrowOffer offer) {
        if (!isOurs(offer)) {
            throw new EscrowException.Refused(
                    "offer %s does not belong to %s, or was changed".formatted(offer.digest(), settings), null);
        }
    }

    private boolean isOurs(EscrowOffer offer) {
        try {
            return offer.token().equals(settings.token().contract())
                    && codec.digest(offer).equals(offer.digest());
        } catch (IllegalArgumentException e) {
            LOG.debug("offer {} has members that no contract takes", offer.digest(), e);
            return false;
        }
    }

    /** Asks the contract what an offer's digest is; for tests of the local one. */
    Hash32 contractsDigest(EscrowOffer offer) {
        return reader.hash(EscrowCalls.hashOffer(offer));
    }

    /** Asks the contract what a receipt's digest is; for tests of the local one. */
    Hash32 contractsReceiptDigest(EscrowOffer offer, Duration used) {
        return reader.hash(EscrowCalls.hashReceipt(offer.digest(), used.toSeconds()));
    }

    /** Returns where the token's permits are signed; empty if it knows none. One that changes it later is approved as one without. */
    Optional<PermitDomain> permitDomain() {
        Optional<PermitDomain> known = permitDomain.get();
        if (known == null) {
            known = PermitDomain.of(chain, settings.token().contract());
            permitDomain.set(known);
        }
        return known;
    }

    RuntimeException explain(String action, RpcError error) {
        return reverts.explain(action, error);
    }

    private Sender sender(EvmWallet wallet) {
        return new Sender(chain, wallet, reverts, settings.feeCap(), settings.patience(), settings.confirmations());
    }

    @Override
    public AutoCloseable onChange(Runnable listener) {
        return chain.watcher().onChange(listener);
    }

    @Override
    public void close() {
        reader.close();
        chain.close();
    }
}
