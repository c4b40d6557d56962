package org.computehive.vm.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.computehive.market.MachineShape;
import org.computehive.market.PciAddress;
import org.computehive.rental.AttestationException;
import org.computehive.rental.Challenge;
import org.computehive.rental.Evidence;
import org.computehive.rental.Evidence.Document;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.Test;

/** A guest's whole answer: its processor's report and its gpus' tokens, bound to its keys and the start it was asked in. */
class HardwareAttestorTest {
    private final AmdChain chain = new AmdChain(SnpProduct.GENOA, false);
    private final GpuTokens service = new GpuTokens();
    private final RentalId rental = RentalId.random();
    private final Challenge challenge =
            new Challenge(rental, "0f".repeat(32), "user authority", "host authority", rental.principal());
    private final HardwareAttestor attestor = new HardwareAttestor(
            new SnpVerifier(
                    new SnpPolicy(
                            Map.of("demo", Set.of("ab".repeat(48))),
                            Map.of(SnpProduct.GENOA, SnpTcb.ZERO),
                            Map.of(SnpProduct.GENOA, chain.pin()),
                            Set.of(),
                            true,
                            new SnpPolicy.Revocation.Unchecked()),
                    () -> AmdChain.NOW),
            new NvidiaVerifier(
                    new NvidiaPolicy(GpuTokens.ISSUER, service.jwks(), Set.of("GH100"), Duration.ofMinutes(5)),
                    () -> GpuTokens.NOW));

    private VmSpec spec(int gpus) {
        return new VmSpec(
                rental,
                AmdChain.NOW.plusSeconds(3600),
                new MachineShape(1, 256, 64, "demo"),
                IntStream.range(0, gpus)
                        .mapToObj(number -> new PciAddress("0000:0%d:00.0".formatted(number)))
                        .toList(),
                VmSpec.GuestAccess.confidential("user authority", rental.principal()));
    }

    private Document report(Challenge asked, Evidence keys) {
        ByteBuffer report = chain.report();
        report.put(0x50, asked.reportData(keys));
        return new Document(
                "sev-snp",
                Base64.getEncoder().encodeToString(chain.sign(report)),
                chain.certificates().stream().map(HardwareAttestorTest::base64).toList());
    }

    private Document tokens(Challenge asked, Evidence keys, String... ueids) {
        var tokens = new LinkedHashMap<String, String>();
        String nonce = HexFormat.of().formatHex(asked.gpuNonce(keys));
        for (String ueid : ueids) {
            Map<String, Object> gpu = GpuTokens.gpu(ueid);
            gpu.put("eat_nonce", nonce);
            tokens.put("GPU-" + tokens.size(), service.token(gpu));
        }
        Map<String, Object> overall = GpuTokens.overall(tokens);
        overall.put("eat_nonce", nonce);
        return new Document("nvidia-gpu", service.bundle(overall, tokens), List.of());
    }

    private static String base64(X509Certificate certificate) {
        try {
            return Base64.getEncoder().encodeToString(certificate.getEncoded());
        } catch (CertificateEncodingException e) {
            throw new AssertionError(e);
        }
    }

    private static Evidence keys(Document... documents) {
        return new Evidence("host key", "release key", List.of(documents));
    }

    private void refused(String failed, VmSpec spec, Evidence evidence) {
        var refused = assertThrows(AttestationException.class, () -> attestor.verify(spec, challenge, evidence));
        assertEquals(failed, refused.failed(), refused::getMessage);
    }

    @Test
    void guest_whoseProcessorAndGpusAttest_isVerified() {
        Evidence evidence = keys(report(challenge, keys()), tokens(challenge, keys(), "1", "2"));
        Map<String, String> facts = attestor.verify(spec(2), challenge, evidence);
        assertEquals("SEV-SNP Genoa", facts.get("hardware"));
        assertEquals("GH100 A01 GSP BROM, driver 570.44, VBIOS 96.00.9F.00.01", facts.get("gpu 2"));
    }

    @Test
    void guest_withAnotherNumberOfGpus_isRefused() {
        refused("gpu count", spec(2), keys(report(challenge, keys()), tokens(challenge, keys(), "1")));
        refused("nvidia-gpu", spec(1), keys(report(challenge, keys())));
        Evidence none = keys(report(challenge, keys()));
        assertEquals("SEV-SNP Genoa", attestor.verify(spec(0), challenge, none).get("hardware"));
    }

    @Test
    void evidence_ofAnotherStartOrOtherKeys_isRefused() {
        var earlier = new Challenge(rental, "0e".repeat(32), "user authority", "host authority", rental.principal());
        var lenders = new Challenge(rental, challenge.nonce(), "lender's", "host authority", rental.principal());
        refused("report data", spec(0), keys(report(earlier, keys())));
        refused("report data", spec(0), keys(report(lenders, keys())));
        refused("gpu nonce", spec(1), keys(report(challenge, keys()), tokens(earlier, keys(), "1")));
        var swapped = new Evidence("another host key", "release key", List.of(report(challenge, keys())));
        refused("report data", spec(0), swapped);
    }

    @Test
    void documents_missingTwiceOrOfUnknownKind_areRefused() {
        Document good = report(challenge, keys());
        refused("sev-snp", spec(0), keys());
        refused("sev-snp", spec(0), keys(good, good));
        refused("sev-snp", spec(0), keys(new Document("tdx", good.body(), good.certificates())));
        refused("report", spec(0), keys(new Document("sev-snp", "?", good.certificates())));
        refused("certificate", spec(0), keys(new Document("sev-snp", good.body(), List.of("AAAA"))));
    }

    @Test
    void tdxQuote_countsOnlyWhereItIsVerified_andAloneOfItsKind() {
        var intel = new IntelChain();
        ByteBuffer body = IntelChain.body();
        body.put(48 + 520, challenge.reportData(keys()));
        var quote = new Document("tdx", Base64.getEncoder().encodeToString(intel.quote(body)), List.of());
        var least = new TdxPolicy.Minimum(Map.of(0, Collections.nCopies(16, 0)), Collections.nCopies(16, 0), 0, 0);
        HardwareAttestor both = attestor.withTdx(new TdxVerifier(
                new TdxPolicy(
                        Map.of("demo", Set.of(IntelChain.measurement())),
                        Map.of(IntelChain.PLATFORM, least),
                        intel.pin(),
                        false,
                        new TdxPolicy.Revocation.Unchecked()),
                () -> IntelChain.NOW));
        assertEquals(
                "TDX, platform " + IntelChain.PLATFORM,
                both.verify(spec(0), challenge, keys(quote)).get("hardware"));
        assertEquals(
                "SEV-SNP Genoa",
                both.verify(spec(0), challenge, keys(report(challenge, keys()))).get("hardware"));
        refused("sev-snp", spec(0), keys(quote));
        var earlier = new Challenge(rental, "0e".repeat(32), "user authority", "host authority", rental.principal());
        for (Map.Entry<String, Evidence> odd : Map.of(
                        "tdx", keys(quote, quote),
                        "quote", keys(new Document("tdx", "?", List.of())),
                        "nvidia-gpu", keys(quote))
                .entrySet()) {
            var failed = assertThrows(
                    AttestationException.class,
                    () -> both.verify(spec(odd.getKey().equals("nvidia-gpu") ? 1 : 0), challenge, odd.getValue()));
            assertEquals(odd.getKey(), failed.failed());
        }
        var stale = assertThrows(AttestationException.class, () -> both.verify(spec(0), earlier, keys(quote)));
        assertEquals("report data", stale.failed());
    }
}
