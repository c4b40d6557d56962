package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import org.computehive.demand.BookingPattern;
import org.computehive.demand.BookingPattern.Booked;
import org.computehive.rental.PriceAdvisor.Lot;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.PriceAdvisor.Slot;
import org.computehive.rental.PriceSuggestion;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;

class TimeFactorsTest {
    private static final TribuoPriceAdvisor BUNDLED = TribuoPriceAdvisor.bundled();
    private static final Instant MONDAY = Instant.parse("2026-11-02T00:00:00Z");
    private static final Window MONTH = Window.of(MONDAY, Duration.ofDays(28));
    private static final Instant NOW = MONTH.end();
    private static final Request H100 = new Request(
            "H100 SXM",
            1,
            OptionalLong.empty(),
            16,
            131_072,
            OptionalDouble.empty(),
            OptionalLong.empty(),
            OptionalLong.empty());

    private static Slot inHours(double hours) {
        return new Slot(NOW, Window.of(NOW.plusSeconds((long) (hours * 3_600)), Duration.ofHours(2)));
    }

    private static BookingPattern weekdaysAtNoon(int weeks, Duration lead) {
        var all = new ArrayList<Booked>();
        for (int day = 0; day < 7 * weeks; day++) {
            Instant noon = MONDAY.plus(Duration.ofDays(day)).plus(Duration.ofHours(12));
            if (day % 7 < 5) {
                all.add(new Booked(noon.minus(lead), Window.of(noon, Duration.ofHours(6)), 1));
                all.add(new Booked(noon.minus(lead), Window.of(noon, Duration.ofHours(6)), 1));
            }
        }
        return BookingPattern.of(all, 2, MONTH);
    }

    private static boolean names(PriceSuggestion suggestion, String factor) {
        return suggestion.factors().stream().anyMatch(f -> f.name().equals(factor));
    }

    @Test
    void suggest_lessNotice_neverDearer_andADayAheadIsThePrice() {
        long before = 0;
        for (double hours = 0; hours <= 30; hours += .5) {
            long point = BUNDLED.suggest(H100.with(inHours(hours))).point();
            assertTrue(point >= before, hours + " hours: " + point + " after " + before);
            before = point;
        }
        assertEquals(BUNDLED.suggest(H100).point(), before);
        PriceSuggestion now = BUNDLED.suggest(H100.with(inHours(0)));
        assertTrue(now.point() < .8 * before && now.point() > .25 * before, now::toString);
        assertTrue(names(now, "short notice"), now::toString);
    }

    @Test
    void suggest_whereOwnBookingsComeLate_shortNoticeCostsLess() {
        Slot soon = inHours(2);
        long without = BUNDLED.suggest(H100.with(soon)).point();
        PriceSuggestion late = BUNDLED.suggest(H100.with(soon).with(weekdaysAtNoon(4, Duration.ofMinutes(5))));
        PriceSuggestion early = BUNDLED.suggest(H100.with(soon).with(weekdaysAtNoon(4, Duration.ofDays(5))));
        assertTrue(!names(late, "short notice") && names(early, "short notice"), late + " and " + early);
        assertTrue(late.point() > early.point(), late + " and " + early);
        assertTrue(without < late.point(), () -> without + " and " + late);
    }

    @Test
    void suggest_timeOfTheWeek_isOfTheLendersOwnBookings() {
        BookingPattern own = weekdaysAtNoon(4, Duration.ofDays(5));
        Slot noon = inHours(24 * 7 + 13);
        Slot weekend = inHours(24 * 12 + 13);
        PriceSuggestion busy = BUNDLED.suggest(H100.with(noon).with(own));
        PriceSuggestion idle = BUNDLED.suggest(H100.with(weekend).with(own));
        long plain = BUNDLED.suggest(H100).point();
        assertTrue(busy.point() > plain && idle.point() < plain, busy + " and " + idle);
        assertTrue(names(busy, "time of the week"), busy::toString);
        assertEquals(plain, BUNDLED.suggest(H100.with(noon)).point());
        assertEquals(plain, BUNDLED.suggest(H100.with(own)).point());
        BookingPattern few =
                BookingPattern.of(List.of(new Booked(MONDAY, Window.of(MONDAY, Duration.ofDays(7)), 1)), 1, MONTH);
        assertEquals(plain, BUNDLED.suggest(H100.with(noon).with(few)).point());
    }

    @Test
    void suggest_mixedHost_isTheSumOfItsGpusWhereTheHostIsTheSame() {
        PriceSuggestion mixed = BUNDLED.suggest(H100.with(List.of(new Lot("T4", 2, OptionalLong.empty()))));
        assertTrue(names(mixed, "other gpus of the host"), mixed::toString);
        assertTrue(mixed.toString().contains("2 x T4 at "), mixed::toString);
        assertEquals(PriceSuggestion.Confidence.MEDIUM, mixed.confidence());
        PriceSuggestion alone = BUNDLED.suggest(H100);
        PriceSuggestion alike = BUNDLED.suggest(H100.with(List.of(new Lot("H100 SXM", 1, OptionalLong.empty()))));
        Request two = new Request(
                "H100 SXM",
                2,
                OptionalLong.empty(),
                16,
                131_072,
                OptionalDouble.empty(),
                OptionalLong.empty(),
                OptionalLong.empty());
        assertEquals(BUNDLED.suggest(two).point(), alike.point(), 1);
        assertTrue(mixed.point() > alone.point() && mixed.point() < alike.point(), mixed::toString);
    }
}
