package org.computehive.market.matching;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.computehive.market.Amount;
import org.computehive.schedule.Window;

/**
 * A window of a candidate for a request, with what it costs by every term of the {@link Objective}. Somebody confirms it, or
 * does not; it holds nothing.
 *
 * <p>Immutable and thread-safe.
 *
 * @param request the request's id
 * @param candidate the candidate's id
 * @param window when
 * @param rent what the renter would pay
 * @param delay the time from the request's earliest start to the window's
 * @param stranded the time left beside the window, within its free window, in gaps too short to rent
 * @param delayCost the delay in units of the token
 * @param strandedCost the stranded time in units of the token
 */
public record Proposal(
        String request,
        String candidate,
        Window window,
        Amount rent,
        Duration delay,
        Duration stranded,
        BigInteger delayCost,
        BigInteger strandedCost) {

    /** Returns the sum of all terms: less is better. */
    public BigInteger total() {
        return rent.units().add(delayCost).add(strandedCost);
    }

    /** Returns what it is made of, for people: every term with its value. */
    public String terms() {
        return "%s %s: total %s = rent %s + waiting %s (%s) + stranded %s (%s)"
                .formatted(candidate, window, total(), rent, delayCost, delay, strandedCost, stranded);
    }

    /** Returns why it ranks before another proposal for the same request, for people: the terms that differ. */
    public String whyBefore(Proposal other) {
        List<String> why = new ArrayList<>();
        difference("rent", rent.units(), other.rent.units(), why);
        difference("waiting", delayCost, other.delayCost, why);
        difference("stranded", strandedCost, other.strandedCost, why);
        String terms = why.isEmpty() ? "every term is the same" : String.join(", ", why);
        int order = total().compareTo(other.total());
        String rival = "%s %s".formatted(other.candidate, other.window);
        if (order == 0) {
            return "as good as %s (%s): the earlier, less stranded, or first by name".formatted(rival, terms);
        }
        BigInteger gap = total().subtract(other.total()).abs();
        return "%s %s than %s: %s".formatted(gap, order < 0 ? "better" : "worse", rival, terms);
    }

    private static void difference(String term, BigInteger own, BigInteger other, List<String> why) {
        int order = own.compareTo(other);
        if (order != 0) {
            why.add("%s %s %s".formatted(term, own.subtract(other).abs(), order < 0 ? "less" : "more"));
        }
    }
}
