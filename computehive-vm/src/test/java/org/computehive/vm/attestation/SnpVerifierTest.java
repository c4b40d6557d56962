package org.computehive.vm.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.computehive.rental.AttestationException;
import org.computehive.vm.attestation.SnpPolicy.Revocation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Reports over chains of the test's own, of every line of processors; AMD's own samples are read by {@link PublicSamples}. */
class SnpVerifierTest {
    private static final AmdChain MILAN = new AmdChain(SnpProduct.MILAN, false);

    private static SnpPolicy policy(AmdChain chain, Revocation revocation) {
        return new SnpPolicy(
                Map.of("demo", Set.of("ab".repeat(48))),
                Map.of(chain.product, AmdChain.tcb(chain.product)),
                Map.of(chain.product, chain.pin()),
                Set.of("example-cloud"),
                true,
                revocation);
    }

    private static SnpVerifier.Verified verify(AmdChain chain, byte[] report) {
        return verify(policy(chain, new Revocation.Unchecked()), chain.certificates(), report);
    }

    private static SnpVerifier.Verified verify(SnpPolicy policy, List<X509Certificate> certificates, byte[] report) {
        return new SnpVerifier(policy, () -> AmdChain.NOW).verify("demo", report, certificates, AmdChain.REPORT_DATA);
    }

    private static void refused(String failed, Runnable work) {
        var refused = assertThrows(AttestationException.class, work::run);
        assertEquals(failed, refused.failed(), refused::getMessage);
    }

    @ParameterizedTest
    @EnumSource(SnpProduct.class)
    void report_signedByItsChip_isVerified(SnpProduct product) {
        var chain = new AmdChain(product, false);
        SnpVerifier.Verified verified = verify(chain, chain.sign(chain.report()));
        assertEquals(product, verified.product());
        assertEquals(SnpReport.Key.VCEK, verified.key());
        assertEquals(AmdChain.tcb(product), verified.tcb());
        assertEquals("not checked", verified.facts().get("revocation"));
    }

    @ParameterizedTest
    @EnumSource(SnpProduct.class)
    void report_signedByALoadedKey_isVerifiedForAcceptedProvidersAlone(SnpProduct product) {
        var chain = new AmdChain(product, true);
        byte[] report = chain.sign(chain.report());
        assertEquals(SnpReport.Key.VLEK, verify(chain, report).key());
        SnpPolicy all = policy(chain, new Revocation.Unchecked());
        var nobodys =
                new SnpPolicy(all.measurements(), all.minimum(), all.roots(), Set.of(), all.smt(), all.revocation());
        refused("provider", () -> verify(nobodys, chain.certificates(), report));
    }

    @ParameterizedTest
    @EnumSource(SnpProduct.class)
    void everyByteOfAReport_changed_isRefused(SnpProduct product) {
        var chain = new AmdChain(product, false);
        byte[] report = chain.sign(chain.report());
        for (int at = 0; at < report.length; at++) {
            byte[] changed = report.clone();
            changed[at] ^= (byte) (1 << at % 8);
            int where = at;
            assertThrows(AttestationException.class, () -> verify(chain, changed), () -> "byte " + where);
        }
    }

    static Stream<Arguments> wrongFields() {
        return Stream.of(
                field("debug policy", report -> report.putLong(0x08, 0xb0000L)),
                field("migration policy", report -> report.putLong(0x08, 0x70000L)),
                field("policy", report -> report.putLong(0x08, 0x10000L)),
                field("policy", report -> report.putLong(0x08, 0x430000L << 8)),
                field("vmpl", report -> report.putInt(0x30, 1)),
                field("vmpl", report -> report.putInt(0x30, -1)),
                field("measurement", report -> report.put(0x90, (byte) 0)),
                field("report data", report -> report.put(0x50 + 63, (byte) 0)),
                field("chip id", report -> report.put(0x1a0 + 63, (byte) 0)),
                field("chip id", report -> report.put(0x1a0, new byte[64])),
                field("tcb", report -> report.put(0x180 + 7, (byte) 212)),
                field("tcb", report -> report.put(0x180 + 3, (byte) 1)),
                field("minimum tcb", report -> report.put(0x38 + 7, (byte) 210)),
                field("minimum tcb", report -> report.put(0x1e0 + 6, (byte) 24)),
                field("minimum tcb", report -> report.put(0x1f0, (byte) 3)),
                field("processor", report -> report.put(0x188, (byte) 0x1a)),
                field("signing key", report -> report.putInt(0x48, 7 << 2)),
                field("certificate chain", report -> report.putInt(0x48, 1 << 2)),
                field("report version", report -> report.putInt(0, 1)),
                field("report version", report -> report.putInt(0, 6)),
                field("signature algorithm", report -> report.putInt(0x34, 2)));
    }

    private static Arguments field(String failed, Consumer<ByteBuffer> change) {
        return Arguments.of(failed, change);
    }

    @ParameterizedTest
    @MethodSource("wrongFields")
    void field_thatIsWrongThoughTheChipSignedIt_isRefusedByName(String failed, Consumer<ByteBuffer> change) {
        ByteBuffer report = MILAN.report();
        change.accept(report);
        refused(failed, () -> verify(MILAN, MILAN.sign(report)));
    }

    @Test
    void reservedBytesOfTheTcb_ofTurin_areElsewhere() {
        var turin = new AmdChain(SnpProduct.TURIN, false);
        ByteBuffer report = turin.report();
        report.put(0x180 + 6, (byte) 25);
        refused("tcb", () -> verify(turin, turin.sign(report)));
        ByteBuffer old = turin.report();
        old.put(0x180, MILAN.tcbBytes(AmdChain.tcb(SnpProduct.MILAN)));
        refused("tcb", () -> verify(turin, turin.sign(old)));
    }

    @Test
    void signatureOfAnotherKey_isRefused() {
        byte[] report = MILAN.sign(MILAN.report(), AmdChain.ec("secp384r1").getPrivate());
        refused("report signature", () -> verify(MILAN, report));
    }

    @Test
    void chain_thatIsNotAsAmdMakesIt_isRefused() {
        byte[] report = MILAN.sign(MILAN.report());
        SnpPolicy policy = policy(MILAN, new Revocation.Unchecked());
        X509Certificate signer = MILAN.signer;
        X509Certificate signing = MILAN.signing;
        X509Certificate root = MILAN.root;
        var genoa = new AmdChain(SnpProduct.GENOA, false);
        refused("certificate chain", () -> verify(policy, List.of(signer, root), report));
        refused("certificate chain", () -> verify(policy, List.of(signer, root, root), report));
        refused("certificate chain", () -> verify(policy, List.of(signing, signing, root), report));
        refused("certificate chain", () -> verify(policy, List.of(genoa.signer, signing, root), report));
        refused("certificate chain", () -> verify(policy, List.of(signer, genoa.signing, root), report));
        refused("root certificate", () -> verify(policy, List.of(signer, signing, genoa.root), report));
        var amd = new SnpPolicy(
                policy.measurements(), policy.minimum(), SnpPolicy.AMD_ROOTS, Set.of(), true, policy.revocation());
        refused("root certificate", () -> verify(amd, MILAN.certificates(), report));
    }

    @Test
    void certificate_thatIsOver_isRefused() {
        var old = new AmdChain(
                SnpProduct.MILAN,
                false,
                AmdChain.tcb(SnpProduct.MILAN),
                MILAN.signer.getPublicKey(),
                AmdChain.NOW.minusSeconds(1));
        refused("certificate validity", () -> verify(old, MILAN.sign(MILAN.report())));
    }

    @Test
    void signersKey_onAnotherCurve_isRefused() {
        var other = new AmdChain(
                SnpProduct.MILAN,
                false,
                AmdChain.tcb(SnpProduct.MILAN),
                AmdChain.ec("secp256r1").getPublic(),
                AmdChain.NOW.plusSeconds(60));
        refused("signer's key", () -> verify(other, MILAN.sign(MILAN.report())));
    }

    @Test
    void revocationLists_areAskedAndMustBeCurrent() {
        byte[] report = MILAN.sign(MILAN.report());
        Instant tomorrow = AmdChain.NOW.plusSeconds(86_400);
        var genoa = new AmdChain(SnpProduct.GENOA, false);
        assertTrue(verify(listed(MILAN.list(tomorrow, 8)), MILAN.certificates(), report)
                .revocation()
                .startsWith("none, by AMD's list of"));
        refused("revocation", () -> verify(listed(MILAN.list(tomorrow, 7)), MILAN.certificates(), report));
        refused(
                "revocation",
                () -> verify(listed(MILAN.list(AmdChain.NOW.minusSeconds(1))), MILAN.certificates(), report));
        refused("revocation", () -> verify(listed(genoa.list(tomorrow)), MILAN.certificates(), report));
        byte[] forged = MILAN.list(tomorrow, 8);
        forged[forged.length - 9] ^= 1;
        refused("revocation", () -> verify(listed(forged), MILAN.certificates(), report));
        var none = policy(MILAN, new Revocation.Lists(Map.of()));
        refused("revocation", () -> verify(none, MILAN.certificates(), report));
    }

    private static SnpPolicy listed(byte[] list) {
        return policy(MILAN, new Revocation.Lists(Map.of(SnpProduct.MILAN, list)));
    }

    @Test
    void policy_thatNamesNeitherTheImageNorTheProcessor_refuses() {
        byte[] report = MILAN.sign(MILAN.report());
        SnpPolicy all = policy(MILAN, new Revocation.Unchecked());
        var verifier = new SnpVerifier(all, () -> AmdChain.NOW);
        refused("measurement", () -> verifier.verify("other", report, MILAN.certificates(), AmdChain.REPORT_DATA));
        refused("report data", () -> verifier.verify("demo", report, MILAN.certificates(), new byte[0]));
        var noMinimum = new SnpPolicy(all.measurements(), Map.of(), all.roots(), Set.of(), true, all.revocation());
        refused("processor", () -> verify(noMinimum, MILAN.certificates(), report));
        var noSmt = new SnpPolicy(all.measurements(), all.minimum(), all.roots(), Set.of(), false, all.revocation());
        refused("smt policy", () -> verify(noSmt, MILAN.certificates(), report));
    }

    @Test
    void report_ofAnotherSize_isRefused() {
        refused("report", () -> verify(MILAN, new byte[SnpReport.SIZE - 1]));
        refused("report", () -> verify(MILAN, new byte[0]));
    }
}
