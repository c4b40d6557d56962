// Asks for a price and opens a rental, in memory: nothing is installed, no money moves.
//
//   ./mvnw -DskipTests package
//   jshell --class-path 'examples/target/lib/*:examples/target/classes' examples/jshell/price-and-rent.jsh
//
// Without the last line (/exit) the shell stays open: engine, listing and rental are yours to look at.
import org.computehive.audit.*
import org.computehive.market.*
import org.computehive.pricing.*
import org.computehive.rental.*
import org.computehive.rental.memory.*
import org.computehive.schedule.*
import org.computehive.store.*
import java.time.*
import java.time.temporal.ChronoUnit

// What is a gpu worth, and why?
var shape = new MachineShape(8, 16_384, 1_024, "ubuntu")
var advisor = TribuoPriceAdvisor.bundled()
var suggestion = advisor.suggest(PriceAdvisor.Request.of("NVIDIA H100 SXM 80GB", shape))
System.out.printf("suggested %.2f USD/h, likely %.2f to %.2f, confidence %s%n", suggestion.point() / 1e6, suggestion.low() / 1e6, suggestion.high() / 1e6, suggestion.confidence())
suggestion.factors().forEach(factor -> System.out.printf("  x %.3f  %s%n", factor.multiplier(), factor.why()))

// An engine on parts in memory, with a lender and a renter.
var clock = InstantSource.system()
var dollars = new Token(Account.ZERO, "USD", 6, true)
var escrow = new InMemoryEscrow(dollars, clock)
var lender = escrow.party(Amount.ZERO)
var renter = escrow.party(Amount.of(100_000_000))
var log = new InMemoryAuditLog(NoteKey.generate("example.org/audit"))
var engine = RentalEngine.builder().store(new InMemoryStore(clock)).escrow(escrow).access(new InMemoryAccess(clock)).priceAdvisor(advisor).auditLog(log).notifier(notice -> {}).build()

// The lender takes the suggestion: nothing else would.
var host = engine.registerHost(new HostId("host-1"), lender.account(), InMemoryHypervisor.withImages("ubuntu"))
engine.start()
var listing = engine.list(Listing.of(new ListingId("gpu-1"), host, shape, dollars, suggestion.pointIn(dollars)))

// The renter books an hour that begins in ten seconds, and locks the rent.
var start = clock.instant().truncatedTo(ChronoUnit.SECONDS).plusSeconds(10)
var quote = engine.quote(renter.account(), listing.id(), Window.of(start, Duration.ofHours(1)))
var id = engine.reserve(quote.id(), renter.account()).id()
var offer = engine.when(id, rental -> rental.offer().isPresent()).join().offer().orElseThrow()
engine.signOffer(id, lender.sign(offer.digest()))
renter.open(offer, lender.sign(offer.digest()))
var rental = engine.when(id, RentalState.ACTIVE).join()
System.out.printf("rental is %s, deposit %s, %d entries in the audit log%n", rental.state(), offer.deposit().inTokens(dollars), log.size())

engine.close()
/exit
