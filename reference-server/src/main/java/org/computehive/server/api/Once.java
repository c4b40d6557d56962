package org.computehive.server.api;

import org.computehive.market.Account;
import org.computehive.once.IdempotencyKey;
import org.computehive.rental.RentalCommands;
import org.computehive.rental.RentalEngine;
import org.jspecify.annotations.Nullable;

/**
 * The engine's commands as a request asks for them: once for its {@code Idempotency-Key}, if it has one (IETF
 * draft-ietf-httpapi-idempotency-key-header).
 */
final class Once {
    /** The header's name. */
    static final String HEADER = "Idempotency-Key";

    private Once() {}

    /**
     * Returns the commands.
     *
     * @param caller whose key it is
     * @param key the header's value: the draft's quoted string, or the key alone; null without the header
     * @throws BadField if it is no key
     */
    static RentalCommands of(RentalEngine engine, Account caller, @Nullable String key) {
        return key == null ? engine : engine.once(caller, key(key));
    }

    /**
     * Returns the key that a header's value is.
     *
     * @throws BadField if it is no key
     */
    static IdempotencyKey key(String header) {
        return BadField.parse(HEADER, header, text -> new IdempotencyKey(unquoted(text)));
    }

    private static String unquoted(String text) {
        boolean quoted = text.length() > 1 && text.startsWith("\"") && text.endsWith("\"");
        return quoted ? text.substring(1, text.length() - 1) : text;
    }
}
