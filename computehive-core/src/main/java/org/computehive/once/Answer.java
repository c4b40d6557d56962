package org.computehive.once;

import java.time.Instant;
import org.computehive.market.Account;

/**
 * What was answered to a request, kept so that it can be answered again.
 *
 * @param caller who asked
 * @param key the name that the caller gave to the request
 * @param request the {@linkplain RequestDigest digest} of what was asked
 * @param at when it was answered
 * @param format the name and version of the payload's form
 * @param payload JSON from which the answer is made again
 */
public record Answer(Account caller, IdempotencyKey key, String request, Instant at, String format, String payload) {
    /** Leaves the payload out: a certificate may be in it. */
    @Override
    public String toString() {
        return "Answer[caller=" + caller + ", key=" + key + ", at=" + at + ", format=" + format + "]";
    }
}
