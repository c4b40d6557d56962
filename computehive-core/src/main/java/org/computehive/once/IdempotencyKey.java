package org.computehive.once;

/**
 * A name that a caller gives to one request, so that sending it again, after an answer that was lost, doesn't do it again.
 * The semantics follow the {@code Idempotency-Key} header of the IETF draft draft-ietf-httpapi-idempotency-key-header.
 * Unique for each caller alone; a random one, such as a UUID, is best.
 *
 * @param value 1 to 128 visible ASCII characters
 */
public record IdempotencyKey(String value) {
    private static final int LONGEST = 128;

    /**
     * Checks the characters.
     *
     * @throws IllegalArgumentException if it is empty, too long, or has a character that is not visible ASCII
     */
    public IdempotencyKey {
        if (value.isEmpty() || value.length() > LONGEST) {
            throw new IllegalArgumentException(
                    "an idempotency key of %d characters is not allowed: use 1 to %d, such as a UUID"
                            .formatted(value.length(), LONGEST));
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c <= ' ' || c > '~') {
                throw new IllegalArgumentException(
                        "an idempotency key can't have character %d (code 0x%x): use visible ASCII, such as a UUID"
                                .formatted(i + 1, (int) c));
            }
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
