package org.computehive.market.search;

import java.util.List;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;

/**
 * A listing with the devices that it offers.
 *
 * @param listing the listing
 * @param devices its gpus, as its host's inventory was last read
 */
public record Offer(Listing listing, List<Gpu> devices) {
    /** Copies the list. */
    public Offer {
        devices = List.copyOf(devices);
    }

    /** Returns a listing with its devices on its host; those that the host no longer has are left out. */
    public static Offer of(Listing listing, Host host) {
        return new Offer(
                listing,
                host.gpus().stream()
                        .filter(gpu -> listing.gpus().contains(new GpuId(host.id(), gpu.address())))
                        .toList());
    }
}
