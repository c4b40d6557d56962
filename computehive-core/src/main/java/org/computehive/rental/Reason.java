package org.computehive.rental;

import java.util.regex.Pattern;
import org.computehive.access.AccessException;

/** Says why something failed, in words that may be stored and shown: without addresses, keys or signatures. */
final class Reason {
    private static final int LIMIT = 300;
    // Addresses of chain nodes, calendars and webhooks often carry a key in their path, query or user part.
    private static final Pattern ADDRESS = Pattern.compile("\\b[a-zA-Z][a-zA-Z0-9+.-]*://\\S+");
    private static final Pattern LONG_HEX = Pattern.compile("(?:0x)?[0-9a-fA-F]{48,}");
    private static final Pattern CREDENTIAL =
            Pattern.compile("(?i)\\b(authorization|bearer|token|password|passwd|secret|api[-_]?key)\\b\\s*[:= ]\\s*"
                    + "(?:(?:bearer|basic|digest|token)\\s+)?\\S+");
    private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}+");

    private Reason() {}

    /** Of our own errors the message, which we wrote; of any other its kind alone, since nobody knows what it quotes. */
    static String of(RuntimeException failure) {
        boolean ours = failure instanceof HypervisorException
                || failure instanceof EscrowException
                || failure instanceof AccessException
                || failure instanceof NotifierException
                || failure instanceof RentalException;
        String message = failure.getMessage();
        return ours && message != null
                ? of(message)
                : "unexpected " + failure.getClass().getSimpleName();
    }

    static String of(String text) {
        String shown = CONTROL.matcher(text).replaceAll(" ");
        shown = ADDRESS.matcher(shown).replaceAll("<address>");
        shown = CREDENTIAL.matcher(shown).replaceAll("$1 <hidden>");
        shown = LONG_HEX.matcher(shown).replaceAll("<hidden>");
        return shown.length() > LIMIT ? shown.substring(0, LIMIT) + "…" : shown;
    }
}
