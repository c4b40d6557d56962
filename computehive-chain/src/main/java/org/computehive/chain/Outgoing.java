package org.computehive.chain;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;

/**
 * A request under its number, in all the versions that were signed: the first, and those with higher fees. They share the
 * number, so at most one of them is ever mined, and any of them is as good as the first. Thread-safe.
 */
final class Outgoing {
    private final SendRequest request;
    private final BigInteger nonce;
    private final BigInteger gas;
    private final long since;
    private final List<Version> versions = new ArrayList<>();
    private boolean accepted;
    private long turn = -1;
    private long minedAt = -1;

    /**
     * A signed transaction.
     *
     * @param block the head when it was signed
     * @param rejection why the request itself can't be sent any more, if this only fills its number; else null
     */
    record Version(
            Fees fees,
            String raw,
            Hash32 hash,
            long block,
            @Nullable RpcError rejection) {}

    /**
     * Creates one that has no version yet.
     *
     * @param since the head before anything was signed: no block up to it holds a version
     */
    Outgoing(SendRequest request, BigInteger nonce, BigInteger gas, long since) {
        this.request = request;
        this.nonce = nonce;
        this.gas = gas;
        this.since = since;
    }

    SendRequest request() {
        return request;
    }

    BigInteger nonce() {
        return nonce;
    }

    BigInteger gas() {
        return gas;
    }

    long since() {
        return since;
    }

    synchronized void add(Version version) {
        versions.add(version);
    }

    synchronized List<Version> versions() {
        return List.copyOf(versions);
    }

    synchronized Version latest() {
        return versions.getLast();
    }

    /** Remembers that a node took a version. */
    synchronized void accept() {
        accepted = true;
    }

    /** Returns whether any node ever took a version; if none did, none can be mined. */
    synchronized boolean isAccepted() {
        return accepted;
    }

    /**
     * Tells that no other of the account's transactions has to be mined before.
     *
     * @return how many blocks passed it by since then, or since its newest version
     */
    synchronized long passedBy(long head) {
        turn = turn < 0 ? head : turn;
        return head - Math.max(turn, versions.getLast().block());
    }

    synchronized void minedAt(long block) {
        minedAt = block;
    }

    /** Returns the block that took it, which may still be replaced, or -1. */
    synchronized long minedAt() {
        return minedAt;
    }

    @Override
    public String toString() {
        return "%s: transaction %s, number %s".formatted(request.action(), latest().hash(), nonce);
    }
}
