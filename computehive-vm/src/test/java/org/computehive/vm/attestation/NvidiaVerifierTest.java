package org.computehive.vm.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.computehive.rental.AttestationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class NvidiaVerifierTest {
    private final GpuTokens service = new GpuTokens();
    private final NvidiaVerifier verifier = new NvidiaVerifier(
            new NvidiaPolicy(GpuTokens.ISSUER, service.jwks(), Set.of("GH100"), Duration.ofMinutes(5)),
            () -> GpuTokens.NOW);

    private void refused(String failed, String bundle) {
        var refused = assertThrows(AttestationException.class, () -> verifier.verify(bundle, GpuTokens.NONCE));
        assertEquals(failed, refused.failed(), refused::getMessage);
    }

    @Test
    void bundle_ofTwoGpus_isVerified() {
        String bundle = service.bundle(List.of(GpuTokens.gpu("1"), GpuTokens.gpu("2")));
        assertEquals(
                List.of(
                        new NvidiaVerifier.AttestedGpu("1", "GH100 A01 GSP BROM", "570.44", "96.00.9F.00.01"),
                        new NvidiaVerifier.AttestedGpu("2", "GH100 A01 GSP BROM", "570.44", "96.00.9F.00.01")),
                verifier.verify(bundle, GpuTokens.NONCE));
    }

    static Stream<Arguments> wrongClaims() {
        long now = GpuTokens.NOW.getEpochSecond();
        return Stream.of(
                Arguments.of("gpu nonce", "eat_nonce", "00".repeat(32)),
                Arguments.of("gpu nonce", "eat_nonce", ""),
                Arguments.of("gpu measurement", "measres", "fail"),
                Arguments.of("gpu debug", "dbgstat", "enabled"),
                Arguments.of("gpu secure boot", "secboot", false),
                Arguments.of("gpu secure boot", "secboot", "true"),
                Arguments.of("gpu model", "hwmodel", "GA100"),
                Arguments.of("gpu issuer", "iss", "https://nras.example.com"),
                Arguments.of("gpu token time", "exp", now),
                Arguments.of("gpu token time", "iat", now - 301),
                Arguments.of("gpu token time", "iat", now + 600),
                Arguments.of("gpu token time", "nbf", now + 600),
                Arguments.of("gpu token time", "exp", "never"),
                Arguments.of("gpu id", "ueid", ""),
                Arguments.of("gpu claim", "x-nvidia-gpu-attestation-report-nonce-match", false),
                Arguments.of("gpu claim", "x-nvidia-gpu-attestation-report-signature-verified", false),
                Arguments.of("gpu claim", "x-nvidia-gpu-vbios-rim-version-match", false),
                Arguments.of(
                        "gpu certificates",
                        "x-nvidia-gpu-driver-rim-cert-chain",
                        Map.of("x-nvidia-cert-status", "revoked")));
    }

    @ParameterizedTest
    @MethodSource("wrongClaims")
    void claim_thatIsWrongThoughSigned_isRefusedByName(String failed, String claim, Object value) {
        Map<String, Object> gpu = GpuTokens.gpu("1");
        gpu.put(claim, value);
        refused(failed, service.bundle(List.of(gpu)));
    }

    @Test
    void everyClaimThatCounts_missing_isRefused() {
        for (String claim : GpuTokens.gpu("1").keySet()) {
            if (claim.endsWith("driver-version") || claim.endsWith("vbios-version")) {
                continue; // told, not judged: NVIDIA's reference values judged them
            }
            Map<String, Object> gpu = GpuTokens.gpu("1");
            gpu.remove(claim);
            String bundle = service.bundle(List.of(gpu));
            assertThrows(AttestationException.class, () -> verifier.verify(bundle, GpuTokens.NONCE), claim);
        }
    }

    @Test
    void everyCharacterOfABundle_changed_isRefused() {
        String bundle = service.bundle(List.of(GpuTokens.gpu("1")));
        for (int at = 0; at < bundle.length(); at++) {
            char[] text = bundle.toCharArray();
            text[at] = text[at] == 'A' ? 'B' : 'A';
            var changed = new String(text);
            int where = at;
            assertThrows(
                    AttestationException.class,
                    () -> verifier.verify(changed, GpuTokens.NONCE),
                    () -> "character " + where + " of " + bundle);
        }
    }

    @Test
    void overallResult_thatIsNotTrue_isRefused() {
        Map<String, String> tokens = Map.of("GPU-0", service.token(GpuTokens.gpu("1")));
        Map<String, Object> overall = GpuTokens.overall(tokens);
        overall.put("x-nvidia-overall-att-result", false);
        refused("gpu result", service.bundle(overall, tokens));
        overall.put("x-nvidia-overall-att-result", "true");
        refused("gpu result", service.bundle(overall, tokens));
    }

    @Test
    void tokens_thatTheOverallOneDoesNotName_areRefused() {
        String one = service.token(GpuTokens.gpu("1"));
        String two = service.token(GpuTokens.gpu("2"));
        Map<String, Object> overall = GpuTokens.overall(Map.of("GPU-0", one));
        refused("gpu token", service.bundle(overall, Map.of("GPU-0", two)));
        refused("gpu token", service.bundle(overall, Map.of("GPU-1", one)));
        refused("gpu token", service.bundle(overall, Map.of("GPU-0", one, "GPU-1", two)));
        refused("gpu token", service.bundle(GpuTokens.overall(Map.of()), Map.of()));
        var twice = new LinkedHashMap<String, String>();
        twice.put("GPU-0", one);
        twice.put("GPU-1", one);
        refused("gpu id", service.bundle(GpuTokens.overall(twice), twice));
    }

    @Test
    void header_thatAsksForSomethingElse_isRefused() {
        for (String header : List.of(
                "{\"alg\":\"none\",\"kid\":\"one\"}",
                "{\"alg\":\"HS384\",\"kid\":\"one\"}",
                "{\"alg\":\"ES384\",\"kid\":\"two\"}",
                "{\"alg\":\"ES384\"}",
                "{\"alg\":\"ES384\",\"kid\":\"one\",\"crit\":[\"b64\"],\"b64\":false}")) {
            service.header = header;
            refused("gpu token", service.bundle(List.of(GpuTokens.gpu("1"))));
        }
    }

    @Test
    void keyOfAnother_underTheSameName_isRefused() {
        refused("gpu token", new GpuTokens().bundle(List.of(GpuTokens.gpu("1"))));
    }

    @Test
    void whatIsNoBundle_isRefused() {
        for (String text : List.of(
                "", "null", "[]", "{}", "[[\"JWT\"],{}]", "[[\"JWT\",\"a.b\"],{}]", "[[\"JWT\",\"a.b.c\"],{}]")) {
            refused("gpu token", text);
        }
    }

    @Test
    void jwks_withoutAKeyThatCounts_isRefused() {
        for (String jwks : List.of("", "{}", "{\"keys\":[]}", "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"one\"}]}")) {
            var policy = new NvidiaPolicy(GpuTokens.ISSUER, jwks, Set.of(), Duration.ofMinutes(5));
            assertThrows(IllegalArgumentException.class, () -> new NvidiaVerifier(policy, () -> GpuTokens.NOW), jwks);
        }
    }
}
