package org.computehive.market.search;

import java.util.Collection;
import java.util.List;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.Maintenance;
import org.computehive.schedule.Window;

/**
 * What an index of the market is filled from, and kept current by: every change has a number, and later changes have
 * larger ones. Implementations are thread-safe.
 *
 * <p>Where several processes write at once, a change may come to sight after one with a larger number, though within
 * seconds: whoever follows the changes reads the latest of them again.
 */
public interface MarketFeed {

    /** Returns the number of the latest change of a booking that is in sight; 0 if there is none. */
    long lastBookingChange();

    /**
     * Returns changes that may have changed what bookings hold, in order.
     *
     * @param change the number after which to begin; 0 for the first
     * @param limit how many at the most, 1 to 10,000
     */
    List<BookingChange> bookingChangesAfter(long change, int limit);

    /**
     * Returns what some bookings hold now; nothing of one that holds nothing.
     *
     * @param bookings their names, at most 1,000
     */
    List<Booked> booked(Collection<String> bookings);

    /**
     * Returns what bookings hold now, those of one booking one after the other.
     *
     * @param booking the name after which to begin, in the feed's own order; empty for the first
     * @param limit of how many bookings at the most, 1 to 10,000
     */
    List<Booked> bookedAfter(String booking, int limit);

    /**
     * Returns listings as they are now whose latest change has a larger number, in the order of the changes.
     *
     * @param change the number after which to begin; 0 for all
     * @param limit how many at the most, 1 to 10,000
     */
    List<Changed<Listing>> listingsChangedAfter(long change, int limit);

    /**
     * Returns hosts as they are now, like {@link #listingsChangedAfter}. A host changes also when what its lender {@link
     * #maintained keeps for itself} does.
     */
    List<Changed<Host>> hostsChangedAfter(long change, int limit);

    /**
     * Returns the gpus and times that lenders keep for themselves now.
     *
     * @param hosts whose gpus, at most 1,000
     */
    List<Maintenance> maintained(Collection<HostId> hosts);

    /**
     * A booking changed.
     *
     * @param change the change's number
     * @param booking the booking's name
     */
    record BookingChange(long change, String booking) {}

    /**
     * A booking has a gpu.
     *
     * @param booking the booking's name
     * @param gpu the gpu
     * @param window when, turnover included
     */
    record Booked(String booking, GpuId gpu, Window window) {}

    /**
     * Something as its latest change left it.
     *
     * @param change the change's number
     * @param value what it is now
     */
    record Changed<T>(long change, T value) {}
}
