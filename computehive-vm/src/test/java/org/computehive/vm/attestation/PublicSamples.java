package org.computehive.vm.attestation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.computehive.rental.AttestationException;
import org.junit.jupiter.api.Test;

/**
 * Reports of real processors, which are not part of this repository. To run it, lay these into a folder and name it: {@code -Dtest=PublicSamples
 * -Dcomputehive.attestation-samples=FOLDER}.
 *
 * <ul>
 *   <li>{@code virtee_report_milan.bin} (the bytes of {@code report_milan.hex}) and {@code virtee_vcek_milan.der}: virtee/sev, {@code
 *       tests/certs_data}, Apache-2.0
 *   <li>{@code go-sev-guest_attestation.bin} and {@code go-sev-guest_vcek.der}: google/go-sev-guest, {@code verify/testdata},
 *       Apache-2.0; its guest may be debugged
 *   <li>{@code go-tdx-guest_quote.dat}: google/go-tdx-guest, {@code testing/testdata/tdx_prod_quote_SPR_E4.dat}, Apache-2.0
 *   <li>{@code amd_ark_ask_milan.pem}: AMD's signing key and root, {@code https://kdsintf.amd.com/vcek/v1/Milan/cert_chain}
 * </ul>
 */
class PublicSamples {
    private static final Path FOLDER = Path.of(Objects.requireNonNull(
            System.getProperty("computehive.attestation-samples"),
            "say where the samples lie: -Dcomputehive.attestation-samples=FOLDER"));
    private static final Instant NOW = Instant.parse("2026-11-23T00:00:00Z");

    private static byte[] bytes(String name) throws IOException {
        return Files.readAllBytes(FOLDER.resolve(name));
    }

    private static List<X509Certificate> chain(String signer) throws IOException, CertificateException {
        var factory = CertificateFactory.getInstance("X.509");
        var chain = new ArrayList<X509Certificate>();
        for (Path file : List.of(FOLDER.resolve(signer), FOLDER.resolve("amd_ark_ask_milan.pem"))) {
            try (var in = Files.newInputStream(file)) {
                factory.generateCertificates(in).forEach(one -> chain.add((X509Certificate) one));
            }
        }
        return chain;
    }

    private static SnpVerifier verifier(SnpReport report) {
        return new SnpVerifier(
                new SnpPolicy(
                        Map.of("sample", Set.of(report.measurement())),
                        Map.of(SnpProduct.MILAN, SnpTcb.ZERO),
                        SnpPolicy.AMD_ROOTS,
                        Set.of(),
                        true,
                        new SnpPolicy.Revocation.Unchecked()),
                () -> NOW);
    }

    @Test
    void virteesReport_isVerified_andWithAnyByteChangedRefused() throws Exception {
        byte[] bytes = bytes("virtee_report_milan.bin");
        SnpReport report = SnpReport.read(bytes);
        List<X509Certificate> chain = chain("virtee_vcek_milan.der");
        SnpVerifier.Verified verified = verifier(report).verify("sample", bytes, chain, report.reportData());
        assertEquals(SnpProduct.MILAN, verified.product());
        assertEquals(new SnpTcb(0, 3, 0, 8, 115), verified.tcb());
        assertArrayEquals(report.chipId(), verified.report().chipId());
        for (int at = 0; at < bytes.length; at++) {
            byte[] changed = bytes.clone();
            changed[at] ^= 1;
            assertThrows(
                    AttestationException.class,
                    () -> verifier(report).verify("sample", changed, chain, report.reportData()),
                    "byte " + at);
        }
    }

    @Test
    void goSevGuestsReport_whoseGuestMayBeDebugged_isRefused() throws Exception {
        byte[] bytes = bytes("go-sev-guest_attestation.bin");
        SnpReport report = SnpReport.read(bytes);
        List<X509Certificate> chain = chain("go-sev-guest_vcek.der");
        var refused = assertThrows(
                AttestationException.class, () -> verifier(report).verify("sample", bytes, chain, report.reportData()));
        assertTrue(Set.of("debug policy").contains(refused.failed()), refused::getMessage);
    }

    @Test
    void virteesReport_withTheCertificateOfAnotherChip_isRefused() throws Exception {
        byte[] bytes = bytes("virtee_report_milan.bin");
        SnpReport report = SnpReport.read(bytes);
        List<X509Certificate> chain = chain("go-sev-guest_vcek.der");
        assertThrows(
                AttestationException.class, () -> verifier(report).verify("sample", bytes, chain, report.reportData()));
    }

    @Test
    void goTdxGuestsQuote_isVerifiedByIntelsRoot_andWithAnyByteChangedRefused() throws Exception {
        byte[] file = bytes("go-tdx-guest_quote.dat");
        assertThrows(AttestationException.class, () -> TdxQuote.read(file), "a text of its own follows the quote");
        byte[] bytes = Arrays.copyOf(file, file.length - "\nextra bytes(only for testing purpose)\n".length());
        TdxQuote quote = TdxQuote.read(bytes);
        PckTcb tcb = PckTcb.of(quote.chain().getFirst());
        assertEquals(List.of(3, 3, 2, 2, 2, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0), tcb.components());
        assertEquals(11, tcb.pce());
        var measurement =
                new TdxPolicy.Measurement(quote.measurement(), quote.measured(0), quote.measured(1), quote.measured(2));
        var policy = new TdxPolicy(
                Map.of("sample", Set.of(measurement)),
                Map.of("50806f000000", new TdxPolicy.Minimum(Map.of(0, quote.module()), tcb.components(), 11, 4)),
                TdxPolicy.INTEL_ROOT,
                true,
                new TdxPolicy.Revocation.Unchecked());
        var verifier = new TdxVerifier(policy, () -> NOW);
        Map<String, String> facts = verifier.verify("sample", bytes, quote.reportData());
        assertEquals("TDX, platform 50806f000000", facts.get("hardware"));
        for (int at = 0; at < TdxQuote.SIGNED + 4 + 128 + 6 + 384 + 64 + 2 + 32; at++) {
            byte[] changed = bytes.clone();
            changed[at] ^= 1;
            assertThrows(
                    AttestationException.class,
                    () -> verifier.verify("sample", changed, quote.reportData()),
                    "byte " + at);
        }
    }
}
