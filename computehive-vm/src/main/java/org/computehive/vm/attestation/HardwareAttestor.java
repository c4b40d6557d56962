package org.computehive.vm.attestation;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.computehive.rental.Attestor;
import org.computehive.rental.Challenge;
import org.computehive.rental.Evidence;
import org.computehive.rental.VmSpec;
import org.computehive.vm.attestation.NvidiaVerifier.AttestedGpu;

/**
 * Judges guests by what their processor and their gpus signed: one SEV-SNP report ({@code sev-snp}) over
 * {@link Challenge#reportData}, and one bundle of NVIDIA's ({@code nvidia-gpu}) over {@link Challenge#gpuNonce} for exactly as many
 * gpus as were asked for. TDX quotes are not verified yet, so they count for nothing. Thread-safe.
 */
public final class HardwareAttestor implements Attestor {
    private static final String SNP = "sev-snp";
    private static final String GPU = "nvidia-gpu";

    private final SnpVerifier processor;
    private final NvidiaVerifier gpus;

    /** Creates one. */
    public HardwareAttestor(SnpVerifier processor, NvidiaVerifier gpus) {
        this.processor = processor;
        this.gpus = gpus;
    }

    @Override
    public Map<String, String> verify(VmSpec spec, Challenge challenge, Evidence evidence) {
        Evidence.Document report = only(SNP, evidence);
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(report.body());
        } catch (IllegalArgumentException e) {
            throw Failed.because("report", "it is not in base64", e);
        }
        var certificates = Certificates.read(report.certificates());
        String image = spec.shape().image();
        var facts = new LinkedHashMap<>(processor
                .verify(image, bytes, certificates, challenge.reportData(evidence))
                .facts());
        if (!spec.gpus().isEmpty()) {
            List<AttestedGpu> attested = gpus.verify(only(GPU, evidence).body(), challenge.gpuNonce(evidence));
            if (attested.size() != spec.gpus().size()) {
                throw Failed.because(
                        "gpu count",
                        "%d gpus were attested, and %d were asked for"
                                .formatted(attested.size(), spec.gpus().size()));
            }
            for (AttestedGpu gpu : attested) {
                facts.put("gpu " + gpu.ueid(), gpu.model() + ", driver " + gpu.driver() + ", VBIOS " + gpu.vbios());
            }
        }
        return facts;
    }

    private static Evidence.Document only(String kind, Evidence evidence) {
        List<Evidence.Document> found = evidence.documents().stream()
                .filter(document -> document.kind().equals(kind))
                .toList();
        if (found.size() != 1) {
            throw Failed.because(kind, "%d documents of this kind came: one is needed".formatted(found.size()));
        }
        return found.getFirst();
    }
}
