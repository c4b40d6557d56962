package org.computehive.pricing;

import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.Example;
import org.tribuo.Model;
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
 * A Tribuo forest of regression trees over a gpu's own figures; it learns what the log-additive part can't say.
 *
 * <p>It sees nothing of the host, so the promises that {@link Hedonic} makes about hosts hold for the average of both.
 */
final class Forest {
    private static final String OUTPUT = "log_usd_per_gpu_hour";
    private static final int TREES = 16;
    private static final int DEPTH = 5;
    private static final float LEAST_LEAF_WEIGHT = 2;
    private static final float FEATURES_PER_SPLIT = .75f;

    private Forest() {}

    /** Trains a forest on what observations say of their gpus once the hedonic part has taken away the rest. */
    static WeightedEnsembleModel<Regressor> train(List<Observation> rows, Hedonic hedonic, LocalDate today, long seed) {
        var source = new SimpleDataSourceProvenance(
                "asked prices per gpu-hour", today.atStartOfDay().atOffset(ZoneOffset.UTC), new RegressionFactory());
        double[] weights = Hedonic.weights(rows);
        List<Example<Regressor>> examples = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Observation row = rows.get(i);
            double target = StrictMath.log(row.usdPerGpuHour()) - hedonic.surroundings(row, today);
            ArrayExample<Regressor> example = example(row.gpu(), new Regressor(OUTPUT, target));
            example.setWeight((float) weights[i]);
            examples.add(example);
        }
        var dataset = new MutableDataset<>(examples, source, new RegressionFactory());
        var tree = new CARTJointRegressionTrainer(
                DEPTH, LEAST_LEAF_WEIGHT, 0f, FEATURES_PER_SPLIT, false, new MeanSquaredError(), false, seed);
        var trainer = new RandomForestTrainer<>(tree, new AveragingCombiner(), TREES, seed);
        return (WeightedEnsembleModel<Regressor>) trainer.train(dataset);
    }

    /** Returns the logarithm for a gpu on the base host. */
    static double predict(Model<Regressor> forest, GpuFacts gpu) {
        Regressor output =
                forest.predict(example(gpu, new Regressor(OUTPUT, Double.NaN))).getOutput();
        return output.getValues()[0];
    }

    private static ArrayExample<Regressor> example(GpuFacts gpu, Regressor output) {
        return new ArrayExample<>(output, Hedonic.FEATURES.toArray(String[]::new), Hedonic.features(gpu));
    }
}
