package org.computehive.rental;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
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
        Cancellation cancellation) {
    /** Copies the list. */
    public RentalTerms {
        gpus = List.copyOf(gpus);
        Objects.requireNonNull(cancellation, "cancellation");
    }

    /** Returns terms under which calling off is free until the start. */
    public RentalTerms(
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
            boolean emulated) {
        this(
                renter,
                lender,
                listing,
                host,
                gpus,
                shape,
                window,
                turnover,
                token,
                rate,
                grace,
                disputeWindow,
                lane,
                holdUntil,
                emulated,
                Cancellation.FREE);
    }

    /** Returns what the renter locks. */
    public Amount deposit() {
        return rate.cost(window.length());
    }

    /** Returns the time in which nobody else may have the gpus. */
    public Window occupied() {
        return window.extendedBy(turnover);
    }

    /**
     * Returns the hash that binds an offer on the chain to this rental: SHA-256 of its id and terms, one {@code name
     * value} line each, in the order below. Terms that came with version 2 of the text are in it only where they say
     * something, so that what was signed before stands.
     */
    public Hash32 spec(RentalId id) {
        boolean free = cancellation.equals(Cancellation.FREE);
        String text = String.join(
                "\n",
                "computehive terms " + (free ? 1 : 2),
                "rental " + id,
                "renter " + renter,
                "lender " + lender,
                "listing " + listing,
                "host " + host,
                "gpus " + gpus.stream().map(GpuId::toString).collect(Collectors.joining(" ")),
                "cpus " + shape.cpus(),
                "memory-mib " + shape.memoryMiB(),
                "disk-mib " + shape.diskMiB(),
                "image " + shape.image(),
                "start " + window.start().getEpochSecond(),
                "end " + window.end().getEpochSecond(),
                "token " + token.contract(),
                "rate " + rate.unitsPerSecond(),
                "grace " + grace.toSeconds(),
                "dispute-window " + disputeWindow.toSeconds(),
                "lane " + lane,
                "emulated " + emulated,
                free ? "" : cancellationText());
        try {
            return Hash32.of(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private String cancellationText() {
        return String.join(
                "\n",
                "cancellation-notice " + cancellation.notice().toSeconds(),
                "cancellation-late-share " + cancellation.lateShare(),
                "no-show-after " + cancellation.noShowAfter().toSeconds(),
                "no-show-share " + cancellation.noShowShare(),
                "");
    }
}
