package org.computehive.vm.attestation;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.rental.Attestor;
import org.computehive.rental.Challenge;
import org.computehive.rental.Evidence;
import org.computehive.rental.VmSpec;
import org.computehive.vm.attestation.NvidiaVerifier.AttestedGpu;

/**
 * Judges guests by what their processor and their gpus signed: one SEV-SNP report ({@code sev-snp}) or, {@link #withTdx where TDX
 * is verified}, one TDX quote ({@code tdx}) over {@link Challenge#reportData}, and one bundle of NVIDIA's ({@code nvidia-gpu}) over
 * {@link Challenge#gpuNonce} for exactly as many gpus as were asked for. Thread-safe.
 */
public final class HardwareAttestor implements Attestor {
    private static final String SNP = "sev-snp";
    private static final String TDX = "tdx";
    private static final String GPU = "nvidia-gpu";

    private final SnpVerifier processor;
    private final Optional<TdxVerifier> domains;
    private final NvidiaVerifier gpus;

    /** Creates one that takes SEV-SNP reports; TDX quotes count for nothing. */
    public HardwareAttestor(SnpVerifier processor, NvidiaVerifier gpus) {
        this(processor, Optional.empty(), gpus);
    }

    private HardwareAttestor(SnpVerifier processor, Optional<TdxVerifier> domains, NvidiaVerifier gpus) {
        this.processor = processor;
        this.domains = domains;
        this.gpus = gpus;
    }

    /** Returns one that takes a TDX quote in the place of a SEV-SNP report. Its certificates are those within the quote. */
    public HardwareAttestor withTdx(TdxVerifier verifier) {
        return new HardwareAttestor(processor, Optional.of(verifier), gpus);
    }

    @Override
    public Map<String, String> verify(VmSpec spec, Challenge challenge, Evidence evidence) {
        var facts = new LinkedHashMap<>(processor(spec.shape().image(), challenge.reportData(evidence), evidence));
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

    private Map<String, String> processor(String image, byte[] reportData, Evidence evidence) {
        boolean quoted = evidence.documents().stream()
                        .anyMatch(one -> one.kind().equals(TDX))
                && evidence.documents().stream().noneMatch(one -> one.kind().equals(SNP));
        if (quoted && domains.isPresent()) {
            return domains.get().verify(image, bytes("quote", only(TDX, evidence)), reportData);
        }
        Evidence.Document report = only(SNP, evidence);
        byte[] bytes = bytes("report", report);
        return processor
                .verify(image, bytes, Certificates.read(report.certificates()), reportData)
                .facts();
    }

    private static byte[] bytes(String what, Evidence.Document document) {
        try {
            return Base64.getDecoder().decode(document.body());
        } catch (IllegalArgumentException e) {
            throw Failed.because(what, "it is not in base64", e);
        }
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
