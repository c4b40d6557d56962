package org.computehive.market.search;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.IntPredicate;
import java.util.function.ToIntFunction;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.Interconnect;
import org.computehive.market.Listing;
import org.computehive.market.ListingQuery;
import org.computehive.market.Rate;

/** Listings in the order of their price, with a row of bits or a list for each value of what is filtered by. Immutable. */
final class Segment {
    static final Segment EMPTY = new Segment(List.of(), gpu -> 0);

    private final Listing[] listings;
    /** Where each listing's gpus begin in {@link #gpus}; one more than there are listings. */
    private final int[] firstGpu;

    private final int[] gpus;
    private final long[] unitsPerSecond;
    private final long[] shortestSeconds;
    private final long[] longestSeconds;
    private final Inverted<String> words;
    private final Inverted<Integer> memoryMiB;
    private final Inverted<Integer> counts;
    private final Inverted<Assurance> assurances;
    private final Inverted<String> regions;
    private final Inverted<Interconnect> interconnects;
    private final Inverted<Boolean> emulated;

    Segment(Collection<Offer> offers, ToIntFunction<GpuId> numbers) {
        List<Offer> byPrice = offers.stream()
                .sorted(Comparator.comparing((Offer offer) -> offer.listing().price())
                        .thenComparing(offer -> offer.listing().id().value()))
                .toList();
        int size = byPrice.size();
        listings = new Listing[size];
        firstGpu = new int[size + 1];
        gpus = new int
                [byPrice.stream()
                        .mapToInt(offer -> offer.listing().gpus().size())
                        .sum()];
        unitsPerSecond = new long[size];
        shortestSeconds = new long[size];
        longestSeconds = new long[size];
        var byWord = new Inverted.Builder<String>(size);
        var byMemory = new Inverted.Builder<Integer>(size);
        var byCount = new Inverted.Builder<Integer>(size);
        var byAssurance = new Inverted.Builder<Assurance>(size);
        var byRegion = new Inverted.Builder<String>(size);
        var byInterconnect = new Inverted.Builder<Interconnect>(size);
        var byEmulated = new Inverted.Builder<Boolean>(size);
        for (int i = 0; i < size; i++) {
            Listing listing = byPrice.get(i).listing();
            List<Gpu> devices = byPrice.get(i).devices();
            listings[i] = listing;
            firstGpu[i + 1] = firstGpu[i];
            for (GpuId gpu : listing.gpus()) {
                gpus[firstGpu[i + 1]++] = numbers.applyAsInt(gpu);
            }
            unitsPerSecond[i] = units(listing.price());
            shortestSeconds[i] = listing.rules().shortest().toSeconds();
            longestSeconds[i] = listing.rules().longest().toSeconds();
            for (String word : wordsOfAll(devices)) {
                byWord.add(word, i);
            }
            byMemory.add(devices.stream().mapToInt(Gpu::memoryMiB).min().orElse(0), i);
            byCount.add(listing.gpus().size(), i);
            byAssurance.add(listing.assurance(), i);
            byRegion.add(listing.region(), i);
            byInterconnect.add(listing.interconnect(), i);
            byEmulated.add(listing.emulated(), i);
        }
        words = byWord.build();
        memoryMiB = byMemory.build();
        counts = byCount.build();
        assurances = byAssurance.build();
        regions = byRegion.build();
        interconnects = byInterconnect.build();
        emulated = byEmulated.build();
    }

    private static Set<String> wordsOfAll(List<Gpu> devices) {
        Set<String> shared = new HashSet<>();
        String last = null;
        for (Gpu gpu : devices) {
            if (last == null) {
                shared.addAll(ListingQuery.words(gpu.model()));
            } else if (!gpu.model().equals(last)) {
                shared.retainAll(ListingQuery.words(gpu.model()));
            }
            last = gpu.model();
        }
        return shared;
    }

    /** A rate as a number; the largest there is for what would not fit, so that no comparison finds it too cheap. */
    private static long units(Rate rate) {
        return rate.unitsPerSecond().bitLength() < Long.SIZE
                ? rate.unitsPerSecond().longValue()
                : Long.MAX_VALUE;
    }

    int size() {
        return listings.length;
    }

    Listing listing(int number) {
        return listings[number];
    }

    /** Returns the numbers of a listing's gpus. */
    int[] gpus(int number) {
        return Arrays.copyOfRange(gpus, firstGpu[number], firstGpu[number + 1]);
    }

    /** Returns whether something holds for all gpus of a listing. */
    boolean all(int number, IntPredicate test) {
        for (int i = firstGpu[number]; i < firstGpu[number + 1]; i++) {
            if (!test.test(gpus[i])) {
                return false;
            }
        }
        return true;
    }

    /** Returns the listings that fit a query, as bits; whether they are free and what {@link #suits} says is left aside. */
    long[] fitting(ListingQuery query) {
        long[] bits = upTo(query.atMost().map(this::affordable).orElse(size()));
        for (String word : query.words()) {
            words.retain(bits, word);
        }
        memoryMiB.retain(bits, query.gpuMemoryMiB(), Integer.MAX_VALUE);
        counts.retain(bits, query.gpusAtLeast(), query.gpusAtMost());
        assurances.retain(bits, query.assurance(), Assurance.CONFIDENTIAL);
        if (!query.regions().isEmpty()) {
            regions.retain(bits, query.regions());
        }
        if (query.interconnect() != Interconnect.NONE) {
            interconnects.retain(
                    bits,
                    Arrays.stream(Interconnect.values())
                            .filter(each -> each.reaches(query.interconnect()))
                            .toList());
        }
        if (!query.emulated()) {
            emulated.retain(bits, Boolean.FALSE);
        }
        return bits;
    }

    private long[] upTo(int end) {
        long[] bits = new long[Inverted.words(size())];
        Arrays.fill(bits, 0, end / Long.SIZE, -1L);
        if (end % Long.SIZE != 0) {
            bits[end / Long.SIZE] = (1L << end) - 1;
        }
        return bits;
    }

    private int affordable(Rate most) {
        int low = 0;
        int high = size();
        while (low < high) {
            int middle = (low + high) / 2;
            if (listings[middle].price().compareTo(most) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Returns whether a listing that {@link #fitting fits} is rented for so long, and at such a price for each gpu. */
    boolean suits(int number, ListingQuery query, long seconds, long unitsPerGpu) {
        int count = firstGpu[number + 1] - firstGpu[number];
        // Beyond 2^56 the product with 64 gpus would overflow: then the exact comparison decides.
        boolean paid = unitsPerGpu < 1L << 56
                ? unitsPerSecond[number] <= unitsPerGpu * count
                : query.isPaidFor(listings[number].price(), count);
        return paid && shortestSeconds[number] <= seconds && longestSeconds[number] >= seconds;
    }

    /** Returns how many units a query pays for a gpu and second at most. */
    static long unitsPerGpu(ListingQuery query) {
        return query.atMostPerGpu().map(Segment::units).orElse(Long.MAX_VALUE);
    }

    /** Returns about how many bytes it takes, without the listings themselves. */
    long bytes() {
        return size() * (8L * 3 + 4 + 4)
                + gpus.length * 4L
                + words.bytes()
                + memoryMiB.bytes()
                + counts.bytes()
                + assurances.bytes()
                + regions.bytes()
                + interconnects.bytes()
                + emulated.bytes();
    }
}
