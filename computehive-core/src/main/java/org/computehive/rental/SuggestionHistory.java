package org.computehive.rental;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Account;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The newest suggestions that lenders were given, in memory, or in a file of one JSON document a line as well: of each lender
 * {@value #MOST_OF_ONE} at most, of all {@value #MOST}. Where all are more, the oldest of the lender with the most goes, so
 * that nobody pushes out another's by asking.
 *
 * <p>It is a lender's help to judge the advice, not a book: a line that was cut off by a crash is left out, and a file belongs
 * to one process. Thread-safe.
 */
public final class SuggestionHistory {
    /** How many are kept. */
    public static final int MOST = 10_000;

    /** How many of one lender are kept. */
    public static final int MOST_OF_ONE = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(SuggestionHistory.class);

    private final Object lock = new Object();
    /** Each lender's, newest last; none is empty. */
    private final Map<Account, Deque<GivenAdvice>> byLender = new LinkedHashMap<>();

    private final Optional<Path> file;
    private int kept;
    private int lines;

    private SuggestionHistory(Optional<Path> file) {
        this.file = file;
    }

    /** Returns an empty one that ends with the process. */
    public static SuggestionHistory inMemory() {
        return new SuggestionHistory(Optional.empty());
    }

    /**
     * Returns what a file holds, and keeps in it what comes; it is made if it is missing.
     *
     * @throws UncheckedIOException if it can't be read
     */
    public static SuggestionHistory inFile(Path file) {
        var history = new SuggestionHistory(Optional.of(file));
        if (Files.exists(file)) {
            try {
                for (String line : Files.readString(file).lines().toList()) {
                    history.read(line);
                }
            } catch (IOException e) {
                throw new UncheckedIOException("the history of suggestions in %s can't be read".formatted(file), e);
            }
        }
        return history;
    }

    private void read(String line) {
        lines++;
        if (line.isBlank()) {
            return;
        }
        try {
            keep(RentalJson.read(GivenAdvice.class, line));
        } catch (IllegalStateException e) {
            LOG.warn("line {} of the history of suggestions was left out: {}", lines, e.getMessage());
        }
    }

    /** Keeps a suggestion in memory. */
    void keep(GivenAdvice advice) {
        synchronized (lock) {
            Deque<GivenAdvice> own = byLender.computeIfAbsent(advice.lender(), lender -> new ArrayDeque<>());
            own.addLast(advice);
            kept++;
            if (own.size() > MOST_OF_ONE) {
                own.removeFirst();
                kept--;
            } else if (kept > MOST) {
                forgetOne();
            }
        }
    }

    /** The one that has asked longest ago goes first among lenders with as many. */
    private void forgetOne() {
        Map.Entry<Account, Deque<GivenAdvice>> most = byLender.entrySet().stream()
                .max(Comparator.<Map.Entry<Account, Deque<GivenAdvice>>>comparingInt(
                                lender -> lender.getValue().size())
                        .thenComparing(lender -> lender.getValue().getFirst().at(), Comparator.reverseOrder()))
                .orElseThrow();
        most.getValue().removeFirst();
        kept--;
        if (most.getValue().isEmpty()) {
            byLender.remove(most.getKey());
        }
    }

    /**
     * Writes a suggestion to the file, if there is one.
     *
     * @throws UncheckedIOException if it can't be written; it stays in memory
     */
    synchronized void write(GivenAdvice advice) {
        if (file.isPresent()) {
            try {
                if (lines >= 2 * MOST) {
                    rewrite(file.get());
                } else {
                    // A line that a crash cut off is ended by the next one's beginning.
                    Files.writeString(
                            file.get(),
                            "\n" + RentalJson.write(advice),
                            StandardCharsets.UTF_8,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.APPEND);
                    lines++;
                }
            } catch (IOException e) {
                throw new UncheckedIOException("a suggestion could not be kept in %s".formatted(file.get()), e);
            }
        }
    }

    private void rewrite(Path to) throws IOException {
        List<GivenAdvice> all;
        synchronized (lock) {
            all = byLender.values().stream()
                    .flatMap(Deque::stream)
                    .sorted(Comparator.comparing(GivenAdvice::at))
                    .toList();
        }
        var text = new StringBuilder();
        all.forEach(advice -> text.append('\n').append(RentalJson.write(advice)));
        Path fresh = to.resolveSibling(to.getFileName() + ".new");
        Files.writeString(fresh, text);
        Files.move(fresh, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
        lines = all.size();
    }

    /** Returns a lender's, oldest first. */
    List<GivenAdvice> of(Account lender) {
        synchronized (lock) {
            return byLender.getOrDefault(lender, new ArrayDeque<>()).stream()
                    .sorted(Comparator.comparing(GivenAdvice::at))
                    .toList();
        }
    }
}
