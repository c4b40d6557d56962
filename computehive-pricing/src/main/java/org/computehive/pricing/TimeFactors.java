package org.computehive.pricing;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.computehive.demand.BookingPattern;
import org.computehive.demand.DemandState;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceAdvisor.Slot;
import org.computehive.rental.PriceSuggestion.Factor;
import org.jspecify.annotations.Nullable;

/**
 * What a window's time does to a price: a discount for one that is free and begins soon, as deep as the market's for offers
 * that may be interrupted at the most; and what the lender's own bookings say of its time of the week. Stateless.
 */
final class TimeFactors {
    /** A window that begins later than this is not at short notice. */
    static final Duration SHORT_NOTICE = Duration.ofHours(24);
    /** Fewer bookings of the lender's own say nothing. */
    static final int LEAST_BOOKINGS = 20;

    private static final double HALF_TRUSTED_BOOKINGS = 50;
    private static final double MOST_STEP = StrictMath.log(1.15);

    private TimeFactors() {}

    static List<Factor> of(Request request, double spot) {
        var factors = new ArrayList<Factor>();
        request.slot().ifPresent(slot -> {
            BookingPattern own = request.own()
                    .filter(pattern -> pattern.bookings() >= LEAST_BOOKINGS)
                    .orElse(null);
            factors.add(shortNotice(slot, own, spot));
            if (own != null) {
                factors.add(timeOfWeek(slot, own));
            }
        });
        return factors;
    }

    /** The less time is left to find somebody, the nearer to what interruptible offers cost. */
    private static Factor shortNotice(Slot slot, @Nullable BookingPattern own, double spot) {
        Duration notice = Duration.between(slot.asked(), slot.window().start());
        double seconds = Math.clamp(notice.toSeconds(), 0, SHORT_NOTICE.toSeconds());
        double late = 1 - seconds / SHORT_NOTICE.toSeconds();
        String bookings = "";
        if (own != null) {
            double come = own.shareWithin(notice.isNegative() ? Duration.ZERO : notice);
            late *= 1 - come;
            bookings = "; " + GpuEstimator.number(100 * come) + " % of the lender's own bookings come so late";
        }
        return new Factor(
                "short notice",
                StrictMath.exp(spot * late),
                "free, and begins in " + GpuEstimator.number(seconds / 3_600)
                        + " hours; offers that may be interrupted cost "
                        + GpuEstimator.number(100 * StrictMath.exp(spot))
                        + " % of others" + bookings);
    }

    private static Factor timeOfWeek(Slot slot, BookingPattern own) {
        double trusted = own.bookings() / (own.bookings() + HALF_TRUSTED_BOOKINGS);
        double then = own.utilisationOf(slot.window());
        double usual = own.usualUtilisation();
        double step = Math.clamp(DemandState.STRENGTH * trusted * (then - usual), -MOST_STEP, MOST_STEP);
        return new Factor(
                "time of the week",
                StrictMath.exp(step),
                "of the lender's own gpus " + GpuEstimator.number(100 * then) + " % are booked at such times against "
                        + GpuEstimator.number(100 * usual) + " % all week, by " + own.bookings() + " bookings");
    }
}
