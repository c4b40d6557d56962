package org.computehive.chain;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A node understood a request and answered with an error. */
final class RpcError extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private static final int REVERTED = 3;
    /** EIP-1474. */
    private static final int LIMIT_EXCEEDED = -32005;

    private final int code;
    private final @Nullable String revertData;

    RpcError(String method, int code, String message, @Nullable String revertData) {
        super("%s was answered with error %d: %s".formatted(method, code, message));
        this.code = code;
        this.revertData = revertData;
    }

    /** Returns what the contract reverted with, in hexadecimal, or null where the node gave nothing. */
    @Nullable String revertData() {
        return revertData;
    }

    /** Returns whether the transaction itself was refused, rather than the node being in trouble. */
    boolean isRefusal() {
        return code == REVERTED || revertData != null || says("revert", "insufficient funds", "out of gas", "exceeds");
    }

    /** Returns whether another node may well answer: this one has lost, not yet got, or not the time for what was asked. */
    boolean saysTheNodeIsInTrouble() {
        return !isRefusal()
                && (code == LIMIT_EXCEEDED
                        || says("rate limit", "header not found", "unknown block", "block not found", "missing trie"));
    }

    boolean saysInsufficientFunds() {
        return says("insufficient funds", "doesn't have enough funds", "insufficient balance");
    }

    boolean saysAlreadyKnown() {
        return says("already known", "already imported", "known transaction");
    }

    boolean saysNonceIsTaken() {
        return says("nonce too low", "nonce is too low", "replacement", "nonce already");
    }

    /** Returns whether the node wants the account's transactions before this one first. */
    boolean saysNonceIsTooHigh() {
        return says("nonce too high", "nonce is too high", "nonce gap");
    }

    private boolean says(String... words) {
        String text = String.valueOf(getMessage()).toLowerCase(Locale.ROOT);
        for (String word : words) {
            if (text.contains(word)) {
                return true;
            }
        }
        return false;
    }
}
