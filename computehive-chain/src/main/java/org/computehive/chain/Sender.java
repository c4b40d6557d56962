package org.computehive.chain;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.computehive.chain.Chain.Block;
import org.computehive.chain.Chain.Receipt;
import org.computehive.chain.Courier.Fate;
import org.computehive.rental.EscrowException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends transactions so that none is lost and none is doubled.
 *
 * <p>Each is simulated first, so that what the contract refuses is never sent or paid for. One account's transactions
 * are numbered under its lock. Once signed, a request keeps its number: the same bytes are handed in again after a silent
 * node, a node that forgot or a reorganisation, and where blocks pass it by it is replaced by the same at higher fees, up
 * to the cap. Another number is taken only if a block has another transaction under the first. Thread-safe.
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
    private static final Duration RAREST = Duration.ofSeconds(5);
    private static final BigInteger GWEI = BigInteger.TEN.pow(9);

    private final SecureRandom random = new SecureRandom();
    private final Chain chain;
    private final EvmWallet wallet;
    private final Reverts reverts;
    private final Duration patience;
    private final int confirmations;
    private final Outbox outbox;
    private final Courier courier;

    /**
     * Prepares.
     *
     * @param feeCap wei per gas that are never exceeded
     * @param patience how long to wait for a transaction's block
     * @param confirmations how many blocks make it final; until then it is looked after
     */
    Sender(Chain chain, EvmWallet wallet, Reverts reverts, BigInteger feeCap, Duration patience, int confirmations) {
        this.chain = chain;
        this.wallet = wallet;
        this.reverts = reverts;
        this.patience = patience;
        this.confirmations = confirmations;
        this.outbox = wallet.outboxOn(chain);
        this.courier = new Courier(chain, wallet, feeCap);
    }

    static BigInteger defaultFeeCap() {
        return GWEI.multiply(BigInteger.valueOf(500));
    }

    /**
     * Sends, and waits for the block. The same request after {@link EscrowException.NotYet} goes on with the transaction
     * that waits, and sends no other.
     *
     * @throws EscrowException.Refused if it would revert, or did
     * @throws EscrowException.NotYet if the fees are over the cap, or no block took it in time
     * @throws EscrowException.Unreachable if the chain can't be reached; it may have been sent
     */
    Receipt send(SendRequest request) {
        try {
            return sendUntilMined(request);
        } catch (RpcError e) {
            throw reverts.explain(request.action(), e);
        }
    }

    private Receipt sendUntilMined(SendRequest request) {
        Deadline deadline = Deadline.in(patience);
        while (true) {
            Outgoing outgoing = outbox.resume(request);
            if (outgoing == null) {
                outgoing = submit(request, deadline);
            }
            Fate.Mined mined = await(outgoing, deadline);
            if (mined == null) {
                continue;
            }
            Receipt receipt = mined.receipt();
            keepUntilFinal(outgoing, receipt);
            RpcError rejection = mined.version().rejection();
            if (rejection != null) {
                throw rejection;
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

    /**
     * Simulates the request, gives it its number, signs it and hands it to the node; all under the account's lock, so
     * that the simulation sees what the account sent just before.
     */
    private Outgoing submit(SendRequest request, Deadline deadline) {
        while (true) {
            long seen = chain.watcher().version();
            outbox.lock().lock();
            try {
                return number(request, simulate(request));
            } catch (RpcError e) {
                if (!isInTheWayOfAnother(request, e) || deadline.isOver()) {
                    throw e;
                }
                LOG.debug("{}: another transaction that waits may have done it already", request.action(), e);
            } finally {
                outbox.lock().unlock();
            }
            chain.watcher().await(seen, deadline.orIn(RECHECK));
        }
    }

    /**
     * Returns whether only transactions that wait for their block make the contract refuse a request: perhaps the very
     * same, sent before a crash. The block decides; until then nothing is known.
     */
    private boolean isInTheWayOfAnother(SendRequest request, RpcError refusal) {
        if (!refusal.isRefusal()
                || chain.transactionCount(wallet.account(), Chain.PENDING)
                                .compareTo(chain.transactionCount(wallet.account(), Chain.LATEST))
                        <= 0) {
            return false;
        }
        try {
            chain.simulate(transaction(request), Chain.LATEST);
            return true;
        } catch (RpcError e) {
            return !e.isRefusal();
        }
    }

    private BigInteger simulate(SendRequest request) {
        Map<String, String> transaction = transaction(request);
        chain.simulate(transaction, Chain.PENDING);
        BigInteger gas = Chain.quantity(chain.call("eth_estimateGas", transaction, Chain.PENDING), "gas");
        return gas.add(gas.shiftRight(2)).add(BigInteger.valueOf(random.nextInt(DISTINCTION)));
    }

    private Map<String, String> transaction(SendRequest request) {
        Map<String, String> transaction = new HashMap<>();
        transaction.put("from", wallet.account().address());
        if (request.to() != null) {
            transaction.put("to", request.to().address());
        }
        transaction.put("data", request.data());
        transaction.put("value", Chain.hex(request.value()));
        return transaction;
    }

    private Outgoing number(SendRequest request, BigInteger gas) {
        Block head = chain.block(Chain.LATEST);
        Fees fees = courier.fees(request.action(), head);
        BigInteger floor = BigInteger.ZERO;
        for (int attempt = 1; ; attempt++) {
            BigInteger pending = chain.transactionCount(wallet.account(), Chain.PENDING);
            BigInteger nonce = outbox.next(pending).max(floor);
            Outgoing outgoing = courier.sign(request, nonce, gas, fees, head.number());
            try {
                courier.hand(outgoing);
            } catch (EscrowException.Unreachable e) {
                LOG.warn("{}: the node fell silent; its bytes are handed in again", outgoing);
            } catch (RpcError e) {
                if (e.saysNonceIsTooHigh() && attempt < NUMBERING_ATTEMPTS) {
                    outbox.inFlight().forEach(courier::handQuietly);
                    continue;
                }
                if (!e.saysNonceIsTaken() || attempt == NUMBERING_ATTEMPTS) {
                    throw e;
                }
                floor = chain.transactionCount(wallet.account(), Chain.PENDING).max(nonce.add(BigInteger.ONE));
                continue;
            }
            outbox.add(outgoing);
            return outgoing;
        }
    }

    /**
     * Waits until a block has one of the versions.
     *
     * @return null if a block has another transaction under the number, so that none of them can be mined
     */
    private Fate.@Nullable Mined await(Outgoing outgoing, Deadline deadline) {
        boolean isDecided = false;
        Duration pause = RECHECK;
        @Nullable RuntimeException trouble = null;
        try {
            while (!deadline.isOver()) {
                long seen = chain.watcher().version();
                try {
                    Fate fate = courier.fate(outgoing);
                    if (fate instanceof Fate.Mined mined) {
                        isDecided = true;
                        return mined;
                    }
                    if (fate instanceof Fate.Superseded superseded) {
                        LOG.info("{}: {} took its number, sending again", outgoing, superseded.by());
                        isDecided = true;
                        outbox.remove(outgoing);
                        return null;
                    }
                    RpcError rejection = courier.push(outbox, outgoing, fate);
                    if (rejection != null) {
                        isDecided = true;
                        outbox.remove(outgoing);
                        throw reverts.explain(outgoing.request().action(), rejection);
                    }
                    trouble = null;
                } catch (EscrowException.Unreachable | RpcError e) {
                    trouble = e;
                }
                chain.watcher().await(seen, deadline.orIn(pause));
                pause = pause.multipliedBy(2).compareTo(RAREST) > 0 ? RAREST : pause.multipliedBy(2);
            }
        } finally {
            if (!isDecided) {
                outbox.giveUp(outgoing);
            }
        }
        String message =
                "%s; no block took it within %s: do the same again to go on with it".formatted(outgoing, patience);
        throw trouble == null
                ? new EscrowException.NotYet(message, null)
                : new EscrowException.Unreachable(message, trouble);
    }

    private void keepUntilFinal(Outgoing outgoing, Receipt receipt) {
        if (confirmations <= 1) {
            outbox.remove(outgoing);
            return;
        }
        outgoing.minedAt(receipt.blockNumber());
        if (outbox.isNewTo(chain)) {
            var tending = new AtomicBoolean();
            chain.watcher().onChange(() -> tend(tending));
        }
    }

    /** Runs beside the watcher, whose thread must not wait for nodes; a look that is under way is enough. */
    private void tend(AtomicBoolean tending) {
        if (!outbox.inFlight().isEmpty() && tending.compareAndSet(false, true)) {
            Thread.ofVirtual().name("computehive-chain-tend").start(() -> {
                try {
                    courier.tend(outbox, confirmations);
                } catch (RpcError | EscrowException e) {
                    LOG.debug("looking after what was sent: {}", e.getMessage());
                } finally {
                    tending.set(false);
                }
            });
        }
    }
}
