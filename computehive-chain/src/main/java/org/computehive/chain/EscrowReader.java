package org.computehive.chain;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.computehive.chain.Chain.Block;
import org.computehive.chain.Chain.Log;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;
import org.web3j.crypto.Hash;

/**
 * Reads escrows from the contract's events, each time anew of one node; where they lie is what {@link EventIndex} knows.
 *
 * <p>With several nodes, an escrow is {@link Reading.Absent} only if no other node tells of its opening. Thread-safe.
 */
final class EscrowReader {
    private static final String OPENED =
            topic("Opened(bytes32,address,address,(uint256,uint256,uint256,uint256,uint256,bytes32))");
    private static final String ENDED = topic("Ended(uint256,uint256)");
    private static final String DISPUTED = topic("Disputed(uint256,uint256,bytes32,uint64)");
    private static final String SETTLED = topic("Settled(uint256,uint256)");
    private static final List<String> EVENTS = List.of(OPENED, ENDED, DISPUTED, SETTLED);
    private static final int WORD_END = 66;
    private static final int ATTEMPTS = 3;
    /** How many blocks back the other nodes are asked for an opening: those in which a renter may just have paid. */
    private static final long ASKED_OF_OTHERS = 5_000;

    private final Chain chain;
    private final Account contract;
    private final long deployedAt;
    private final int confirmations;
    private final EventIndex index;
    private final AtomicLong finalBlock = new AtomicLong();

    EscrowReader(Chain chain, EscrowSettings settings) {
        this.chain = chain;
        this.contract = settings.contract();
        this.deployedAt = settings.deployedAt();
        this.confirmations = settings.confirmations();
        this.index = new EventIndex(
                chain, contract, deployedAt, EVENTS, EscrowReader::rental, confirmations, settings.progress());
    }

    /** Returns which rental an event is about: an opening tells it first, the others index it. */
    private static String rental(Log log) {
        boolean opening = !log.topics().isEmpty() && log.topics().getFirst().equals(OPENED);
        if (log.topics().size() < 2 || (opening && log.data().length() < WORD_END)) {
            throw new EscrowException.Unreachable(
                    "an event in transaction %s is about nothing: is there another contract?"
                            .formatted(log.transaction()),
                    null);
        }
        return opening ? log.data().substring(0, WORD_END) : log.topics().get(1);
    }

    /** Keeps how far the chain was read. */
    void close() {
        index.save();
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
            @Nullable Log ended,
            @Nullable Log disputed,
            @Nullable Log settled) {
        static Sight unopened(Block head, Block lastFinal) {
            return new Sight(head, lastFinal, null, null, null, null);
        }

        /** The event that told the phase in which the rental is at the head; null while it is running. */
        @Nullable Log phase() {
            return disputed == null ? ended : disputed;
        }

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
        Sight sight = chain.onOneNode(() -> lookAtOneNode(offer));
        if (sight.opened() == null) {
            requireThatNoNodeSaysOpened(offer, sight.lastFinal());
        }
        return sight;
    }

    private void requireThatNoNodeSaysOpened(EscrowOffer offer, Block lastFinal) {
        long from = Math.max(deployedAt, lastFinal.number() - ASKED_OF_OTHERS);
        if (from <= lastFinal.number()) {
            List<Object> opening = List.of(OPENED, offer.digest().hex());
            chain.onOtherNodes(() -> chain.logs(contract, from, lastFinal.number(), opening)).stream()
                    .flatMap(List::stream)
                    .findAny()
                    .ifPresent(log -> {
                        throw contradiction(offer, "one node tells of its opening and another does not");
                    });
        }
    }

    private Sight lookAtOneNode(EscrowOffer offer) {
        for (int i = 0; i < ATTEMPTS; i++) {
            long knownFinal = finalBlock.get();
            Block head = chain.block(Chain.LATEST);
            Block lastFinal = finalBefore(head, knownFinal);
            Found found = find(offer, head);
            if (chain.block(head.number()).hash().equals(head.hash())) {
                return sight(offer, head, lastFinal, found.required(offer));
            }
        }
        throw new EscrowException.Unreachable("the chain changed under every attempt to read it; try again", null);
    }

    /**
     * What the blocks hold that are known to hold an event of an offer.
     *
     * @param without those of them that hold none now: a contradiction, unless the chain changed meanwhile
     */
    private record Found(List<Log> logs, List<Long> without) {
        List<Log> required(EscrowOffer offer) {
            if (!without.isEmpty()) {
                throw contradiction(
                        offer, "block %d held an event of it and holds none now".formatted(without.getFirst()));
            }
            return logs;
        }
    }

    private Found find(EscrowOffer offer, Block head) {
        String rental = OfferCodec.rental(offer);
        var logs = new ArrayList<Log>();
        var without = new ArrayList<Long>();
        for (long number : index.blocksOf(rental, head)) {
            List<Log> found = chain.logs(contract, number, number, List.of(EVENTS)).stream()
                    .filter(log -> rental(log).equals(rental))
                    .toList();
            if (found.isEmpty()) {
                without.add(number);
            }
            logs.addAll(found);
        }
        return new Found(logs, without);
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
        var byEvent = new HashMap<String, Log>();
        for (Log log : logs) {
            String topic = log.topics().isEmpty() ? "" : log.topics().getFirst();
            if (byEvent.put(topic, log) != null) {
                throw contradiction(offer, "it opened, ended or settled twice");
            }
        }
        Log opened = byEvent.get(OPENED);
        if (opened == null && !byEvent.isEmpty()) {
            throw contradiction(offer, "it is settled or ended and was never opened");
        }
        if (opened != null && !opened.topics().get(1).equals(offer.digest().hex())) {
            // Another offer took the lane's number; this one can never be opened.
            return Sight.unopened(head, lastFinal);
        }
        if (opened != null && !opened.data().equals(OfferCodec.encoded(offer))) {
            throw contradiction(offer, "it was opened with other terms");
        }
        return new Sight(head, lastFinal, opened, byEvent.get(ENDED), byEvent.get(DISPUTED), byEvent.get(SETTLED));
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
            return new Reading.Open(offer.deposit(), opened.transaction(), time(opened), finalPhase(offer, sight));
        }
        return closed(offer, settled);
    }

    private static Phase finalPhase(EscrowOffer offer, Sight sight) {
        for (Log log : Arrays.asList(sight.disputed(), sight.ended())) {
            if (log != null && sight.isFinal(log)) {
                return phase(offer, log);
            }
        }
        return new Phase.Running();
    }

    /** Returns the phase at the head of an escrow that is open there. */
    static Phase headPhase(EscrowOffer offer, Sight sight) {
        Log log = sight.phase();
        return log == null ? new Phase.Running() : phase(offer, log);
    }

    /** Says what the event that told a phase means. */
    static Phase phase(EscrowOffer offer, Log log) {
        try {
            PhaseWord word = PhaseWord.of(log);
            return log.topics().getFirst().equals(DISPUTED)
                    ? word.disputed(offer, EscrowCalls.hash(log.data(), 1), EscrowCalls.word(log.data(), 2))
                    : word.ended(offer);
        } catch (IllegalArgumentException e) {
            throw contradiction(offer, String.valueOf(e.getMessage()));
        }
    }

    Reading.Closed closed(EscrowOffer offer, Log settled) {
        try {
            OutcomeWord outcome = OutcomeWord.of(settled);
            Amount paid = offer.rate().cost(OfferCodec.within(offer, outcome.used()));
            atMost("slash", outcome.slash(), offer.stakes().bond());
            atMost("forfeit", outcome.forfeit(), offer.stakes().disputeBond());
            return new Reading.Closed(
                    paid,
                    offer.deposit().minus(paid),
                    outcome.slash(),
                    outcome.forfeit(),
                    outcome.how(),
                    settled.transaction(),
                    time(settled));
        } catch (IllegalArgumentException e) {
            throw contradiction(offer, String.valueOf(e.getMessage()));
        }
    }

    private static void atMost(String what, Amount amount, Amount bond) {
        if (amount.compareTo(bond) > 0) {
            throw new IllegalArgumentException("it tells of a %s of %s of a bond of %s".formatted(what, amount, bond));
        }
    }

    /** Returns a lane's next sequence number. */
    BigInteger sequence(Account lender, BigInteger lane) {
        String state = view(EscrowCalls.laneState(lender, lane));
        if (EscrowCalls.word(state, 0).signum() != 0) {
            throw new EscrowException.Refused(
                    "lane %s of %s is taken by an open rental: use another lane, or settle that one first"
                            .formatted(lane, lender),
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
