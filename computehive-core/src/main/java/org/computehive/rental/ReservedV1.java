package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.schedule.Window;

/** A reservation as it was stored before terms said anything of cancellation and of what a VM runs on. */
record ReservedV1(Instant at, Terms terms) {

    record Terms(
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

        static Terms of(RentalTerms terms) {
            return new Terms(
                    terms.renter(),
                    terms.lender(),
                    terms.listing(),
                    terms.host(),
                    terms.gpus(),
                    terms.shape(),
                    terms.window(),
                    terms.turnover(),
                    terms.token(),
                    terms.rate(),
                    terms.grace(),
                    terms.disputeWindow(),
                    terms.lane(),
                    terms.holdUntil(),
                    terms.emulated());
        }

        RentalTerms with(Cancellation cancellation) {
            return new RentalTerms(
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
                    cancellation,
                    Setup.UNSTATED);
        }
    }
}
