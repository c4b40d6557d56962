package org.computehive.rental;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Durable wake-ups: each comes at least once after it is due, on one replica at a time, also after a crash.
 *
 * <p>A wake-up belongs to one version of a rental: {@link RentalStore#append} sets the new version's in the same
 * transaction, so none is ever lost, and one that comes for an older version has nothing left to do. Implementations are
 * thread-safe. A handler that throws is woken again later.
 */
public interface Timers extends AutoCloseable {

    /**
     * Starts to wake a handler. Called once.
     *
     * @param handler called on the implementation's threads
     */
    void start(Handler handler);

    /** Looks for due wake-ups now instead of at the next poll, such as after a change of a rental. Returns at once. */
    void hurry();

    /** Stops waking; wake-ups that are set stay set. Returns once running handlers have returned. */
    @Override
    void close();

    /** What is woken. */
    @FunctionalInterface
    interface Handler {
        /**
         * Carries out what is due; safe to repeat.
         *
         * @param rental the rental
         * @param version the version of it that the wake-up belongs to
         * @return when to be woken for the same version again; {@code null} if there is nothing left to do for it
         */
        @Nullable Instant wake(RentalId rental, long version);
    }
}
