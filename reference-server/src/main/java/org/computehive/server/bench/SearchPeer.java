package org.computehive.server.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.computehive.market.Listing;
import org.computehive.market.ListingQuery;
import org.computehive.market.Rate;
import org.computehive.market.search.FreeWindow;
import org.computehive.market.search.Offer;
import org.computehive.schedule.Window;

/**
 * The search that one would write first: the lots in the order of their price, a look at each until there are enough, and
 * for each a {@link TreeMap} of its bookings by their start. What can be worked out before is.
 */
final class SearchPeer {
    private final List<Lot> lots = new ArrayList<>();
    private List<Lot> byPrice = List.of();

    private record Lot(Listing listing, Set<String> words, int memoryMiB, TreeMap<Long, Long> booked) {}

    SearchPeer(List<Offer> offers) {
        Map<String, Set<String>> words = new TreeMap<>();
        for (Offer offer : offers) {
            var device = offer.devices().getFirst();
            lots.add(new Lot(
                    offer.listing(),
                    words.computeIfAbsent(device.model(), ListingQuery::words),
                    device.memoryMiB(),
                    new TreeMap<>()));
        }
        byPrice = lots.stream()
                .sorted(Comparator.comparing((Lot lot) -> lot.listing().price())
                        .thenComparing(lot -> lot.listing().id().value()))
                .toList();
    }

    void book(int lot, Window window) {
        lots.get(lot).booked().put(window.start().getEpochSecond(), window.end().getEpochSecond());
    }

    List<FreeWindow> find(ListingQuery query) {
        List<FreeWindow> found = new ArrayList<>();
        for (Lot lot : byPrice) {
            if (fits(lot, query)) {
                start(lot, query)
                        .map(start -> FreeWindow.of(lot.listing(), Window.of(start, query.length())))
                        .ifPresent(found::add);
                if (found.size() == query.answers()) {
                    break;
                }
            }
        }
        return found;
    }

    private static boolean fits(Lot lot, ListingQuery query) {
        Listing listing = lot.listing();
        int gpus = listing.gpus().size();
        Optional<Rate> most = query.atMost();
        return lot.memoryMiB() >= query.gpuMemoryMiB()
                && gpus >= query.gpusAtLeast()
                && gpus <= query.gpusAtMost()
                && lot.words().containsAll(query.words())
                && (most.isEmpty() || listing.price().compareTo(most.get()) <= 0)
                && query.isPaidFor(listing.price(), gpus)
                && listing.assurance().compareTo(query.assurance()) >= 0
                && (query.regions().isEmpty() || query.regions().contains(listing.region()))
                && listing.interconnect().reaches(query.interconnect())
                && listing.rules().shortest().compareTo(query.length()) <= 0
                && listing.rules().longest().compareTo(query.length()) >= 0
                && (query.reputation() == 0
                        || SearchMarket.reputation(listing.lender()).getAsInt() >= query.reputation());
    }

    private static Optional<Instant> start(Lot lot, ListingQuery query) {
        Duration length = query.length();
        Window within = query.within();
        Optional<Instant> start = start(lot, length, within);
        if (start.isEmpty() || lot.listing().availability().covers(Window.of(start.get(), length))) {
            return start;
        }
        for (Window open : lot.listing().availability().openings(within)) {
            if (open.length().compareTo(length) >= 0) {
                start = start(lot, length, open);
                if (start.isPresent()) {
                    return start;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Instant> start(Lot lot, Duration length, Window within) {
        long needed = length.plus(lot.listing().rules().turnover()).toSeconds();
        long start = within.start().getEpochSecond();
        long last = within.end().getEpochSecond() - length.toSeconds();
        Map.Entry<Long, Long> before = lot.booked().floorEntry(start);
        if (before != null) {
            start = Math.max(start, before.getValue());
        }
        for (Map.Entry<Long, Long> next = lot.booked().ceilingEntry(start);
                next != null && next.getKey() < start + needed;
                next = lot.booked().higherEntry(next.getKey())) {
            start = next.getValue();
        }
        return start <= last ? Optional.of(Instant.ofEpochSecond(start)) : Optional.empty();
    }
}
