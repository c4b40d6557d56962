package org.computehive.placement;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.GuestPlatform;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.Rate;
import org.computehive.schedule.Window;

/**
 * Finds places that are as good as the one that lender and renter agreed on.
 *
 * <p>Equal means: gpus of the same lender, one by one of the same vendor, device, model and memory, emulated where those
 * are; in one host that runs guests the same way, has the very same image, can keep the same assurance and has room for
 * the same VM; and offered by
 * the lender, in some listing, at those hours. The listing's price does not count: whoever asks keeps the agreed one.
 *
 * <p>Says what exists; whether it is free and healthy the caller knows. Immutable and thread-safe.
 */
public final class EqualPlaces {
    private final Listing agreed;
    private final Host home;
    private final List<Kind> wanted;

    private EqualPlaces(Listing agreed, Host home, List<Kind> wanted) {
        this.agreed = agreed;
        this.home = home;
        this.wanted = wanted;
    }

    /**
     * Looks for the equals of a listing's own place.
     *
     * @param agreed the listing as it was offered
     * @param home its host
     * @return empty if the host no longer has the gpus, so that nobody can say what would equal them
     */
    public static Optional<EqualPlaces> to(Listing agreed, Host home) {
        var wanted = new ArrayList<Kind>();
        for (GpuId id : agreed.gpus()) {
            Optional<Gpu> gpu = home.gpus().stream()
                    .filter(known -> known.address().equals(id.address()))
                    .findFirst();
            if (gpu.isEmpty()) {
                return Optional.empty();
            }
            wanted.add(Kind.of(gpu.get()));
        }
        return Optional.of(new EqualPlaces(agreed, home, List.copyOf(wanted)));
    }

    /**
     * Returns at most one place of each host, best first: the cheapest listing's gpus, which cost the lender the least, and
     * the agreed host itself last, since what failed one gpu may fail its neighbour.
     *
     * @param hosts where to look
     * @param listings what is offered now
     * @param window when it is needed
     * @param usable which gpus may be taken
     */
    public List<Place> among(List<Host> hosts, List<Listing> listings, Window window, Predicate<GpuId> usable) {
        Map<GpuId, Rate> offered = offered(listings, window);
        record Found(Place place, Rate price) {}
        return hosts.stream()
                .filter(this::canKeep)
                .flatMap(host -> on(host, offered, usable).stream())
                .map(place -> new Found(
                        place,
                        place.gpus().stream()
                                .map(gpu -> offered.getOrDefault(gpu, agreed.price()))
                                .max(Comparator.naturalOrder())
                                .orElseThrow()))
                .sorted(Comparator.comparing(
                                (Found found) -> found.place().host().equals(home.id()))
                        .thenComparing(Found::price)
                        .thenComparing(found -> found.place().host().value()))
                .map(Found::place)
                .toList();
    }

    private boolean canKeep(Host host) {
        return host.lender().equals(agreed.lender())
                && host.cpus() >= agreed.shape().cpus()
                && host.memoryMiB() >= agreed.shape().memoryMiB()
                && host.assurance().compareTo(agreed.assurance()) >= 0
                && host.acceleration().equals(home.acceleration())
                && imageOf(host).equals(imageOf(home));
    }

    /** Images of one name are the same only if their files are. */
    private Optional<GuestPlatform.Image> imageOf(Host host) {
        return Optional.ofNullable(host.platform().images().get(agreed.shape().image()));
    }

    /** The gpus that the lender rents out in the window anyway, each with its lowest price; and those agreed on. */
    private Map<GpuId, Rate> offered(List<Listing> listings, Window window) {
        var offered = new HashMap<GpuId, Rate>();
        agreed.gpus().forEach(gpu -> offered.put(gpu, agreed.price()));
        for (Listing listing : listings) {
            if (listing.lender().equals(agreed.lender())
                    && listing.availability().covers(window)) {
                listing.gpus()
                        .forEach(gpu -> offered.merge(
                                gpu, listing.price(), (one, other) -> one.compareTo(other) <= 0 ? one : other));
            }
        }
        return offered;
    }

    private Optional<Place> on(Host host, Map<GpuId, Rate> offered, Predicate<GpuId> usable) {
        var taken = new ArrayList<GpuId>();
        for (Kind kind : wanted) {
            Optional<GpuId> equal = host.gpus().stream()
                    .filter(gpu -> gpu.unavailable().isEmpty() && Kind.of(gpu).equals(kind))
                    .map(gpu -> new GpuId(host.id(), gpu.address()))
                    .filter(id -> offered.containsKey(id) && !taken.contains(id) && usable.test(id))
                    .min(Comparator.comparing((GpuId id) -> offered.getOrDefault(id, agreed.price()))
                            .thenComparing(GpuId::toString));
            if (equal.isEmpty()) {
                return Optional.empty();
            }
            taken.add(equal.get());
        }
        return Optional.of(new Place(host.id(), taken));
    }

    /** What makes a gpu as good as another. */
    private record Kind(String vendorId, String deviceId, String model, int memoryMiB, boolean emulated) {
        static Kind of(Gpu gpu) {
            return new Kind(gpu.vendorId(), gpu.deviceId(), gpu.model(), gpu.memoryMiB(), gpu.emulated());
        }
    }
}
