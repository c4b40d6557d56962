package org.computehive.demand;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What demand does to a price now: a multiplier that follows utilisation slowly. Immutable; keep the newest.
 *
 * <p>Utilisation is smoothed with a half-life, searches that found nothing count as demand that utilisation can't show,
 * changes under the hysteresis are not followed, and the multiplier moves by at most the limit in a day. It is not
 * learnt: across gpus, cheap ones are rented first, so their utilisation says nothing of what a price does.
 *
 * @param smoothedUtilisation utilisation after smoothing, 0 to 1.3
 * @param multiplier what a price is multiplied by, {@value #LEAST} to {@value #MOST}
 * @param at when that was so
 * @param newest the signals that it followed last, if there were any
 */
public record DemandState(double smoothedUtilisation, double multiplier, Instant at, Optional<DemandSignals> newest) {
    /** The least that demand multiplies a price by. */
    public static final double LEAST = .8;
    /** The most. */
    public static final double MOST = 1.25;
    /** The most that the multiplier moves in a day, as a share. */
    public static final double DAILY_LIMIT = .1;

    private static final double MOST_PRESSURE = 1.3;
    /** How strongly prices follow utilisation: the multiplier is the exponential of this times what it is over the target. */
    public static final double STRENGTH = .6;
    /** The utilisation at which demand does nothing. */
    public static final double TARGET = .8;

    private static final double HALF_LIFE_DAYS = 2;
    private static final double HYSTERESIS = .02;
    private static final double MISSED_STRENGTH = .5;
    private static final double DAY_SECONDS = 86_400;

    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException if one is out of range
     */
    public DemandState {
        if (!(smoothedUtilisation >= 0 && smoothedUtilisation <= MOST_PRESSURE)) {
            throw new IllegalArgumentException(
                    "smoothed utilisation %s is not 0 to %s".formatted(smoothedUtilisation, MOST_PRESSURE));
        }
        if (!(multiplier >= LEAST && multiplier <= MOST)) {
            throw new IllegalArgumentException(
                    "demand multiplier %s is not %s to %s".formatted(multiplier, LEAST, MOST));
        }
    }

    /** Returns the state of a gpu class of which nothing is known yet: demand does nothing. */
    public static DemandState neutral(Instant at) {
        return new DemandState(TARGET, 1, at, Optional.empty());
    }

    /**
     * Returns the state after new signals. However long the gap, it moves by at most one day's limit.
     *
     * @throws IllegalArgumentException if the signals end before this state
     */
    public DemandState next(DemandSignals signals) {
        Instant now = signals.until();
        if (now.isBefore(at)) {
            throw new IllegalArgumentException("signals of %s are older than the state of %s".formatted(now, at));
        }
        double days = Math.min(1, Duration.between(at, now).toMillis() / 1000. / DAY_SECONDS);
        double pressure = Math.min(MOST_PRESSURE, signals.utilisation() + MISSED_STRENGTH * signals.missedShare());
        double kept = StrictMath.pow(.5, days / HALF_LIFE_DAYS);
        double smoothed = kept * smoothedUtilisation + (1 - kept) * pressure;
        double aim = aim(smoothed);
        double next = multiplier;
        if (Math.abs(StrictMath.log(aim / multiplier)) >= HYSTERESIS) {
            double up = StrictMath.pow(1 + DAILY_LIMIT, days);
            double down = StrictMath.pow(1 - DAILY_LIMIT, days);
            next = Math.clamp(Math.clamp(aim, multiplier * down, multiplier * up), LEAST, MOST);
        }
        return new DemandState(Math.clamp(smoothed, 0, MOST_PRESSURE), next, now, Optional.of(signals));
    }

    /** Returns where the multiplier goes if utilisation stays. */
    public static double aim(double utilisation) {
        return Math.clamp(StrictMath.exp(STRENGTH * (utilisation - TARGET)), LEAST, MOST);
    }
}
