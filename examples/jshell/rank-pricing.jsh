// Ranks pricing policies in a replayed market, your own among them. Nothing is rented, no money moves.
//
//   ./computehive jshell examples/jshell/rank-pricing.jsh
//
import org.computehive.pricing.simulation.*
import java.util.stream.*

// Arrivals from a file: Arrivals.read(Path.of("arrivals.csv")). Here four requests an hour for a fortnight.
var arrivals = new Arrivals(IntStream.range(0, 1_344).mapToObj(i -> new Arrival(i / 4., 1 + i % 23, 1 + i % 4)).toList(), 0)
var daring = Policies.of("a fifth over peers", () -> market -> 1.2 * market.peersMedian())
var policies = Stream.concat(Policies.standard().stream(), Stream.of(daring)).toList()
var ranking = Ranking.of(Simulator.of(arrivals), policies, Scenario.standard(), 30)
System.out.println(ranking.table())
/exit
