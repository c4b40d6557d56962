package org.computehive.server.api;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.computehive.market.Account;

/**
 * Who sent a request, as its token says.
 *
 * @param account the account it speaks for
 * @param role what it may do
 */
record Caller(Account account, Role role) {

    /**
     * Returns the account.
     *
     * @throws Forbidden if the caller has none of the roles
     */
    Account as(Role... roles) {
        if (!Arrays.asList(roles).contains(role)) {
            throw new Forbidden("this is for a %s's token; yours is a %s's"
                    .formatted(
                            Arrays.stream(roles).map(Caller::word).collect(Collectors.joining("'s or a ")),
                            word(role)));
        }
        return account;
    }

    private static String word(Role role) {
        return role.name().toLowerCase(Locale.ROOT);
    }

    /** The caller's role doesn't allow it. */
    static final class Forbidden extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Forbidden(String message) {
            super(message);
        }
    }
}
