package org.computehive.server.demo;

import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Shows steps as they run, with the time each took: one line that lives on a terminal, plain lines elsewhere.
 *
 * <p>Used by one thread; the living line is redrawn by another.
 */
final class Display implements AutoCloseable {
    private static final Marks PRETTY = new Marks("✔", "✘", List.of("⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"));
    private static final Marks PLAIN = new Marks("+", "X", List.of("|", "/", "-", "\\"));
    private static final long FRAME_MILLIS = 100;
    private static final int TITLE_WIDTH = 64;

    private final PrintStream out;
    private final boolean live;
    private final Marks marks;
    private final List<Timed> times = new ArrayList<>();
    private final ScheduledExecutorService redraw = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("display").factory());

    /** A step that ended, and how long it took. */
    record Timed(String title, Duration time) {}

    /** What is put before a line. */
    private record Marks(String held, String failed, List<String> spin) {}

    /**
     * Shows on a stream.
     *
     * @param live whether a terminal is at its end
     */
    Display(PrintStream out, boolean live) {
        this.out = out;
        this.live = live;
        this.marks = out.charset()
                        .newEncoder()
                        .canEncode(PRETTY.held() + PRETTY.spin().getFirst())
                ? PRETTY
                : PLAIN;
    }

    void headline(String text) {
        line("");
        line(bold(text));
    }

    /** Runs a part of a step and prints what it says it did, with its time. */
    <T> T step(String title, Callable<T> work) throws Exception {
        long begin = System.nanoTime();
        ScheduledFuture<?> spinner = live
                ? redraw.scheduleAtFixedRate(() -> spin(title, begin), 0, FRAME_MILLIS, TimeUnit.MILLISECONDS)
                : null;
        boolean done = false;
        try {
            T result = work.call();
            done = true;
            return result;
        } finally {
            stop(spinner);
            Duration time = Duration.ofNanos(System.nanoTime() - begin);
            times.add(new Timed(title, time));
            line(timed(mark(done), title, time));
        }
    }

    private static String timed(String mark, String title, Duration time) {
        return "  %s %-64s %8s".formatted(mark, title, seconds(time));
    }

    private String mark(boolean held) {
        return held ? marks.held() : marks.failed();
    }

    private static void stop(@Nullable ScheduledFuture<?> spinner) {
        if (spinner != null) {
            spinner.cancel(false);
        }
    }

    private void spin(String title, long begin) {
        long millis = (System.nanoTime() - begin) / 1_000_000;
        synchronized (out) {
            String shown = title.length() > TITLE_WIDTH ? title.substring(0, TITLE_WIDTH) : title;
            String spin =
                    marks.spin().get((int) (millis / FRAME_MILLIS % marks.spin().size()));
            out.print("\r\u001b[2K" + timed(spin, shown, Duration.ofMillis(millis)));
            out.flush();
        }
    }

    /** Prints whether a promise held, and what was seen. */
    void promise(Checks.Check check) {
        line("  %s %-60s %s".formatted(mark(check.held()), check.promise(), check.seen()));
    }

    /** Prints why something can't go on. */
    void complaint(String text) {
        line("");
        line(mark(false) + " " + text);
    }

    void detail(String text) {
        for (String part : text.split("\n", -1)) {
            line("      " + part);
        }
    }

    /** Prints what was observed, one fact to a line. */
    void facts(SortedMap<String, String> facts) {
        facts.forEach((name, value) -> detail("%-21s %s".formatted(name, value)));
    }

    void line(String text) {
        synchronized (out) {
            if (live) {
                out.print("\r\u001b[2K");
            }
            out.println(text);
            out.flush();
        }
    }

    List<Timed> times() {
        return List.copyOf(times);
    }

    static String seconds(Duration time) {
        return String.format(Locale.ROOT, "%.2f s", time.toNanos() / 1e9);
    }

    private String bold(String text) {
        return live ? "\u001b[1m" + text + "\u001b[0m" : text;
    }

    @Override
    public void close() {
        redraw.shutdownNow();
    }
}
