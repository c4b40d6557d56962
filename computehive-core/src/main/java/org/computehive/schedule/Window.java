package org.computehive.schedule;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A half-open interval of UTC time, {@code [start, end)}.
 *
 * <p>Immutable and thread-safe.
 *
 * @param start the first instant inside the window
 * @param end the first instant after the window; later than {@code start}
 */
public record Window(Instant start, Instant end) {

    /**
     * Checks the order of the bounds.
     *
     * @throws IllegalArgumentException if {@code end} is not later than {@code start}
     */
    public Window {
        Objects.requireNonNull(start, "start");
        Objects.requireNonNull(end, "end");
        if (!end.isAfter(start)) {
            throw new IllegalArgumentException(
                    "window [%s, %s) is empty or reversed: its end must be later than its start".formatted(start, end));
        }
    }

    /**
     * Returns the window of a length that begins at an instant.
     *
     * @param start the first instant inside the window
     * @param length a positive length
     */
    public static Window of(Instant start, Duration length) {
        return new Window(start, start.plus(length));
    }

    /** Returns the time between the bounds. */
    public Duration length() {
        return Duration.between(start, end);
    }

    /** Returns whether an instant lies in the window; the end does not. */
    public boolean contains(Instant instant) {
        return !instant.isBefore(start) && instant.isBefore(end);
    }

    /** Returns whether the windows share an instant; windows that only touch do not. */
    public boolean overlaps(Window other) {
        return start.isBefore(other.end) && other.start.isBefore(end);
    }

    /** Returns whether every instant of another window lies in this one. */
    public boolean covers(Window other) {
        return !other.start.isBefore(start) && !other.end.isAfter(end);
    }

    /** Returns this window with its end moved later by a duration, such as a turnover. */
    public Window extendedBy(Duration more) {
        return new Window(start, end.plus(more));
    }

    /**
     * Returns what is left of this window outside another: itself, or up to two parts, by start.
     *
     * @param other what is taken away
     */
    public List<Window> without(Window other) {
        if (!overlaps(other)) {
            return List.of(this);
        }
        List<Window> left = new ArrayList<>();
        if (start.isBefore(other.start)) {
            left.add(new Window(start, other.start));
        }
        if (other.end.isBefore(end)) {
            left.add(new Window(other.end, end));
        }
        return List.copyOf(left);
    }

    @Override
    public String toString() {
        return "[" + start + ", " + end + ")";
    }
}
