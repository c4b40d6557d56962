package org.computehive.chain;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.computehive.chain.Chain.Block;
import org.computehive.chain.Chain.Log;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;
import org.web3j.crypto.Hash;

/**
 * Reads escrows from the contract's events. Nothing is remembered between two readings but how far the chain was final,
 * so a reorganisation needs no undoing. Thread-safe.
 */
final class EscrowReader {
    private static final String OPENED = topic("Opened(bytes32,address,address,"
            + "(address,uint64,uint64,address,address,address,uint96,uint40,uint32,uint32,uint32,uint40,bytes32))");
    private static final String SETTLED = topic("Settled(bytes32,address,address,uint256,uint256,uint32,uint8)");
    private static final int ATTEMPTS = 3;

    private final Chain chain;
    private final Account contract;
    private final long deployedAt;
    private final int confirmations;
    private final AtomicLong finalBlock = new AtomicLong();

    EscrowReader(Chain chain, Account contract, long deployedAt, int confirmations) {
        this.chain = chain;
        this.contract = contract;
        this.deployedAt = deployedAt;
        this.confirmations = confirmations;
    }

    /**
     * What one consistent view of the chain holds about an offer.
     *
     * @param lastFinal the newest block with enough confirmations
     */
    record Sight(
            Block head,
            Block lastFinal,
            @Nullable Log opened,
            @Nullable Log settled) {
        boolean isFinal(Log log) {
            return log.blockNumber() <= lastFinal.number();
        }
    }

    /**
     * Looks.
     *
     * @throws EscrowException.Unreachable if the chain can't be read or contradicts itself
     */
    Sight look(EscrowOffer offer) {
        return chain.onOneNode(() -> lookAtOneNode(offer));
    }

    private Sight lookAtOneNode(EscrowOffer offer) {
        for (int i = 0; i < ATTEMPTS; i++) {
            long knownFinal = finalBlock.get();
            Block head = chain.block(Chain.LATEST);
            Block lastFinal = finalBefore(head, knownFinal);
            List<Log> logs = chain.logs(
                    contract,
                    deployedAt,
                    head.number(),
                    List.of(List.of(OPENED, SETTLED), offer.digest().hex()));
            if (chain.block(head.number()).hash().equals(head.hash())) {
                return sight(offer, head, lastFinal, logs);
            }
        }
        throw new EscrowException.Unreachable("the chain changed under every attempt to read it; try again", null);
    }

    private Block finalBefore(Block head, long knownFinal) {
        long number = head.number() - confirmations + 1L;
        if (number < 0) {
            throw new EscrowException.Unreachable(
                    "the chain has %d blocks, %d confirmations are asked for: wait for more blocks"
                            .formatted(head.number() + 1, confirmations),
                    null);
        }
        if (head.number() < knownFinal) {
            throw new EscrowException.Unreachable(
                    "the node's head is block %d, block %d was final before: the node lags or lost blocks; wait"
                            .formatted(head.number(), knownFinal),
                    null);
        }
        Block block = confirmations == 1 ? head : chain.block(number);
        finalBlock.accumulateAndGet(number, Math::max);
        return block;
    }

    private Sight sight(EscrowOffer offer, Block head, Block lastFinal, List<Log> logs) {
        Log opened = null;
        Log settled = null;
        for (Log log : logs) {
            String topic = log.topics().isEmpty() ? "" : log.topics().getFirst();
            if (topic.equals(OPENED) && opened == null) {
                opened = log;
            } else if (topic.equals(SETTLED) && settled == null) {
                settled = log;
            } else {
                throw contradiction(offer, "it opened or settled twice");
            }
        }
        if (opened != null && !opened.data().equals(OfferCodec.encoded(offer))) {
            throw contradiction(offer, "it was opened with other terms");
        }
        if (settled != null && opened == null) {
            throw contradiction(offer, "it is settled and was never opened");
        }
        return new Sight(head, lastFinal, opened, settled);
    }

    /** Says what a sight means, where only what is final counts. */
    Reading reading(EscrowOffer offer, Sight sight) {
        Log opened = sight.opened();
        if (opened == null) {
            return new Reading.Absent(sight.lastFinal().time());
        }
        if (!sight.isFinal(opened)) {
            long count = sight.head().number() - opened.blockNumber() + 1;
            return new Reading.Pending(Math.toIntExact(count), confirmations);
        }
        Log settled = sight.settled();
        if (settled == null || !sight.isFinal(settled)) {
            return new Reading.Open(offer.deposit(), opened.transaction(), time(opened));
        }
        return closed(offer, settled);
    }

    Reading.Closed closed(EscrowOffer offer, Log settled) {
        BigInteger paid = EscrowCalls.word(settled.data(), 0);
        BigInteger refunded = EscrowCalls.word(settled.data(), 1);
        if (!paid.add(refunded).equals(offer.deposit().units())) {
            throw contradiction(offer, "paid %s and refunded %s are not the deposit".formatted(paid, refunded));
        }
        return new Reading.Closed(new Amount(paid), new Amount(refunded), settled.transaction(), time(settled));
    }

    /** Returns a lane's next sequence number. */
    BigInteger sequence(Account lender, BigInteger lane) {
        String state = view(EscrowCalls.laneState(lender, lane));
        if (EscrowCalls.word(state, 0).signum() != 0) {
            throw new EscrowException.Refused(
                    "lane %s of %s is taken by rental %s: use another lane, or settle that one first"
                            .formatted(lane, lender, EscrowCalls.hash(state, 2)),
                    null);
        }
        return EscrowCalls.word(state, 1);
    }

    Hash32 hash(String data) {
        return EscrowCalls.hash(view(data), 0);
    }

    private String view(String data) {
        return chain.simulate(Map.of("to", contract.address(), "data", data), Chain.LATEST);
    }

    private Instant time(Log log) {
        return chain.blockOf(log).time();
    }

    private static EscrowException.Unreachable contradiction(EscrowOffer offer, String what) {
        return new EscrowException.Unreachable(
                "the chain contradicts itself over offer %s: %s; check the node".formatted(offer.digest(), what), null);
    }

    private static String topic(String event) {
        return Hash32.of(Hash.sha3(event.getBytes(StandardCharsets.US_ASCII))).hex();
    }
}
