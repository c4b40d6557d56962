package org.computehive.chain;

import java.math.BigInteger;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The numbers of one account's transactions on one chain that were given out and whose fate is not known yet. Used only
 * while {@link #lock} is held.
 */
final class Nonces {
    private final ReentrantLock lock = new ReentrantLock();
    private final NavigableSet<BigInteger> inFlight = new TreeSet<>();

    ReentrantLock lock() {
        return lock;
    }

    /**
     * Returns the next number.
     *
     * @param pending how many transactions of the account the node knows, those that wait included; some nodes count
     *     late, which is why the numbers in flight count too
     */
    BigInteger next(BigInteger pending) {
        return inFlight.isEmpty() ? pending : pending.max(inFlight.last().add(BigInteger.ONE));
    }

    void sent(BigInteger nonce) {
        inFlight.add(nonce);
    }

    /** Forgets a number: its transaction was mined, or is given up. */
    void done(BigInteger nonce) {
        lock.lock();
        try {
            inFlight.remove(nonce);
        } finally {
            lock.unlock();
        }
    }
}
