package org.computehive.rental;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import org.computehive.market.Rate;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.schedule.Window;

/**
 * What lender and renter agree to when a rental goes on for longer: a further window that begins where the agreed one ends,
 * with an offer of its own that is chained to the one before.
 *
 * @param quote the quote that was taken up
 * @param window the further time, in whole seconds
 * @param rate units per second for all gpus
 * @param lane the lender's storage slot on the chain
 * @param holdUntil until when the further time is held without being funded; before the window's start
 * @param follows the digest of the offer that it is chained to
 */
public record Extension(RentalId quote, Window window, Rate rate, long lane, Instant holdUntil, Hash32 follows) {

    /**
     * Returns the hash that binds the further offer to the rental, its terms and the offer before: SHA-256 of one {@code
     * name value} line each, in the order below.
     */
    public Hash32 spec(RentalId id, RentalTerms terms) {
        String text = String.join(
                "\n",
                "computehive extension 1",
                "rental " + id,
                "terms " + terms.spec(id),
                "follows " + follows,
                "quote " + quote,
                "start " + window.start().getEpochSecond(),
                "end " + window.end().getEpochSecond(),
                "rate " + rate.unitsPerSecond(),
                "lane " + lane,
                "");
        try {
            return Hash32.of(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }
}
