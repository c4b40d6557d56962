package org.computehive.server.bench;

import java.util.List;
import java.util.function.Consumer;

/**
 * One thing measured against its peer. Another benchmark is another implementation, named in {@link Bench}.
 *
 * <p>Ours and the peer take turns in the same run, so that the machine's load falls on both; a figure compares medians.
 */
interface Benchmark {

    /** Returns its name: lower-case letters, digits and hyphens. */
    String name();

    /** Returns what it compares with what, in one line. */
    String about();

    /**
     * Returns this benchmark as options want it.
     *
     * @throws IllegalArgumentException if it has no such option; the message says which it has
     */
    default Benchmark with(List<String> options) {
        if (!options.isEmpty()) {
            throw new IllegalArgumentException("there is no option %s: it has none".formatted(options.getFirst()));
        }
        return this;
    }

    /**
     * Measures. Whatever it started or wrote is gone when it returns or throws.
     *
     * @param progress gets lines for people
     * @throws IllegalStateException if something that it needs is missing or went wrong; the message says what to do
     */
    List<Figure> run(Consumer<String> progress) throws Exception;
}
