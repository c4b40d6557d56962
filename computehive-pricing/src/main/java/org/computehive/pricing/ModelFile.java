package org.computehive.pricing;

import com.google.protobuf.Any;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DoubleProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.tribuo.Model;
import org.tribuo.Tribuo;
import org.tribuo.common.tree.TreeModel;
import org.tribuo.common.tree.protos.TreeModelProto;
import org.tribuo.ensemble.WeightedEnsembleModel;
import org.tribuo.impl.ModelDataCarrier;
import org.tribuo.protos.core.ModelProto;
import org.tribuo.protos.core.WeightedEnsembleModelProto;
import org.tribuo.provenance.EnsembleModelProvenance;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.regression.Regressor;

/**
 * A price model as bytes: a Tribuo model in protobuf that any Tribuo program can open. What the kernel regression says
 * of each gpu, the error bands and the credit travel in its provenance.
 *
 * <p>Tribuo writes the time of training, the Java version and the operating system into every provenance. Here the time
 * is the day of the data and the machine is left out, so the same training gives the same bytes anywhere.
 *
 * <p>Tribuo accepts some corrupted files and makes objects of classes that a file names, so nothing is parsed before its
 * SHA-256 was compared.
 */
final class ModelFile {
    static final int MAX_BYTES = 16 << 20;
    private static final String FORMAT = "computehive-price-model/2";

    private ModelFile() {}

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    static byte[] encode(PriceModel model) {
        OffsetDateTime day = model.dataDate().atStartOfDay().atOffset(ZoneOffset.UTC);
        WeightedEnsembleModel<Regressor> forest = model.forest().trees();
        List<ModelProto> trees = new ArrayList<>();
        for (Model<Regressor> tree : forest.getModels()) {
            ModelProvenance of = tree.getProvenance();
            var fixed = new ModelProvenance(
                    of.getClassName(), day, of.getDatasetProvenance(), of.getTrainerProvenance(), Map.of(), false);
            trees.add(withProvenance((TreeModel<Regressor>) tree, fixed));
        }
        EnsembleModelProvenance of = forest.getProvenance();
        var provenance = new EnsembleModelProvenance(
                of.getClassName(),
                day,
                of.getDatasetProvenance(),
                of.getTrainerProvenance(),
                facts(model),
                false,
                new ListProvenance<ModelProvenance>(List.of())); // Each tree carries its own.
        try {
            ModelProto outer = forest.serialize();
            WeightedEnsembleModelProto inner = outer.getSerializedData().unpack(WeightedEnsembleModelProto.class);
            WeightedEnsembleModelProto.Builder fixed = inner.toBuilder()
                    .setMetadata(new ModelDataCarrier<>(
                                    forest.getName(),
                                    provenance,
                                    forest.getFeatureIDMap(),
                                    forest.getOutputIDInfo(),
                                    forest.generatesProbabilities(),
                                    Tribuo.VERSION)
                            .serialize())
                    .clearModels()
                    .addAllModels(trees);
            return bytes(
                    outer.toBuilder().setSerializedData(pack(fixed.build())).build());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("Tribuo's own message could not be read", e);
        }
    }

    private static ModelProto withProvenance(TreeModel<Regressor> tree, ModelProvenance provenance) {
        try {
            ModelProto outer = tree.serialize();
            TreeModelProto inner = outer.getSerializedData().unpack(TreeModelProto.class);
            TreeModelProto fixed = inner.toBuilder()
                    .setMetadata(new ModelDataCarrier<>(
                                    tree.getName(),
                                    provenance,
                                    tree.getFeatureIDMap(),
                                    tree.getOutputIDInfo(),
                                    tree.generatesProbabilities(),
                                    Tribuo.VERSION)
                            .serialize())
                    .build();
            return outer.toBuilder().setSerializedData(pack(fixed)).build();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("Tribuo's own message could not be read", e);
        }
    }

    private static Any pack(Message message) {
        return Any.newBuilder()
                .setTypeUrl(
                        "type.googleapis.com/" + message.getDescriptorForType().getFullName())
                .setValue(com.google.protobuf.ByteString.copyFrom(bytes(message)))
                .build();
    }

    /** Writes maps in the order of their keys, which plain {@code toByteArray} does not. */
    private static byte[] bytes(Message message) {
        byte[] bytes = new byte[message.getSerializedSize()];
        CodedOutputStream out = CodedOutputStream.newInstance(bytes);
        out.useDeterministicSerialization();
        try {
            message.writeTo(out);
            out.checkNoSpaceLeft();
        } catch (IOException e) {
            throw new UncheckedIOException("writing to memory failed", e);
        }
        return bytes;
    }

    private static Map<String, Provenance> facts(PriceModel model) {
        var facts = new TreeMap<String, Provenance>();
        text(facts, "format", FORMAT);
        text(facts, "data-date", model.dataDate().toString());
        text(facts, "credit", model.credit());
        number(facts, "host-cpu", model.host().cpu());
        number(facts, "host-ram", model.host().ram());
        number(facts, "spot", model.spot());
        band(facts, "seen", model.seen());
        band(facts, "unseen", model.unseen());
        model.gpus().forEach((name, gpu) -> {
            number(facts, "gpu-guess/" + name, gpu.guess());
            number(facts, "gpu-scale/" + name, gpu.scale());
            number(facts, "gpu-rows/" + name, gpu.rows());
            number(facts, "gpu-providers/" + name, gpu.providers());
        });
        return facts;
    }

    private static void text(Map<String, Provenance> facts, String key, String value) {
        facts.put(key, new StringProvenance(key, value));
    }

    private static void number(Map<String, Provenance> facts, String key, double value) {
        facts.put(key, new DoubleProvenance(key, value));
    }

    private static void band(Map<String, Provenance> facts, String key, ErrorBand band) {
        number(facts, "error-shift-" + key, band.shift());
        number(facts, "error-low-" + key, band.low());
        number(facts, "error-high-" + key, band.high());
    }

    /**
     * Reads a model after comparing its hash.
     *
     * @throws ModelException if the hash is another, or what has this hash is not a model of this version
     */
    static PriceModel decode(byte[] bytes, String expectedSha256) {
        String actual = sha256(bytes);
        if (!actual.equals(expectedSha256)) {
            throw new ModelException(
                    ModelException.Reason.WRONG_HASH,
                    "model of %d bytes has the SHA-256 %s, not %s: get the file again, or state the hash of this one"
                            .formatted(bytes.length, actual, expectedSha256));
        }
        return parse(bytes);
    }

    /** Reads a model whose bytes were checked. Visible for a test that feeds it garbage. */
    static PriceModel parse(byte[] bytes) {
        try {
            Model<?> model = Model.deserialize(ModelProto.parseFrom(bytes));
            if (model instanceof WeightedEnsembleModel<?> ensemble && ensemble.validate(Regressor.class)) {
                @SuppressWarnings("unchecked") // validate() looked at the output's class
                var forest = (WeightedEnsembleModel<Regressor>) ensemble;
                return model(forest);
            }
            throw new ModelException(
                    ModelException.Reason.FOREIGN,
                    "model is a %s, not a forest of regression trees: train one with Train"
                            .formatted(model.getClass().getSimpleName()));
        } catch (IOException | ClassCastException | IllegalArgumentException | IllegalStateException e) {
            throw foreign(e);
        } catch (ModelException e) {
            throw e;
        } catch (RuntimeException | StackOverflowError | LinkageError e) {
            throw foreign(e);
        }
    }

    private static ModelException foreign(Throwable cause) {
        return new ModelException(
                ModelException.Reason.FOREIGN,
                "this is not a %s: %s; train one with Train".formatted(FORMAT, cause.getMessage()),
                cause);
    }

    private static PriceModel model(WeightedEnsembleModel<Regressor> forest) {
        var facts = new Facts(forest.getProvenance().getInstanceProvenance().getMap());
        if (!facts.text("format").equals(FORMAT)) {
            throw new IllegalArgumentException("its format is " + facts.text("format"));
        }
        Map<String, PriceModel.Gpu> gpus = new LinkedHashMap<>();
        for (String name : facts.after("gpu-guess/")) {
            gpus.put(
                    name,
                    new PriceModel.Gpu(
                            facts.number("gpu-guess/" + name, -20, 20),
                            facts.number("gpu-scale/" + name, 0, 20),
                            (int) facts.number("gpu-rows/" + name, 0, 1e9),
                            (int) facts.number("gpu-providers/" + name, 0, 1e9)));
        }
        LocalDate day = LocalDate.parse(facts.text("data-date"));
        return new PriceModel(
                new MarketForest(forest, day),
                new HostEffect(
                        facts.number("host-cpu", 0, HostEffect.MOST), facts.number("host-ram", 0, HostEffect.MOST)),
                facts.number("spot", -5, 0),
                gpus,
                facts.band("seen"),
                facts.band("unseen"),
                day,
                facts.text("credit"));
    }

    /** The provenance's entries, checked as they are read. */
    private record Facts(Map<String, ? extends Provenance> entries) {
        String text(String key) {
            if (entries.get(key) instanceof StringProvenance text) {
                return text.getValue();
            }
            throw new IllegalArgumentException("its provenance has no text " + key);
        }

        double number(String key, double least, double most) {
            if (entries.get(key) instanceof DoubleProvenance number
                    && number.getValue() >= least
                    && number.getValue() <= most) {
                return number.getValue();
            }
            throw new IllegalArgumentException(
                    "its provenance has no number %s from %s to %s".formatted(key, least, most));
        }

        ErrorBand band(String key) {
            return new ErrorBand(
                    number("error-shift-" + key, 0, 1),
                    number("error-low-" + key, -20, 20),
                    number("error-high-" + key, -20, 20));
        }

        List<String> after(String prefix) {
            return entries.keySet().stream()
                    .filter(key -> key.startsWith(prefix))
                    .map(key -> key.substring(prefix.length()))
                    .sorted()
                    .toList();
        }
    }
}
