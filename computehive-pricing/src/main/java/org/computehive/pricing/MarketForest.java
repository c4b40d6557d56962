package org.computehive.pricing;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.common.tree.RandomForestTrainer;
import org.tribuo.ensemble.WeightedEnsembleModel;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.ensemble.AveragingCombiner;
import org.tribuo.regression.rtree.CARTJointRegressionTrainer;
import org.tribuo.regression.rtree.impurity.MeanSquaredError;

/**
 * A Tribuo random forest (L. Breiman, 2001) over all that is known of an offer but its host: it learns what goes together.
 * What the host adds is taken away before, so the promises that {@link HostEffect} makes hold. Immutable and thread-safe.
 */
final class MarketForest {
    private static final String OUTPUT = "log_usd_per_gpu_hour";
    private static final int DEPTH = 14;
    private static final float LEAST_LEAF_WEIGHT = 1.5f;
    private static final float FEATURES_PER_SPLIT = .4f;

    private final WeightedEnsembleModel<Regressor> forest;
    private final LocalDate today;

    /** Takes a forest as it is; {@code today} is the newest day of what it learnt from. */
    MarketForest(WeightedEnsembleModel<Regressor> forest, LocalDate today) {
        this.forest = forest;
        this.today = today;
    }

    /** Fits a forest to targets {@code y}: logarithms of prices without what the host adds. */
    static MarketForest fit(List<Observation> rows, double[] y, LocalDate today, int trees, long seed) {
        var source = new SimpleDataSourceProvenance(
                "asked prices per gpu-hour", today.atStartOfDay().atOffset(ZoneOffset.UTC), new RegressionFactory());
        List<Example<Regressor>> examples = new ArrayList<>();
        for (int i = 0; i < y.length; i++) {
            examples.add(example(rows.get(i), today, y[i]));
        }
        var dataset = new MutableDataset<>(examples, source, new RegressionFactory());
        var tree = new CARTJointRegressionTrainer(
                DEPTH, LEAST_LEAF_WEIGHT, 0f, FEATURES_PER_SPLIT, false, new MeanSquaredError(), false, seed);
        var trainer = new RandomForestTrainer<>(tree, new AveragingCombiner(), trees, seed);
        return new MarketForest((WeightedEnsembleModel<Regressor>) trainer.train(dataset), today);
    }

    WeightedEnsembleModel<Regressor> trees() {
        return forest;
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
        example.add("day", 20 + (row.day().toEpochDay() - today.toEpochDay()) / 365.25);
        example.add("provider-" + row.provider(), 1);
        row.traits().stream().sorted().forEach(trait -> example.add(trait, 1));
        return example;
    }
}
