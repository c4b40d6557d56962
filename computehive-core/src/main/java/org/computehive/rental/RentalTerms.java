package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.computehive.manifest.Manifest;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.market.Token;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.schedule.Window;

/**
 * What lender and renter agreed to; never changes.
 *
 * @param renter who pays and enters
 * @param lender who owns the host and is paid
 * @param listing what was offered
 * @param host where the VM runs
 * @param gpus the devices
 * @param shape the VM
 * @param window the rented time, in whole seconds
 * @param turnover how long the gpus stay blocked after the window
 * @param token what is paid in
 * @param rate units per second for all gpus
 * @param grace how long after the start the renter may end and pay nothing
 * @param disputeWindow how long after the end the lender waits before it can settle alone
 * @param lane the lender's storage slot on the chain
 * @param holdUntil until when the gpus are held without being funded
 * @param emulated whether a device is an emulated stand-in
 * @param cancellation what calling off late and not coming cost
 * @param stakes what is at stake beside the deposit, and who decides over it
 * @param setup what the VM was promised to run on; a promise about this host, kept elsewhere only as far as an equal place
 *     goes
 * @param assurance what is promised against the lender itself
 */
public record RentalTerms(
        Account renter,
        Account lender,
        ListingId listing,
        HostId host,
        List<GpuId> gpus,
        MachineShape shape,
        Window window,
        Duration turnover,
        Token token,
        Rate rate,
        Duration grace,
        Duration disputeWindow,
        long lane,
        Instant holdUntil,
        boolean emulated,
        Cancellation cancellation,
        Stakes stakes,
        Setup setup,
        Assurance assurance) {
    /** Copies the list. */
    public RentalTerms {
        gpus = List.copyOf(gpus);
        Objects.requireNonNull(assurance, "assurance");
        Objects.requireNonNull(cancellation, "cancellation");
        Objects.requireNonNull(stakes, "stakes");
        Objects.requireNonNull(setup, "setup");
    }

    /** Returns what the renter locks. */
    public Amount deposit() {
        return rate.cost(window.length());
    }

    /** Returns the time in which nobody else may have the gpus. */
    public Window occupied() {
        return window.extendedBy(turnover);
    }

    /** Returns what was agreed, as anyone can hash it. */
    public Manifest manifest(RentalId id) {
        return new Manifest(setup, agreed(id));
    }

    /** Returns the hash that binds an offer on the chain to this rental: the SHA-256 of its {@link #manifest}. */
    public Hash32 spec(RentalId id) {
        return Hash32.of(manifest(id).sha256());
    }

    private SortedMap<String, String> agreed(RentalId id) {
        var agreed = new TreeMap<String, String>();
        agreed.put("rental", id.value());
        agreed.put("renter", renter.address());
        agreed.put("lender", lender.address());
        agreed.put("listing", listing.value());
        agreed.put("host", host.value());
        agreed.put("gpus", gpus.stream().map(GpuId::toString).collect(Collectors.joining(" ")));
        agreed.put("cpus", Integer.toString(shape.cpus()));
        agreed.put("memory_mib", Integer.toString(shape.memoryMiB()));
        agreed.put("disk_mib", Integer.toString(shape.diskMiB()));
        agreed.put("image", shape.image());
        agreed.put("start", Long.toString(window.start().getEpochSecond()));
        agreed.put("end", Long.toString(window.end().getEpochSecond()));
        agreed.put("turnover_s", Long.toString(turnover.toSeconds()));
        agreed.put("token", token.contract().address());
        agreed.put("rate", rate.unitsPerSecond().toString());
        agreed.put("grace_s", Long.toString(grace.toSeconds()));
        agreed.put("dispute_window_s", Long.toString(disputeWindow.toSeconds()));
        agreed.put("lane", Long.toString(lane));
        agreed.put("emulated", Boolean.toString(emulated));
        agreed.put("cancellation_notice_s", Long.toString(cancellation.notice().toSeconds()));
        agreed.put("cancellation_late_share", Integer.toString(cancellation.lateShare()));
        agreed.put("no_show_after_s", Long.toString(cancellation.noShowAfter().toSeconds()));
        agreed.put("no_show_share", Integer.toString(cancellation.noShowShare()));
        if (!shape.network().equals(NetworkPolicy.NONE)) {
            agreed.put("network", shape.network().kind().name());
            if (!shape.network().allowed().isEmpty()) {
                agreed.put(
                        "network_allowed",
                        shape.network().allowed().stream()
                                .map(NetworkPolicy.Destination::toString)
                                .collect(Collectors.joining(", ")));
            }
        }
        if (assurance != Assurance.ISOLATED) {
            agreed.put("assurance", assurance.name());
        }
        if (!stakes.equals(Stakes.NONE)) {
            agreed.put("arbiter", stakes.arbiter().address());
            agreed.put("bond", stakes.bond().toString());
            agreed.put("dispute_bond", stakes.disputeBond().toString());
        }
        return agreed;
    }
}
