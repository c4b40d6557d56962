package org.computehive.chain;

import java.math.BigInteger;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What one account has sent on one chain and is not final yet, by number.
 *
 * <p>Nothing of it is written to disk, and need not be: after a {@code kill -9} the node's count of the account's waiting
 * transactions gives the next number, and the contract refuses whatever a caller repeats that was done already. Numbers
 * are given out only while {@link #lock} is held; the rest is thread-safe.
 */
final class Outbox {
    private static final int MOST_GIVEN_UP = 100;

    private final ReentrantLock lock = new ReentrantLock();
    private final NavigableMap<BigInteger, Outgoing> inFlight = new ConcurrentSkipListMap<>();
    private final Map<SendRequest, Outgoing> givenUp = new HashMap<>();
    private final Set<Chain> keepers = Collections.newSetFromMap(new WeakHashMap<>());

    ReentrantLock lock() {
        return lock;
    }

    /**
     * Returns the next number.
     *
     * @param pending how many transactions of the account the node knows, those that wait included; some nodes count
     *     late, or have forgotten, which is why the numbers in flight count too
     */
    BigInteger next(BigInteger pending) {
        return inFlight.isEmpty() ? pending : pending.max(inFlight.lastKey().add(BigInteger.ONE));
    }

    void add(Outgoing outgoing) {
        inFlight.put(outgoing.nonce(), outgoing);
    }

    /** Forgets one that is final, or can't be mined any more. */
    void remove(Outgoing outgoing) {
        inFlight.remove(outgoing.nonce(), outgoing);
    }

    /** Stops waiting for one; whoever asks for the same again goes on with it instead of sending another. */
    synchronized void giveUp(Outgoing outgoing) {
        remove(outgoing);
        if (givenUp.size() < MOST_GIVEN_UP) {
            givenUp.put(outgoing.request(), outgoing);
        }
    }

    /** Returns the one that was given up for a request, in flight again, or null if there is none. */
    synchronized @Nullable Outgoing resume(SendRequest request) {
        Outgoing outgoing = givenUp.remove(request);
        if (outgoing == null || inFlight.putIfAbsent(outgoing.nonce(), outgoing) != null) {
            return null;
        }
        return outgoing;
    }

    /** Returns what is in flight, by number. */
    List<Outgoing> inFlight() {
        return List.copyOf(inFlight.values());
    }

    /** Returns whether others behind this one wait for its number to be used. */
    boolean holdsUpOthers(Outgoing outgoing) {
        return inFlight.higherKey(outgoing.nonce()) != null;
    }

    /** Returns true for the first call with a chain: from then on its watcher looks after this. */
    synchronized boolean isNewTo(Chain chain) {
        return keepers.add(chain);
    }
}
