package org.computehive.pricing;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.common.tree.RandomForestTrainer;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.ensemble.AveragingCombiner;
import org.tribuo.regression.rtree.CARTJointRegressionTrainer;
import org.tribuo.regression.rtree.impurity.MeanSquaredError;

/**
 * A Tribuo random forest (L. Breiman, 2001) over all that is known of an offer: it learns what goes together. Immutable and thread-safe.
 */
final class MarketForest {
    private static final String OUTPUT = "log_usd_per_gpu_hour";
    private static final int DEPTH = 14;
    private static final float LEAST_LEAF_WEIGHT = 1.5f;
    private static final float FEATURES_PER_SPLIT = .4f;

    private final Model<Regressor> forest;
    private final LocalDate today;

    private MarketForest(Model<Regressor> forest, LocalDate today) {
        this.forest = forest;
        this.today = today;
    }

    static MarketForest fit(List<Observation> rows, LocalDate today, int trees, long seed) {
        var source = new SimpleDataSourceProvenance(
                "asked prices per gpu-hour", today.atStartOfDay().atOffset(ZoneOffset.UTC), new RegressionFactory());
        List<Example<Regressor>> examples = new ArrayList<>();
        for (Observation row : rows) {
            examples.add(example(row, today, StrictMath.log(row.usdPerGpuHour())));
        }
        var dataset = new MutableDataset<>(examples, source, new RegressionFactory());
        var tree = new CARTJointRegressionTrainer(
                DEPTH, LEAST_LEAF_WEIGHT, 0f, FEATURES_PER_SPLIT, false, new MeanSquaredError(), false, seed);
        var trainer = new RandomForestTrainer<>(tree, new AveragingCombiner(), trees, seed);
        return new MarketForest(trainer.train(dataset), today);
    }

    double at(Observation row) {
        return forest.predict(example(row, today, Double.NaN)).getOutput().getValues()[0];
    }

    private static ArrayExample<Regressor> example(Observation row, LocalDate today, double target) {
        var example = new ArrayExample<>(new Regressor(OUTPUT, target));
        GpuFacts gpu = row.gpu();
        example.add("memory", StrictMath.log(gpu.memoryGib()));
        example.add("bandwidth", StrictMath.log(gpu.bandwidthGbPerSecond()));
        example.add("fp32", StrictMath.log(gpu.fp32Tflops()));
        example.add("compute", StrictMath.log(gpu.computeTflops()));
        example.add("year", gpu.year() - 2012.);
        example.add("segment-" + gpu.segment(), 1);
        if (row.tier() == Observation.Tier.HYPERSCALER) {
            example.add("hyperscaler", 1);
        }
        example.add("count", 1 + StrictMath.log(row.gpuCount()));
        row.cpus().ifPresent(cpus -> example.add("cpus", 5 + Hedonic.cpuStep(cpus / row.gpuCount())));
        row.memoryGib().ifPresent(gib -> example.add("ram", 5 + Hedonic.ramStep(gib / row.gpuCount())));
        example.add("day", 20 + (row.day().toEpochDay() - today.toEpochDay()) / 365.25);
        example.add("provider-" + row.provider(), 1);
        row.traits().stream().sorted().forEach(trait -> example.add(trait, 1));
        return example;
    }
}
