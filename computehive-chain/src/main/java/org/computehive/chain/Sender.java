package org.computehive.chain;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.computehive.chain.Chain.Block;
import org.computehive.chain.Chain.Receipt;
import org.computehive.market.Account;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.web3j.crypto.Hash;
import org.web3j.crypto.RawTransaction;

/**
 * Sends transactions so that none is lost and none is doubled.
 *
 * <p>Each is simulated first, so that what the contract refuses is never sent or paid for. One account's transactions
 * are numbered under its lock. Once signed, only the very same bytes are sent again (after a silent node or a node that
 * forgot), until they are in a block; a new number is taken only if another transaction used up the first. Thread-safe.
 */
final class Sender {
    private static final Logger LOG = LoggerFactory.getLogger(Sender.class);
    private static final int NUMBERING_ATTEMPTS = 10;
    /**
     * A random part of the gas limit, which costs nothing: without it, two processes with the same key that do the same
     * at once would sign the same bytes, and each would take the other's transaction for its own.
     */
    private static final int DISTINCTION = 1 << 16;

    private static final Duration RECHECK = Duration.ofMillis(500);
    private static final BigInteger GWEI = BigInteger.TEN.pow(9);

    private final SecureRandom random = new SecureRandom();
    private final Chain chain;
    private final EvmWallet wallet;
    private final Reverts reverts;
    private final BigInteger feeCap;
    private final Duration patience;

    /** What to send; {@code to} is null to create a contract. */
    record Request(String action, @Nullable Account to, String data, BigInteger value) {}

    private record Signed(BigInteger nonce, String raw, Hash32 hash) {}

    private record Fees(BigInteger tip, BigInteger max) {}

    /**
     * Prepares.
     *
     * @param feeCap wei per gas that are never exceeded
     * @param patience how long to wait for a transaction's block
     */
    Sender(Chain chain, EvmWallet wallet, Reverts reverts, BigInteger feeCap, Duration patience) {
        this.chain = chain;
        this.wallet = wallet;
        this.reverts = reverts;
        this.feeCap = feeCap;
        this.patience = patience;
    }

    static BigInteger defaultFeeCap() {
        return GWEI.multiply(BigInteger.valueOf(500));
    }

    /**
     * Sends, and waits for the block.
     *
     * @throws EscrowException.Refused if it would revert, or did
     * @throws EscrowException.NotYet if the fees are over the cap, or no block took it in time
     * @throws EscrowException.Unreachable if the chain can't be reached; it may have been sent
     */
    Receipt send(Request request) {
        try {
            return sendUntilMined(request);
        } catch (RpcError e) {
            throw reverts.explain(request.action(), e);
        }
    }

    private Receipt sendUntilMined(Request request) {
        Deadline deadline = Deadline.in(patience);
        while (true) {
            Signed signed = submit(request);
            Receipt receipt;
            try {
                receipt = await(request, signed, deadline);
            } finally {
                wallet.noncesOn(chain).done(signed.nonce());
            }
            if (receipt == null) {
                LOG.info("{}: number {} went to another transaction, sending again", request.action(), signed.nonce());
                continue;
            }
            if (!receipt.succeeded()) {
                throw new EscrowException.Refused(
                        "%s: transaction %s was mined and failed; something changed between its simulation and its block"
                                .formatted(request.action(), receipt.transaction()),
                        null);
            }
            LOG.debug("{}: transaction {} in block {}", request.action(), receipt.transaction(), receipt.blockNumber());
            return receipt;
        }
    }

    private BigInteger simulate(Request request) {
        Map<String, String> transaction = new HashMap<>();
        transaction.put("from", wallet.account().address());
        if (request.to() != null) {
            transaction.put("to", request.to().address());
        }
        transaction.put("data", request.data());
        transaction.put("value", Chain.hex(request.value()));
        chain.simulate(transaction, Chain.PENDING);
        BigInteger gas = Chain.quantity(chain.call("eth_estimateGas", transaction, Chain.PENDING), "gas");
        return gas.add(gas.shiftRight(2)).add(BigInteger.valueOf(random.nextInt(DISTINCTION)));
    }

    private Fees fees(String action) {
        Block head = chain.block(Chain.LATEST);
        BigInteger tip = GWEI;
        try {
            tip = Chain.quantity(chain.call("eth_maxPriorityFeePerGas"), "priority fee");
        } catch (RpcError e) {
            LOG.debug("the node suggests no priority fee, {} wei are offered", tip, e);
        }
        BigInteger needed = head.baseFee().add(tip);
        if (needed.compareTo(feeCap) > 0) {
            throw new EscrowException.NotYet(
                    "%s: gas costs %s wei now, over the cap of %s: wait, or raise the cap"
                            .formatted(action, needed, feeCap),
                    null);
        }
        return new Fees(tip, head.baseFee().shiftLeft(1).add(tip).min(feeCap));
    }

    /**
     * Simulates the transaction, gives it its number, signs it and hands it to the node; all under the account's lock, so
     * that the simulation sees what the account sent just before.
     */
    private Signed submit(Request request) {
        Nonces nonces = wallet.noncesOn(chain);
        nonces.lock().lock();
        try {
            BigInteger gas = simulate(request);
            Fees fees = fees(request.action());
            BigInteger floor = BigInteger.ZERO;
            for (int attempt = 1; ; attempt++) {
                BigInteger pending = chain.transactionCount(wallet.account(), Chain.PENDING);
                Signed signed = sign(request, nonces.next(pending).max(floor), gas, fees);
                try {
                    hand(signed);
                } catch (EscrowException.Unreachable e) {
                    LOG.warn(
                            "{}: the node fell silent over transaction {}; its bytes are sent again",
                            request.action(),
                            signed.hash());
                } catch (RpcError e) {
                    if (!e.saysNonceIsTaken() || attempt == NUMBERING_ATTEMPTS) {
                        throw e;
                    }
                    floor = floor.max(chain.transactionCount(wallet.account(), Chain.PENDING));
                    if (floor.compareTo(signed.nonce()) <= 0) {
                        floor = signed.nonce().add(BigInteger.ONE);
                    }
                    continue;
                }
                nonces.sent(signed.nonce());
                return signed;
            }
        } finally {
            nonces.lock().unlock();
        }
    }

    private Signed sign(Request request, BigInteger nonce, BigInteger gas, Fees fees) {
        var transaction = RawTransaction.createTransaction(
                chain.id(),
                nonce,
                gas,
                request.to() == null ? "" : request.to().address(),
                request.value(),
                request.data(),
                fees.tip(),
                fees.max());
        byte[] raw = wallet.sign(transaction);
        return new Signed(nonce, "0x" + HexFormat.of().formatHex(raw), Hash32.of(Hash.sha3(raw)));
    }

    private void hand(Signed signed) {
        try {
            chain.call("eth_sendRawTransaction", signed.raw());
        } catch (RpcError e) {
            if (!e.saysAlreadyKnown() && chain.receipt(signed.hash()) == null) {
                throw e;
            }
        }
    }

    /** Returns the receipt, or null if another transaction took the number, so that this one can never be mined. */
    private @Nullable Receipt await(Request request, Signed signed, Deadline deadline) {
        EscrowException.@Nullable Unreachable trouble = null;
        while (!deadline.isOver()) {
            long seen = chain.watcher().version();
            try {
                Receipt receipt = chain.receipt(signed.hash());
                if (receipt != null) {
                    return receipt;
                }
                if (!chain.knows(signed.hash())) {
                    BigInteger mined = chain.transactionCount(wallet.account(), Chain.LATEST);
                    if (mined.compareTo(signed.nonce()) > 0) {
                        return chain.receipt(signed.hash());
                    }
                    hand(signed);
                }
                trouble = null;
            } catch (EscrowException.Unreachable e) {
                trouble = e;
            } catch (RpcError e) {
                LOG.debug("{}: transaction {} waits: {}", request.action(), signed.hash(), e.getMessage());
            }
            chain.watcher().await(seen, deadline.orIn(RECHECK));
        }
        String message = "%s: no block took transaction %s within %s; look at the chain before doing it again"
                .formatted(request.action(), signed.hash(), patience);
        throw trouble == null
                ? new EscrowException.NotYet(message, null)
                : new EscrowException.Unreachable(message, trouble);
    }
}
