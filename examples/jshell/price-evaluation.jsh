// Judges the price model by offers that it has not seen, beside the baselines.
//
//   PRICES=folder ./computehive jshell examples/jshell/price-evaluation.jsh
//
// PRICES: a folder of CSV files in the layouts of ObservationCsv; without it, made-up prices show how. `./computehive price
// evaluate` does more: whole gpus, whole providers and later days aside, plots.
import org.computehive.pricing.*
import java.nio.file.*
import java.util.stream.*

Path madeUp() throws Exception {
    var random = new Random(7);
    var text = new StringBuilder("timestamp,gpu,provider,n_offers,usd_min_per_gpu_hr,usd_avg_per_gpu_hr\n");
    var prices = Map.of("H100 SXM 80GB", 2.4, "A100 SXM 80GB", 1.5, "L40S", .9, "RTX 4090", .4, "T4", .2, "A10", .5);
    for (var gpu : new TreeMap<>(prices).entrySet())
        for (int provider = 0; provider < 12; provider++)
            text.append("2026-03-01T00:00:00Z,%s,cloud%d,1,1,%.4f%n".formatted(gpu.getKey(), provider, gpu.getValue() * (.8 + .05 * provider) * Math.exp(.1 * random.nextGaussian())));
    var folder = Files.createTempDirectory("prices");
    Files.writeString(folder.resolve("made-up.csv"), text);
    return folder;
}

// Tribuo logs every tree; the variable keeps the setting from being collected.
var tribuo = java.util.logging.Logger.getLogger("org.tribuo")
tribuo.setLevel(java.util.logging.Level.WARNING)

// Rows that can't be used are named with file, line and reason.
var folder = System.getenv("PRICES") == null ? madeUp() : Path.of(System.getenv("PRICES"))
var reading = ObservationCsv.read(folder, GpuCatalogue.bundled())
System.out.printf("%d observations, %d rows or files not used%n", reading.observations().size(), reading.badRows().size())

// Every fifth offer stands aside, with all its samples.
var offers = reading.observations().stream().map(Observation::offer).distinct().sorted().toList()
var aside = IntStream.range(0, offers.size()).filter(i -> i % 5 == 0).mapToObj(offers::get).collect(Collectors.toSet())
var learnt = reading.observations().stream().filter(row -> !aside.contains(row.offer())).toList()
var asked = reading.observations().stream().filter(row -> aside.contains(row.offer())).toList()

// An estimate looks at everything in a row but its price.
var model = MarketModel.fit(learnt, 1)
double error(double guess, Observation row) { return 100 * Math.abs(guess / row.usdPerGpuHour() - 1); }
var ape = asked.stream().mapToDouble(row -> error(model.estimate(row).point(), row)).sorted().toArray()
var held = asked.stream().filter(row -> { var of = model.estimate(row); return of.low() <= row.usdPerGpuHour() && row.usdPerGpuHour() <= of.high(); }).count()
System.out.printf("market model: MAPE %.1f %%, MdAPE %.1f %%, the 80 %% range held %.0f %% of %d%n", Arrays.stream(ape).average().orElse(0), ape[ape.length / 2], 100. * held / asked.size(), asked.size())
PriceBaselines.fit(learnt, 1).forEach((name, guess) -> System.out.printf("%s: MAPE %.1f %%%n", name, asked.stream().mapToDouble(row -> error(guess.applyAsDouble(row), row)).average().orElse(0)))
/exit
