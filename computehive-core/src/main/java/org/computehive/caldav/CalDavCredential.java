package org.computehive.caldav;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** How a collection's owner is known to its server. Never shown: {@code toString} leaves the secret out. */
public sealed interface CalDavCredential {
    /** A user and a password (RFC 7617), best an application password that only reaches calendars. */
    record Basic(String user, String password) implements CalDavCredential {
        /**
         * Checks the form.
         *
         * @throws IllegalArgumentException if the user has a colon, or either has a control character
         */
        public Basic {
            if (user.isEmpty() || user.contains(":") || hasControl(user) || hasControl(password)) {
                throw new IllegalArgumentException(
                        "a CalDAV user has no colon, and neither it nor the password a control character");
            }
        }

        @Override
        public String toString() {
            return "Basic[user=" + user + "]";
        }
    }

    /** A token (RFC 6750). */
    record Bearer(String token) implements CalDavCredential {
        /**
         * Checks the form.
         *
         * @throws IllegalArgumentException if it is no bearer token
         */
        public Bearer {
            if (!token.matches("[A-Za-z0-9._~+/-]+=*")) {
                throw new IllegalArgumentException("a bearer token is letters, digits and . _ ~ + / - alone");
            }
        }

        @Override
        public String toString() {
            return "Bearer[]";
        }
    }

    private static boolean hasControl(String text) {
        return text.chars().anyMatch(Character::isISOControl);
    }

    /** Returns the value of the header {@code Authorization}. */
    default String header() {
        return switch (this) {
            case Basic(String user, String password) ->
                "Basic " + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
            case Bearer(String token) -> "Bearer " + token;
        };
    }
}
