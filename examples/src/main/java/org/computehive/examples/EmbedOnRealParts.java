package org.computehive.examples;

import static java.time.temporal.ChronoUnit.SECONDS;
import static org.computehive.rental.RentalState.ACTIVE;
import static org.computehive.rental.RentalState.ENDED;
import static org.computehive.rental.RentalState.SETTLED;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.computehive.access.HostKeyPair;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.AnvilOptions;
import org.computehive.chain.EscrowDeployment;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmEscrow;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.computehive.rental.PriceAdvisor.Request;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.SshAccess;
import org.computehive.schedule.Window;
import org.computehive.store.JdbcStore;
import org.computehive.vm.DemoImage;
import org.computehive.vm.ImageCatalogue;
import org.computehive.vm.LibvirtHypervisor;
import org.computehive.vm.PrivateLibvirt;

/**
 * The lines of {@link EmbedInTwentyLines} on real parts: SQLite, a contract on a chain, QEMU under libvirt, an SSH gateway
 * and a log on disk. The walk is the same; what differs is how the parts are opened.
 */
public final class EmbedOnRealParts {
    private EmbedOnRealParts() {}

    /**
     * Rents this machine's display device on a development chain of its own, which needs what {@code ./computehive doctor}
     * lists.
     *
     * @param arguments a folder for database, keys and log
     */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            System.err.println("Usage: EmbedOnRealParts FOLDER");
            System.exit(2);
        }
        try (var node =
                AnvilNode.start(AnvilOptions.of(AnvilNode.find(Path.of("").toAbsolutePath()))
                        .withPort(0)
                        .withBlockTime(Duration.ofSeconds(1)))) {
            EvmWallet operator = node.fundedWallet();
            EvmWallet lender = node.fundedWallet();
            EvmWallet renter = node.fundedWallet();
            var token = EscrowDeployment.devToken(node.url(), operator);
            EscrowDeployment.mint(node.url(), operator, token, renter.account(), Amount.of(100_000_000));
            EscrowSettings chain = EscrowDeployment.escrow(node.url(), operator)
                    .settings(node.url(), token)
                    .withOperator(operator);
            rent(Files.createDirectories(Path.of(arguments[0])), chain, lender, renter, System.out);
        }
    }

    /**
     * Rents a gpu of this machine from listing to settlement.
     *
     * @param home a folder for everything that lasts
     * @param chain the escrow contract, and the operator's wallet that pays for settling
     * @param lenderWallet signs as the lender; a real platform never sees this key
     * @param renterWallet signs as the renter, likewise
     * @param out gets what happened
     */
    static void rent(Path home, EscrowSettings chain, EvmWallet lenderWallet, EvmWallet renterWallet, PrintStream out) {
        var clock = InstantSource.system();
        var key = NoteKey.loadOrGenerate(home.resolve("audit-log"), "example.org/audit");
        var images = DemoImage.ensure(ImageCatalogue.defaultFolder(), out::println);
        try (var log = FileAuditLog.open(home.resolve("audit"), key);
                var libvirt = PrivateLibvirt.open(home.resolve("vms"));
                var hypervisor =
                        LibvirtHypervisor.privateSession(libvirt, images, LibvirtHypervisor.Options.defaults());
                var escrow = EvmEscrow.connect(chain);
                var engine = RentalEngine.builder()
                        .store(JdbcStore.sqlite(home.resolve("rentals.db"), clock))
                        .escrow(escrow)
                        .access(SshAccess.open(home.resolve("keys"), SshAccess.Settings.loopback(0), clock))
                        .priceAdvisor(TribuoPriceAdvisor.bundled())
                        .auditLog(log)
                        .notifier(notice -> out.printf("calendar %s to %s%n", notice.method(), notice.recipient()))
                        .build()) {
            var lender = escrow.party(lenderWallet);
            var renter = escrow.party(renterWallet);
            var dollars = escrow.token();

            var host = engine.registerHost(new HostId("this-machine"), lender.account(), hypervisor);
            engine.start();
            var shape = new MachineShape(1, 512, 64, DemoImage.NAME);
            var advice = engine.suggestPrice(Request.of("NVIDIA T4", shape));
            engine.list(Listing.of(new ListingId("gpu-1"), host, shape, dollars, advice.pointIn(dollars)));

            var start = clock.instant().truncatedTo(SECONDS).plusSeconds(15);
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

            var publicKey = HostKeyPair.generate().publicKey().line(); // a renter sends its id_ed25519.pub
            out.println(engine.issueCertificate(id, renter.account(), publicKey)
                    .files(home.toAbsolutePath().resolve("renter"))
                    .command());
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
