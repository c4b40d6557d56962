// Rents for two seconds in memory, and reads what is left: usage, invoice, manifest, events and their audit entries.
//
//   ./computehive jshell examples/jshell/usage-and-manifest.jsh
import org.computehive.audit.*
import org.computehive.manifest.*
import org.computehive.market.*
import org.computehive.rental.*
import org.computehive.rental.memory.*
import org.computehive.schedule.*
import org.computehive.store.*
import org.computehive.usage.*
import java.nio.charset.StandardCharsets
import java.time.*
import java.time.temporal.ChronoUnit

var clock = InstantSource.system()
var dollars = new Token(Account.ZERO, "USD", 6, true)
var escrow = new InMemoryEscrow(dollars, clock)
var lender = escrow.party(Amount.ZERO)
var renter = escrow.party(Amount.of(100_000_000))
var log = new InMemoryAuditLog(NoteKey.generate("example.org/audit"))
var store = new InMemoryStore(clock)
var engine = RentalEngine.builder().store(store).escrow(escrow).auditLog(log).notifier(notice -> {}).build()
var host = engine.registerHost(new HostId("host-1"), lender.account(), InMemoryHypervisor.withImages("ubuntu"))
engine.start()
var shape = new MachineShape(8, 16_384, 1_024, "ubuntu")
var listing = engine.list(Listing.of(new ListingId("gpu-1"), host, shape, dollars, Rate.of(500)))
var start = clock.instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(10)
var id = engine.quote(renter.account(), listing.id(), Window.of(start, Duration.ofHours(1))).id()
var reserved = engine.reserve(id, renter.account())
var offer = engine.when(id, rental -> rental.offer().isPresent()).join().offer().orElseThrow()
engine.signOffer(id, lender.sign(offer.digest()))
renter.open(offer, lender.sign(offer.digest()))
var active = engine.when(id, RentalState.ACTIVE).join()
Thread.sleep(2_000)
var leaving = engine.end(id, renter.account())
var ended = engine.when(id, RentalState.ENDED).join()
var receipt = engine.receiptToSign(id)
engine.signReceipt(id, renter.account(), renter.sign(receipt))
engine.signReceipt(id, lender.account(), lender.sign(receipt))
var rental = engine.when(id, RentalState.SETTLED).join()

// What was used and paid, as the settlement says; amounts are in the token's smallest unit.
var usage = UsageRecord.of(rental)
System.out.printf("used %s of %s, paid %s of %s%n", usage.used(), usage.window().length(), usage.charges().getFirst().paid(), usage.charges().getFirst().deposit())
var month = YearMonth.from(rental.window().start().atOffset(ZoneOffset.UTC))
System.out.print(Invoice.of(lender.account(), Invoice.Role.LENDER, month, store.allOf(lender.account(), Invoice.end(month)), clock.instant()).csv())

// What the session ran on, as canonical JSON; two manifests are compared member by member.
var manifest = rental.manifest().orElseThrow()
System.out.println("manifest " + HexFormat.of().formatHex(manifest.sha256()) + " " + manifest.json())
System.out.println("read again it is " + (Manifest.parse(manifest.json()).equals(manifest) ? "the same" : "another"))

// The rental's events, in order, each found in the audit log by its commitment.
var proved = log.entries(0, log.size()).stream().map(AuditEntry::parse).toList()
for (var recorded : engine.history(id, renter.account())) {
    long in = proved.stream().filter(entry -> entry.matches(recorded.payload().getBytes(StandardCharsets.UTF_8), HexFormat.of().parseHex(recorded.salt()))).count();
    System.out.printf("%s -> %s, in %d audit entry%n", recorded.event().getClass().getSimpleName(), recorded.after().state(), in);
}
engine.close()
/exit
