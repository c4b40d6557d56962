package org.computehive.chain;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.computehive.chain.Chain.Block;
import org.computehive.chain.Chain.Receipt;
import org.computehive.chain.Outgoing.Version;
import org.computehive.market.Account;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.web3j.crypto.Hash;
import org.web3j.crypto.RawTransaction;

/**
 * Brings one account's signed transactions into blocks: finds out what became of one, hands it in again where it was
 * forgotten, and replaces it by the same at higher fees where blocks pass it by. Thread-safe.
 */
final class Courier {
    private static final Logger LOG = LoggerFactory.getLogger(Courier.class);
    /** How many blocks may pass a transaction by, whose turn it is, before its fees are raised. */
    private static final int PASSING_BLOCKS = 4;

    private static final BigInteger FILLER_GAS = BigInteger.valueOf(21_000);
    private static final BigInteger GWEI = BigInteger.TEN.pow(9);

    private final Chain chain;
    private final EvmWallet wallet;
    private final BigInteger feeCap;

    Courier(Chain chain, EvmWallet wallet, BigInteger feeCap) {
        this.chain = chain;
        this.wallet = wallet;
        this.feeCap = feeCap;
    }

    /** What became of a transaction, by one node's word. */
    sealed interface Fate {
        /** A block has it. */
        record Mined(Version version, Receipt receipt, Block head) implements Fate {}

        /** The node knows it, or can't tell yet. */
        record Waiting(Block head, boolean isItsTurn) implements Fate {}

        /** The node does not know it. */
        record Forgotten(Block head, boolean isItsTurn) implements Fate {}

        /** A block has another transaction of its number: it can't be mined any more. */
        record Superseded(Hash32 by) implements Fate {}
    }

    /** Finds out what became of a transaction, at one node. */
    Fate fate(Outgoing outgoing) {
        return chain.onOneNode(() -> fateAtOneNode(outgoing));
    }

    private Fate fateAtOneNode(Outgoing outgoing) {
        Block head = chain.block(Chain.LATEST);
        List<Version> versions = outgoing.versions();
        for (Version version : versions) {
            Receipt receipt = chain.receipt(version.hash());
            if (receipt != null) {
                return new Fate.Mined(version, receipt, head);
            }
        }
        int order = chain.transactionCount(wallet.account(), Chain.LATEST).compareTo(outgoing.nonce());
        if (order > 0) {
            // Nodes behind one address may lag behind each other: only the block itself says who took the number.
            Hash32 taker = takerOf(outgoing, head);
            if (taker == null || versions.stream().map(Version::hash).anyMatch(taker::equals)) {
                return new Fate.Waiting(head, false);
            }
            return new Fate.Superseded(taker);
        }
        for (Version version : versions) {
            if (chain.knows(version.hash())) {
                return new Fate.Waiting(head, order == 0);
            }
        }
        return new Fate.Forgotten(head, order == 0);
    }

    /** Returns the transaction in the blocks since that bears the number, or null where the node has none such. */
    private @Nullable Hash32 takerOf(Outgoing outgoing, Block head) {
        long low = outgoing.since();
        long high = head.number();
        while (low + 1 < high) {
            long middle = (low + high) >>> 1;
            boolean isUsed = chain.transactionCount(wallet.account(), Chain.hex(BigInteger.valueOf(middle)))
                            .compareTo(outgoing.nonce())
                    > 0;
            if (isUsed) {
                high = middle;
            } else {
                low = middle;
            }
        }
        return chain.transactionOf(wallet.account(), outgoing.nonce(), high);
    }

    /** Signs the first version of a request. */
    Outgoing sign(SendRequest request, BigInteger nonce, BigInteger gas, Fees fees, long head) {
        var outgoing = new Outgoing(request, nonce, gas, head);
        outgoing.add(version(outgoing, fees, head, null));
        return outgoing;
    }

    private Version version(Outgoing outgoing, Fees fees, long head, @Nullable RpcError rejection) {
        SendRequest request = outgoing.request();
        Account to = request.to();
        RawTransaction transaction = rejection == null
                ? RawTransaction.createTransaction(
                        chain.id(),
                        outgoing.nonce(),
                        outgoing.gas(),
                        to == null ? "" : to.address(),
                        request.value(),
                        request.data(),
                        fees.tip(),
                        fees.max())
                : RawTransaction.createTransaction(
                        chain.id(),
                        outgoing.nonce(),
                        FILLER_GAS,
                        wallet.account().address(),
                        BigInteger.ZERO,
                        "",
                        fees.tip(),
                        fees.max());
        byte[] raw = wallet.sign(transaction);
        return new Version(fees, "0x" + HexFormat.of().formatHex(raw), Hash32.of(Hash.sha3(raw)), head, rejection);
    }

    /**
     * Hands in the newest version.
     *
     * @throws RpcError if the node takes it not
     */
    void hand(Outgoing outgoing) {
        Version version = outgoing.latest();
        try {
            chain.call("eth_sendRawTransaction", version.raw());
        } catch (RpcError e) {
            if (!e.saysAlreadyKnown() && !chain.knows(version.hash())) {
                throw e;
            }
        }
        outgoing.accept();
    }

    /** Hands in the newest version; a refusal changes nothing. */
    void handQuietly(Outgoing outgoing) {
        try {
            hand(outgoing);
        } catch (RpcError e) {
            LOG.debug("{} waits: {}", outgoing, e.getMessage());
        }
    }

    /**
     * Does what helps a transaction that is in no block: hands it in again, or at higher fees.
     *
     * @return why it is given up, if the request itself is refused now, no node ever took it, and nothing waits behind
     *     it; else null
     * @throws EscrowException.Unreachable if no node answers
     */
    @Nullable RpcError push(Outbox outbox, Outgoing outgoing, Fate fate) {
        return switch (fate) {
            case Fate.Waiting waiting -> push(outbox, outgoing, waiting.head(), waiting.isItsTurn(), false);
            case Fate.Forgotten forgotten -> push(outbox, outgoing, forgotten.head(), forgotten.isItsTurn(), true);
            case Fate.Mined mined -> null;
            case Fate.Superseded superseded -> null;
        };
    }

    private @Nullable RpcError push(
            Outbox outbox, Outgoing outgoing, Block head, boolean isItsTurn, boolean isForgotten) {
        if (isItsTurn && isPassedBy(outgoing, head) && raise(outgoing, head, null)) {
            return null;
        }
        if (!isForgotten) {
            return null;
        }
        try {
            hand(outgoing);
            return null;
        } catch (RpcError e) {
            if (!e.isRefusal() || outgoing.isAccepted() || !isItsTurn) {
                LOG.debug("{} waits: {}", outgoing, e.getMessage());
                return null;
            }
            if (!outbox.holdsUpOthers(outgoing)) {
                return e;
            }
            LOG.warn("{} is refused now; an empty transaction takes its number, for those behind it", outgoing, e);
            raise(outgoing, head, e);
            return null;
        }
    }

    private static boolean isPassedBy(Outgoing outgoing, Block head) {
        return outgoing.passedBy(head.number()) >= PASSING_BLOCKS
                || outgoing.latest().fees().areBelow(head.baseFee());
    }

    /** Signs and hands in the same at higher fees; false where the cap does not allow it. */
    private boolean raise(Outgoing outgoing, Block head, @Nullable RpcError rejection) {
        Version latest = outgoing.latest();
        RpcError reason = rejection == null ? latest.rejection() : rejection;
        Optional<Fees> raised = latest.fees().raised(head.baseFee(), tip(), feeCap);
        if (raised.isEmpty()) {
            LOG.debug("{}: its fees {} can't be raised under the cap of {} wei", outgoing, latest.fees(), feeCap);
            return false;
        }
        outgoing.add(version(outgoing, raised.get(), head.number(), reason));
        LOG.info("{}: replaces {} at {}", outgoing, latest.hash(), raised.get());
        handQuietly(outgoing);
        return true;
    }

    /**
     * Returns the fees to offer now.
     *
     * @throws EscrowException.NotYet if they are over the cap
     */
    Fees fees(String action, Block head) {
        BigInteger tip = tip();
        BigInteger needed = head.baseFee().add(tip);
        if (needed.compareTo(feeCap) > 0) {
            throw new EscrowException.NotYet(
                    "%s: gas costs %s wei now, over the cap of %s: wait, or raise the cap"
                            .formatted(action, needed, feeCap),
                    null);
        }
        return Fees.offered(head.baseFee(), tip, feeCap);
    }

    private BigInteger tip() {
        try {
            JsonNode tip = chain.call("eth_maxPriorityFeePerGas");
            return Chain.quantity(tip, "priority fee");
        } catch (RpcError e) {
            LOG.debug("the node suggests no priority fee, {} wei are offered", GWEI, e);
            return GWEI;
        }
    }

    /** Looks after what blocks have and is not final yet: what a reorganisation threw out is handed in again. */
    void tend(Outbox outbox, int confirmations) {
        for (Outgoing outgoing : outbox.inFlight()) {
            if (outgoing.minedAt() >= 0) {
                tend(outbox, outgoing, confirmations);
            }
        }
    }

    private void tend(Outbox outbox, Outgoing outgoing, int confirmations) {
        switch (fate(outgoing)) {
            case Fate.Mined mined -> {
                outgoing.minedAt(mined.receipt().blockNumber());
                if (mined.head().number() - outgoing.minedAt() + 1 >= confirmations) {
                    outbox.remove(outgoing);
                }
            }
            case Fate.Waiting waiting -> push(outbox, outgoing, waiting);
            case Fate.Forgotten forgotten -> {
                LOG.info("{}: block {} was replaced, handing it in again", outgoing, outgoing.minedAt());
                push(outbox, outgoing, forgotten);
            }
            case Fate.Superseded superseded -> {
                outbox.remove(outgoing);
                LOG.warn(
                        "{}: block {} was replaced, and {} took its number",
                        outgoing,
                        outgoing.minedAt(),
                        superseded.by());
            }
        }
    }
}
