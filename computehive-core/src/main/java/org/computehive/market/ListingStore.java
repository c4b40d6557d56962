package org.computehive.market;

import java.util.List;
import java.util.Optional;

/** Keeps hosts, listings and the condition of gpus. Implementations are thread-safe; each call is atomic and durable. */
public interface ListingStore {
    /** Keeps a host, in place of what was kept under its id. */
    void putHost(Host host);

    /** Returns a host. */
    Optional<Host> host(HostId id);

    /** Returns all hosts, by id. */
    List<Host> hosts();

    /** Keeps a listing, in place of what was kept under its id. */
    void putListing(Listing listing);

    /** Returns a listing. */
    Optional<Listing> listing(ListingId id);

    /** Returns a listing together with its host; empty if either is not kept. */
    Optional<Offering> offering(ListingId id);

    /** Returns all listings, by id. */
    List<Listing> listings();

    /** Keeps a gpu's condition. */
    void putCondition(GpuCondition condition);

    /** Returns a gpu's condition; a gpu that was never turned over has none. */
    Optional<GpuCondition> condition(GpuId gpu);
}
