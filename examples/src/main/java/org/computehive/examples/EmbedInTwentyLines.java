package org.computehive.examples;

import static java.time.temporal.ChronoUnit.SECONDS;
import static org.computehive.rental.RentalState.ACTIVE;
import static org.computehive.rental.RentalState.ENDED;
import static org.computehive.rental.RentalState.SETTLED;

import java.io.PrintStream;
import java.time.Duration;
import java.time.InstantSource;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Token;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.memory.InMemoryEscrow;
import org.computehive.rental.memory.InMemoryHypervisor;
import org.computehive.schedule.Window;

/**
 * One rental from listing to settlement, in a process with nothing installed beside it: twenty statements to a running
 * session, seven more to the money.
 *
 * <p>Rental, prices, clock and audit log are the real ones; escrow, hypervisor and access keep their promises in memory: no
 * money moves, no VM boots, no SSH server listens. {@link EmbedOnRealParts} exchanges those three and the store.
 */
public final class EmbedInTwentyLines {
    /** What the renter's {@code ~/.ssh/id_ed25519.pub} says; the private half never comes here. */
    private static final String PUBLIC_KEY =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIPs++7TVyauL+gSkXU7V/7bFM7gy/yMWQjwvQmRR2xE";

    private EmbedInTwentyLines() {}

    /** Rents a gpu and prints each step; takes about twelve seconds, in which the window begins and the renter works. */
    public static void main(String[] arguments) throws InterruptedException {
        run(System.out);
    }

    static void run(PrintStream out) throws InterruptedException {
        var clock = InstantSource.system();
        var dollars = new Token(Account.ZERO, "USD", 6, true);
        var escrow = new InMemoryEscrow(dollars, clock);
        var lender = escrow.party(Amount.ZERO);
        var renter = escrow.party(Amount.of(100_000_000)); // 100 dollars
        var log = new InMemoryAuditLog(NoteKey.generate("example.org/audit"));
        try (log;
                var engine = RentalEngine.builder()
                        .escrow(escrow)
                        .auditLog(log)
                        .notifier(notice -> out.printf("calendar %s to %s%n", notice.method(), notice.recipient()))
                        .build()) {
            // The lender registers a host. The advisor suggests a price; it is the lender who puts it into the listing.
            var hypervisor = InMemoryHypervisor.withImages("ubuntu");
            var host = engine.registerHost(new HostId("host-1"), lender.account(), hypervisor);
            engine.start();
            var shape = new MachineShape(8, 16_384, 1_024, "ubuntu");
            var advice = engine.suggestPrice(Request.of("NVIDIA H100 SXM 80GB", shape));
            engine.list(Listing.of(new ListingId("gpu-1"), host, shape, dollars, advice.pointIn(dollars)));

            // The renter books an hour that begins in ten seconds; the lender signs, the renter locks the rent.
            var start = clock.instant().truncatedTo(SECONDS).plusSeconds(10);
            var id = engine.quote(renter.account(), new ListingId("gpu-1"), Window.of(start, Duration.ofHours(1)))
                    .id();
            engine.reserve(id, renter.account());
            var offer = engine.when(id, rental -> rental.offer().isPresent())
                    .join()
                    .offer()
                    .orElseThrow();
            engine.signOffer(id, lender.sign(offer.digest()));
            renter.open(offer, lender.sign(offer.digest()));
            engine.when(id, ACTIVE).join();
            out.println(engine.issueCertificate(id, renter.account(), PUBLIC_KEY));
            Thread.sleep(Duration.ofSeconds(2)); // the renter works

            // The renter leaves early; both sign what the meter counted; the escrow pays and refunds.
            engine.end(id, renter.account());
            engine.when(id, ENDED).join();
            var receipt = engine.receiptToSign(id);
            engine.signReceipt(id, renter.account(), renter.sign(receipt));
            engine.signReceipt(id, lender.account(), lender.sign(receipt));
            var money = engine.when(id, SETTLED).join().settlement().orElseThrow();
            out.printf(
                    "deposit %s, paid %s, refunded %s, proved by %d entries in the audit log%n",
                    offer.deposit(), money.paid(), money.refunded(), log.size());
        }
    }
}
