package org.computehive.vm.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.computehive.rental.AttestationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Quotes of a chain of the test's own, good and with every field wrong in turn. */
class TdxVerifierTest {
    private static final TdxPolicy.Revocation UNCHECKED = new TdxPolicy.Revocation.Unchecked();
    private static final List<Integer> MODULE = List.of(3, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private final IntelChain chain = new IntelChain();

    private static TdxPolicy.Minimum minimum() {
        return new TdxPolicy.Minimum(Map.of(0, MODULE), IntelChain.COMPONENTS, IntelChain.PCE, IntelChain.QUOTER);
    }

    private TdxPolicy policy(TdxPolicy.Minimum minimum, boolean violations, TdxPolicy.Revocation revocation) {
        return new TdxPolicy(
                Map.of("demo", Set.of(IntelChain.measurement())),
                Map.of(IntelChain.PLATFORM, minimum),
                chain.pin(),
                violations,
                revocation);
    }

    private TdxVerifier verifier(TdxPolicy policy) {
        return new TdxVerifier(policy, () -> IntelChain.NOW);
    }

    private TdxVerifier verifier() {
        return verifier(policy(minimum(), false, UNCHECKED));
    }

    private static void refused(String failed, TdxVerifier verifier, byte[] quote) {
        var refused =
                assertThrows(AttestationException.class, () -> verifier.verify("demo", quote, IntelChain.REPORT_DATA));
        assertEquals(failed, refused.failed(), refused::getMessage);
    }

    @Test
    void goodQuote_isVerified() {
        Map<String, String> facts = verifier().verify("demo", chain.quote(IntelChain.body()), IntelChain.REPORT_DATA);
        assertEquals("TDX, platform " + IntelChain.PLATFORM, facts.get("hardware"));
        assertEquals("ab".repeat(48), facts.get("measurement"));
        assertEquals("not checked", facts.get("revocation"));
    }

    /** All of it counts but the text around the certificates, where a byte may be a space as well as a line's end. */
    @Test
    void everyByteBeforeTheCertificates_changedInTurn_isRefused() {
        byte[] good = chain.quote(IntelChain.body());
        int certificates = new String(good, StandardCharsets.ISO_8859_1).indexOf("-----BEGIN");
        for (int at = 0; at < certificates; at++) {
            byte[] changed = good.clone();
            changed[at] ^= 1;
            assertThrows(
                    AttestationException.class,
                    () -> verifier().verify("demo", changed, IntelChain.REPORT_DATA),
                    "byte " + at);
        }
        for (int length = 0; length < good.length - 9; length += 97) {
            byte[] cut = Arrays.copyOf(good, length);
            assertThrows(AttestationException.class, () -> verifier().verify("demo", cut, IntelChain.REPORT_DATA));
        }
        byte[] more = good.clone();
        more[more.length - 1] = 1;
        refused("quote", verifier(), more);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 5, quote", // another version
        "2, 3, quote",
        "4, 0, quote", // SGX
        "12, 0, quoting enclave", // another vendor
        "48, 2, minimum tcb", // an older module
        "49, 1, minimum tcb", // a major version that nobody named
        "112, 1, tdx module", // not signed by Intel
        "160, 1, tdx module", // a module that may be debugged
        "168, 1, debug policy",
        "184, 0, measurement",
        "376, 0, measurement",
        "424, 0, measurement",
        "472, 0, measurement",
        "568, 0, report data"
    })
    void signedField_thatIsWrong_isRefusedByItsName(int at, int value, String failed) {
        ByteBuffer body = IntelChain.body();
        body.put(at, (byte) value);
        refused(failed, verifier(), chain.quote(body));
    }

    @Test
    void attributes_thatLetTheHostIn_areRefused() {
        Map<Long, String> odd = Map.of(
                1L << 28 | 1,
                "debug policy",
                1L << 28 | 1 << 4,
                "debug policy",
                1L << 28 | 1 << 29,
                "migration policy",
                1L << 28 | 1L << 40,
                "policy",
                0L,
                "policy",
                1L << 30,
                "policy");
        odd.forEach((bits, failed) -> {
            ByteBuffer body = IntelChain.body();
            body.putLong(48 + 120, bits);
            refused(failed, verifier(), chain.quote(body));
        });
        ByteBuffer body = IntelChain.body();
        body.putLong(48 + 120, 1L << 30);
        TdxVerifier lenient = verifier(policy(minimum(), true, UNCHECKED));
        assertEquals(
                "0x40000000",
                lenient.verify("demo", chain.quote(body), IntelChain.REPORT_DATA)
                        .get("policy"));
    }

    @Test
    void quotingEnclave_thatIsNotIntelsOrMayBeDebuggedOrIsOld_isRefused() {
        byte[] data = AmdChain.bytes(32, 0x77);
        Map<Integer, String> odd = Map.of(
                48, "quoting enclave", // the debug bit
                128, "quoting enclave", // another signer
                256, "quoting enclave", // another product
                258, "minimum tcb",
                320, "attestation key", // another key
                352, "attestation key");
        odd.forEach((at, failed) -> {
            ByteBuffer enclave = chain.enclave(data);
            enclave.put(at, (byte) (at == 48 ? 0x17 : at == 258 ? IntelChain.QUOTER - 1 : enclave.get(at) ^ 1));
            refused(failed, verifier(), chain.quote(IntelChain.body(), enclave, data));
        });
    }

    @Test
    void platform_belowTheMinimumOrUnknown_isRefused() {
        byte[] quote = chain.quote(IntelChain.body());
        for (int at = 0; at < 16; at++) {
            var higher = new ArrayList<>(IntelChain.COMPONENTS);
            higher.set(at, higher.get(at) + 1);
            var least = new TdxPolicy.Minimum(Map.of(0, MODULE), higher, 0, 0);
            refused("minimum tcb", verifier(policy(least, false, UNCHECKED)), quote);
        }
        var pce = new TdxPolicy.Minimum(Map.of(0, MODULE), IntelChain.COMPONENTS, IntelChain.PCE + 1, 0);
        refused("minimum tcb", verifier(policy(pce, false, UNCHECKED)), quote);
        var elsewhere = new TdxPolicy(
                Map.of("demo", Set.of(IntelChain.measurement())),
                Map.of("00906ed50000", minimum()),
                chain.pin(),
                false,
                UNCHECKED);
        refused("processor", verifier(elsewhere), quote);
        assertThrows(IllegalArgumentException.class, () -> new TdxPolicy.Minimum(Map.of(0, List.of(1)), MODULE, 0, 0));
    }

    @Test
    void chain_ofAnotherRootOrAuthorityOrOutOfDate_isRefused() {
        byte[] quote = chain.quote(IntelChain.body());
        var intel = new TdxPolicy(
                Map.of("demo", Set.of(IntelChain.measurement())),
                Map.of(IntelChain.PLATFORM, minimum()),
                TdxPolicy.INTEL_ROOT,
                false,
                UNCHECKED);
        refused("root certificate", verifier(intel), quote);
        for (Instant now : List.of(IntelChain.NOW.plusSeconds(90_000), IntelChain.NOW.minusSeconds(90_000))) {
            refused("certificate validity", new TdxVerifier(policy(minimum(), false, UNCHECKED), () -> now), quote);
        }
    }

    @Test
    void certificate_ofAnotherNameOrKey_isRefused() {
        Map<IntelChain, String> odd = Map.of(
                new IntelChain("Somebody's CA", "Intel SGX PCK Certificate", AmdChain.ec("secp256r1")),
                        "certificate chain",
                new IntelChain(IntelChain.AUTHORITY, "Intel SGX TCB Signing", AmdChain.ec("secp256r1")),
                        "certificate chain",
                new IntelChain(IntelChain.AUTHORITY, "Intel SGX PCK Certificate", AmdChain.ec("secp384r1")),
                        "signer's key",
                new IntelChain(IntelChain.AUTHORITY, "Intel SGX PCK Certificate", AmdChain.ec("secp256r1")),
                        "enclave's signature");
        odd.forEach((other, failed) -> {
            var policy = new TdxPolicy(
                    Map.of("demo", Set.of(IntelChain.measurement())),
                    Map.of(IntelChain.PLATFORM, minimum()),
                    other.pin(),
                    false,
                    UNCHECKED);
            refused(failed, verifier(policy), other.quote(IntelChain.body()));
        });
    }

    @Test
    void revocationLists_decide() {
        byte[] quote = chain.quote(IntelChain.body());
        Instant later = IntelChain.NOW.plusSeconds(60);
        byte[] root = IntelChain.ofRoot(later);
        byte[] authority = IntelChain.ofAuthority(later);
        assertTrue(verifier(listed(root, authority))
                .verify("demo", quote, IntelChain.REPORT_DATA)
                .get("revocation")
                .startsWith("none, by Intel's lists"));
        for (TdxPolicy policy : List.of(
                listed(IntelChain.ofRoot(later, IntelChain.AUTHORITY_NUMBER), authority),
                listed(root, IntelChain.ofAuthority(later, IntelChain.PLATFORM_NUMBER)),
                listed(IntelChain.ofRoot(IntelChain.NOW.minusSeconds(1)), authority),
                listed(root, root),
                listed(root, new byte[] {1}),
                policy(minimum(), false, new TdxPolicy.Revocation.Lists(root, Map.of())))) {
            refused("revocation", verifier(policy), quote);
        }
    }

    private TdxPolicy listed(byte[] root, byte[] authority) {
        return policy(minimum(), false, new TdxPolicy.Revocation.Lists(root, Map.of(IntelChain.AUTHORITY, authority)));
    }

    @Test
    void image_thatIsNotInThePolicy_andOtherReportData_areRefused() {
        byte[] quote = chain.quote(IntelChain.body());
        var unknown = assertThrows(
                AttestationException.class, () -> verifier().verify("other", quote, IntelChain.REPORT_DATA));
        assertEquals("measurement", unknown.failed());
        for (byte[] data : List.of(new byte[64], new byte[0], Arrays.copyOf(IntelChain.REPORT_DATA, 63))) {
            var refused =
                    assertThrows(AttestationException.class, () -> verifier().verify("demo", quote, data));
            assertEquals("report data", refused.failed());
        }
    }
}
