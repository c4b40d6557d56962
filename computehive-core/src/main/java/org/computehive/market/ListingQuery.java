package org.computehive.market;

import java.math.BigInteger;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.schedule.Window;

/**
 * What a renter looks for: how long and when, what hardware, at what price, from whom. Made by {@link #in} or {@link
 * #lasting}; whatever is not said does not matter.
 *
 * <p>Immutable and thread-safe.
 *
 * @param length how long it is to be rented, a second to {@link #LONGEST}
 * @param within the time to be rented lies in this window; of the same length where the renter wants just that window
 * @param words words that every gpu's model name has, in lower case, such as {@code h100}
 * @param gpuMemoryMiB how much memory every gpu has at least, in MiB
 * @param gpusAtLeast how many gpus the listing has at least, 1 to 64
 * @param gpusAtMost how many it has at most, 1 to 64
 * @param atMost the most that the renter pays for all gpus together
 * @param atMostPerGpu the most that the renter pays for each gpu
 * @param assurance the assurance that it needs at least
 * @param regions the regions that will do; empty if any will
 * @param interconnect how good the gpus' interconnect is at least
 * @param reputation the lender's reputation at least, 0 to 1,000; a lender of whom none is known passes only 0
 * @param emulated whether listings with emulated stand-ins are shown
 * @param answers how many answers are wanted at most, 1 to {@value #MOST_ANSWERS}
 */
public record ListingQuery(
        Duration length,
        Window within,
        Set<String> words,
        int gpuMemoryMiB,
        int gpusAtLeast,
        int gpusAtMost,
        Optional<Rate> atMost,
        Optional<Rate> atMostPerGpu,
        Assurance assurance,
        Set<String> regions,
        Interconnect interconnect,
        int reputation,
        boolean emulated,
        int answers) {
    /** The longest time that can be looked for, and the longest window to look in. */
    public static final Duration LONGEST = Duration.ofDays(366);

    /** The most answers to one query. */
    public static final int MOST_ANSWERS = 1_000;

    private static final int MAX_GPUS = 64;
    private static final int MAX_WORDS = 16;
    private static final int MAX_REGIONS = 64;
    private static final int MAX_MODEL = 120;
    private static final Pattern NO_WORD = Pattern.compile("[^\\p{L}\\p{N}]+");

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException naming the value, its limit and what to do
     */
    public ListingQuery {
        words = Set.copyOf(words);
        regions = Set.copyOf(regions);
        if (within.length().compareTo(LONGEST) > 0) {
            throw refused("window %s is longer than %d days: look in a shorter one", within, LONGEST.toDays());
        }
        if (length.compareTo(Duration.ofSeconds(1)) < 0 || length.compareTo(within.length()) > 0) {
            throw refused("%s does not fit in %s: look for a second to %s", length, within, within.length());
        }
        if (words.size() > MAX_WORDS || regions.size() > MAX_REGIONS) {
            throw refused(
                    "%d model words and %d regions are too many: at most %d and %d",
                    words.size(), regions.size(), MAX_WORDS, MAX_REGIONS);
        }
        regions.forEach(Text::region);
        range("gpu memory in MiB", gpuMemoryMiB, 0, Integer.MAX_VALUE);
        range("gpu count at least", gpusAtLeast, 1, MAX_GPUS);
        range("gpu count at most", gpusAtMost, gpusAtLeast, MAX_GPUS);
        range("reputation", reputation, 0, 1_000);
        range("answers", answers, 1, MOST_ANSWERS);
    }

    private static void range(String what, int value, int least, int most) {
        if (value < least || value > most) {
            throw refused("%s %d is out of range: %d to %d", what, value, least, most);
        }
    }

    private static IllegalArgumentException refused(String message, Object... values) {
        return new IllegalArgumentException(message.formatted(values));
    }

    /** Begins a query for just one window. */
    public static Builder in(Window window) {
        return new Builder(window.length(), window);
    }

    /**
     * Begins a query for some time within a window, such as four hours before Friday.
     *
     * @param length how long
     * @param within the time lies in it
     */
    public static Builder lasting(Duration length, Window within) {
        return new Builder(length, within);
    }

    /** Looks for any listing that is free in a window. */
    public static ListingQuery free(Window window) {
        return in(window).build();
    }

    /**
     * Returns this query for another window to look in.
     *
     * @throws IllegalArgumentException if it is too short or too long
     */
    public ListingQuery within(Window other) {
        return new ListingQuery(
                length,
                other,
                words,
                gpuMemoryMiB,
                gpusAtLeast,
                gpusAtMost,
                atMost,
                atMostPerGpu,
                assurance,
                regions,
                interconnect,
                reputation,
                emulated,
                answers);
    }

    /** Returns whether just one window is asked for. */
    public boolean isExact() {
        return length.equals(within.length());
    }

    /** Returns the words of a gpu model's name: its letters and digits in lower case, parted by all else. */
    public static Set<String> words(String model) {
        return Stream.of(NO_WORD.split(model.toLowerCase(Locale.ROOT), -1))
                .filter(Predicate.not(String::isEmpty))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * Returns whether a listing fits, leaving aside what is booked, when it is offered, and its lender's reputation.
     *
     * @param listing the listing
     * @param devices its gpus, as its host's inventory was last read
     */
    public boolean fits(Listing listing, List<Gpu> devices) {
        int gpus = listing.gpus().size();
        return devices.stream()
                        .allMatch(gpu -> gpu.memoryMiB() >= gpuMemoryMiB
                                && words(gpu.model()).containsAll(words))
                && gpus >= gpusAtLeast
                && gpus <= gpusAtMost
                && atMost.map(most -> listing.price().compareTo(most) <= 0).orElse(true)
                && isPaidFor(listing.price(), gpus)
                && listing.assurance().compareTo(assurance) >= 0
                && (regions.isEmpty() || regions.contains(listing.region()))
                && listing.interconnect().reaches(interconnect)
                && (emulated || !listing.emulated())
                && listing.rules().shortest().compareTo(length) <= 0
                && listing.rules().longest().compareTo(length) >= 0;
    }

    /** Returns whether a price for some gpus together is within what is paid for each. */
    public boolean isPaidFor(Rate price, int gpus) {
        return atMostPerGpu
                .map(most ->
                        price.unitsPerSecond().compareTo(most.unitsPerSecond().multiply(BigInteger.valueOf(gpus))) <= 0)
                .orElse(true);
    }

    /** Puts a query together. Not thread-safe. */
    public static final class Builder {
        private final Duration length;
        private final Window within;
        private final Set<String> words = new TreeSet<>();
        private final Set<String> regions = new TreeSet<>();
        private int gpuMemoryMiB;
        private int gpusAtLeast = 1;
        private int gpusAtMost = MAX_GPUS;
        private Optional<Rate> atMost = Optional.empty();
        private Optional<Rate> atMostPerGpu = Optional.empty();
        private Assurance assurance = Assurance.ISOLATED;
        private Interconnect interconnect = Interconnect.NONE;
        private int reputation;
        private boolean emulated = true;
        private int answers = 100;

        private Builder(Duration length, Window within) {
            this.length = length;
            this.within = within;
        }

        /**
         * Asks for gpus whose model's name has the words of a text, such as {@code H100 SXM}, each of them whole and in
         * any case.
         *
         * @throws IllegalArgumentException if the text is over 120 characters
         */
        public Builder model(String text) {
            if (text.length() > MAX_MODEL) {
                throw refused("model is %d characters long: at most %d", text.length(), MAX_MODEL);
            }
            words.addAll(ListingQuery.words(text));
            return this;
        }

        /** Asks for so much memory in every gpu, in MiB, or more. */
        public Builder gpuMemoryMiB(int least) {
            gpuMemoryMiB = least;
            return this;
        }

        /** Asks for so many gpus, or more. */
        public Builder gpusAtLeast(int least) {
            gpusAtLeast = least;
            return this;
        }

        /** Asks for so many gpus, or fewer. */
        public Builder gpusAtMost(int most) {
            gpusAtMost = most;
            return this;
        }

        /** Asks for just so many gpus. */
        public Builder gpus(int count) {
            gpusAtLeast = count;
            gpusAtMost = count;
            return this;
        }

        /** Asks for a price for all gpus together that is not higher. */
        public Builder atMost(Rate most) {
            atMost = Optional.of(most);
            return this;
        }

        /** Asks for a price for each gpu that is not higher. */
        public Builder atMostPerGpu(Rate most) {
            atMostPerGpu = Optional.of(most);
            return this;
        }

        /** Asks for an assurance, or a better one. */
        public Builder assurance(Assurance least) {
            assurance = least;
            return this;
        }

        /** Asks for one of some regions. */
        public Builder regions(Collection<String> any) {
            regions.addAll(any);
            return this;
        }

        /** Asks for an interconnect, or one as good or better. */
        public Builder interconnect(Interconnect least) {
            interconnect = least;
            return this;
        }

        /** Asks for a lender's reputation, 0 to 1,000, or a better one. */
        public Builder reputation(int least) {
            reputation = least;
            return this;
        }

        /** Says whether listings with emulated stand-ins are shown; they are, marked, if this is not said. */
        public Builder emulated(boolean shown) {
            emulated = shown;
            return this;
        }

        /** Says how many answers are wanted at most; 100 if this is not said. */
        public Builder answers(int most) {
            answers = most;
            return this;
        }

        /**
         * Returns the query.
         *
         * @throws IllegalArgumentException naming the value that is out of range
         */
        public ListingQuery build() {
            return new ListingQuery(
                    length,
                    within,
                    words,
                    gpuMemoryMiB,
                    gpusAtLeast,
                    gpusAtMost,
                    atMost,
                    atMostPerGpu,
                    assurance,
                    regions,
                    interconnect,
                    reputation,
                    emulated,
                    answers);
        }
    }
}
