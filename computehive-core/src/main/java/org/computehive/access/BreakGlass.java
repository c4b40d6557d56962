package org.computehive.access;

import java.time.Instant;
import java.util.Objects;

/**
 * Lets an operator into one rental's VM for a while, by a certificate of its own kind: off by default, told to the
 * gateway's listener before it takes effect, and never longer than the rental's lease.
 *
 * @param principal the rental's principal
 * @param operator who enters; 1 to 48 of a-z, 0-9 and inner hyphens
 * @param reason why, for the record; 1 to 200 characters
 * @param until when it ends; exclusive
 */
public record BreakGlass(String principal, String operator, String reason, Instant until) {
    /** Marks the key ids of such certificates; no renter's has it. */
    static final String MARK = "break-glass:";

    static final int REASON_LIMIT = 200;

    /**
     * Checks the parts.
     *
     * @throws IllegalArgumentException if one is malformed
     */
    public BreakGlass {
        Names.principal(principal);
        Names.operator(operator);
        Objects.requireNonNull(until, "until");
        if (reason.isBlank() || reason.length() > REASON_LIMIT) {
            throw new IllegalArgumentException("a break-glass grant needs a reason of 1 to %d characters, not of %d"
                    .formatted(REASON_LIMIT, reason.length()));
        }
    }

    /** Returns whether a certificate's key id is that of an operator's, not of a renter's. */
    public static boolean marks(String keyId) {
        return keyId.startsWith(MARK);
    }

    /** Returns the key id that its certificates have. */
    public String keyId() {
        return MARK + operator + ":" + principal;
    }
}
