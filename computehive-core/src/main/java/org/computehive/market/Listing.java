package org.computehive.market;

import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.computehive.schedule.Availability;

/**
 * What a lender offers: gpus of one host, as one lot, with a price and terms.
 *
 * @param id its name
 * @param lender who offers it
 * @param host the host that the gpus sit in
 * @param gpus the gpus, all of which a renter gets; at least one, none twice
 * @param shape the VM that comes with them
 * @param token what rent is paid in
 * @param floor the least the lender accepts
 * @param ceiling the most the lender asks
 * @param price the price the lender set, from floor to ceiling; no suggestion ever changes it
 * @param availability when it can be rented
 * @param rules lengths and delays
 * @param assurance what it promises against its own lender
 * @param emulated whether a gpu of it is an emulated stand-in; shown everywhere
 * @param region where its host stands, in the lender's or the platform's words: 1 to 64 of a-z, 0-9 and hyphens, such as
 *     {@code eu-central}; empty if that is not said
 * @param interconnect how its gpus reach each other, as the lender declares it
 */
public record Listing(
        ListingId id,
        Account lender,
        HostId host,
        List<GpuId> gpus,
        MachineShape shape,
        Token token,
        Rate floor,
        Rate ceiling,
        Rate price,
        Availability availability,
        Rules rules,
        Assurance assurance,
        boolean emulated,
        String region,
        Interconnect interconnect) {

    /**
     * Copies the list and checks gpus, prices and the region's form.
     *
     * @throws IllegalArgumentException if there is no gpu, one twice, one of another host, not
     *     {@code floor <= price <= ceiling}, or the region is malformed
     */
    public Listing {
        gpus = List.copyOf(gpus);
        Objects.requireNonNull(availability, "availability");
        if (gpus.isEmpty() || gpus.stream().distinct().count() != gpus.size()) {
            throw new IllegalArgumentException("listing %s needs at least one gpu and none twice".formatted(id));
        }
        for (GpuId gpu : gpus) {
            if (!gpu.host().equals(host)) {
                throw new IllegalArgumentException(
                        "gpu %s is not in host %s: a listing holds gpus of one host".formatted(gpu, host));
            }
        }
        if (price.compareTo(floor) < 0 || price.compareTo(ceiling) > 0) {
            throw new IllegalArgumentException(
                    "price %s is not between floor %s and ceiling %s".formatted(price, floor, ceiling));
        }
        if (!region.isEmpty()) {
            Text.region(region);
        }
        Objects.requireNonNull(interconnect, "interconnect");
    }

    /** Returns a listing that says neither its region nor its interconnect. */
    public Listing(
            ListingId id,
            Account lender,
            HostId host,
            List<GpuId> gpus,
            MachineShape shape,
            Token token,
            Rate floor,
            Rate ceiling,
            Rate price,
            Availability availability,
            Rules rules,
            Assurance assurance,
            boolean emulated) {
        this(
                id,
                lender,
                host,
                gpus,
                shape,
                token,
                floor,
                ceiling,
                price,
                availability,
                rules,
                assurance,
                emulated,
                "",
                Interconnect.NONE);
    }

    /** Returns this listing in a region, with an interconnect. */
    public Listing at(String where, Interconnect how) {
        return new Listing(
                id,
                lender,
                host,
                gpus,
                shape,
                token,
                floor,
                ceiling,
                price,
                availability,
                rules,
                assurance,
                emulated,
                where,
                how);
    }

    /** Returns this listing under other rules. */
    public Listing with(Rules other) {
        return new Listing(
                id,
                lender,
                host,
                gpus,
                shape,
                token,
                floor,
                ceiling,
                price,
                availability,
                other,
                assurance,
                emulated,
                region,
                interconnect);
    }

    /**
     * Returns a listing with the usual terms: every gpu of a host that can be rented, at one price, at any time, with the
     * host's own assurance and {@link Rules#DEFAULT}.
     *
     * @param id its name
     * @param host the host, as its inventory was read
     * @param shape the VM that comes with the gpus
     * @param token what rent is paid in
     * @param price the price, and so floor and ceiling
     * @throws IllegalArgumentException if the host has no gpu that can be rented
     */
    public static Listing of(ListingId id, Host host, MachineShape shape, Token token, Rate price) {
        List<Gpu> gpus =
                host.gpus().stream().filter(gpu -> gpu.unavailable().isEmpty()).toList();
        return new Listing(
                id,
                host.lender(),
                host.id(),
                gpus.stream().map(gpu -> new GpuId(host.id(), gpu.address())).toList(),
                shape,
                token,
                price,
                price,
                price,
                Availability.always(),
                Rules.DEFAULT,
                host.assurance(),
                gpus.stream().anyMatch(Gpu::emulated));
    }

    /**
     * Lengths and delays that hold for every rental of a listing.
     *
     * @param shortest the shortest window, at least one second
     * @param longest the longest window, at most 366 days
     * @param turnover how long the gpus stay blocked after a window
     * @param grace how long after the start a renter may end and pay nothing, because the lender never started
     * @param disputeWindow how long after the end the lender waits before it can settle alone
     * @param cancellation what calling off late and not coming cost
     * @param reclaimNotice how long before it takes its gpus back from a rental the lender must say so, zero to 7 days
     * @param stakes what both parties put at stake beside the deposit, and who decides over it
     */
    public record Rules(
            Duration shortest,
            Duration longest,
            Duration turnover,
            Duration grace,
            Duration disputeWindow,
            Cancellation cancellation,
            Duration reclaimNotice,
            Stakes stakes) {
        /** The notice of rules that don't say otherwise: an hour. */
        public static final Duration USUAL_RECLAIM_NOTICE = Duration.ofHours(1);

        private static final Duration MOST = Duration.ofDays(366);
        private static final Duration LONGEST_NOTICE = Duration.ofDays(7);

        /** From a minute to a week; a minute of turnover, fifteen of grace, and an hour to dispute. */
        public static final Rules DEFAULT = new Rules(
                Duration.ofMinutes(1),
                Duration.ofDays(7),
                Duration.ofMinutes(1),
                Duration.ofMinutes(15),
                Duration.ofHours(1));

        /**
         * Checks the ranges.
         *
         * @throws IllegalArgumentException if a duration is negative, over 366 days, or shortest is over longest, or the
         *     notice is over 7 days
         */
        public Rules {
            within("shortest", shortest, Duration.ofSeconds(1));
            within("longest", longest, shortest);
            within("turnover", turnover, Duration.ZERO);
            within("grace", grace, Duration.ZERO);
            within("disputeWindow", disputeWindow, Duration.ZERO);
            Objects.requireNonNull(cancellation, "cancellation");
            Objects.requireNonNull(stakes, "stakes");
            if (reclaimNotice.isNegative() || reclaimNotice.compareTo(LONGEST_NOTICE) > 0) {
                throw new IllegalArgumentException(
                        "reclaimNotice %s is out of range: zero to %s".formatted(reclaimNotice, LONGEST_NOTICE));
            }
        }

        /** Returns rules under which nothing is at stake but the deposit: {@link Stakes#NONE}. */
        public Rules(
                Duration shortest,
                Duration longest,
                Duration turnover,
                Duration grace,
                Duration disputeWindow,
                Cancellation cancellation,
                Duration reclaimNotice) {
            this(shortest, longest, turnover, grace, disputeWindow, cancellation, reclaimNotice, Stakes.NONE);
        }

        /** Returns rules with {@link #USUAL_RECLAIM_NOTICE}. */
        public Rules(
                Duration shortest,
                Duration longest,
                Duration turnover,
                Duration grace,
                Duration disputeWindow,
                Cancellation cancellation) {
            this(shortest, longest, turnover, grace, disputeWindow, cancellation, USUAL_RECLAIM_NOTICE);
        }

        /** Returns rules under which calling off is free until the start: {@link Cancellation#FREE}. */
        public Rules(Duration shortest, Duration longest, Duration turnover, Duration grace, Duration disputeWindow) {
            this(shortest, longest, turnover, grace, disputeWindow, Cancellation.FREE);
        }

        /** Returns these rules with other stakes. */
        public Rules with(Stakes other) {
            return new Rules(shortest, longest, turnover, grace, disputeWindow, cancellation, reclaimNotice, other);
        }

        private static void within(String what, Duration value, Duration least) {
            if (value.compareTo(least) < 0 || value.compareTo(MOST) > 0) {
                throw new IllegalArgumentException(
                        "%s %s is out of range: %s to %s".formatted(what, value, least, MOST));
            }
        }
    }
}
