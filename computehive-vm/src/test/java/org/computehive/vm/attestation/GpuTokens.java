package org.computehive.vm.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An attestation service of a test's own that answers as NVIDIA's does; the claims' names are those of NVIDIA/nvtrust. */
final class GpuTokens {
    static final Instant NOW = Instant.parse("2026-11-23T00:00:00Z");
    static final byte[] NONCE = AmdChain.bytes(32, 0x2f);
    static final String ISSUER = "https://nras.example.org";

    final KeyPair key = AmdChain.ec("secp384r1");
    String header = "{\"alg\":\"ES384\",\"kid\":\"one\",\"typ\":\"JWT\"}";

    String jwks() {
        var point = ((ECPublicKey) key.getPublic()).getW();
        var one = new LinkedHashMap<String, Object>(
                Map.of("kty", "EC", "crv", "P-384", "alg", "ES384", "use", "sig", "kid", "one"));
        one.put("x", url(point.getAffineX()));
        one.put("y", url(point.getAffineY()));
        return json(Map.of("keys", List.of(Map.of("kty", "RSA", "kid", "other"), one)));
    }

    private static String url(BigInteger number) {
        byte[] all = new byte[48];
        byte[] some = number.toByteArray();
        int length = Math.min(48, some.length);
        System.arraycopy(some, some.length - length, all, 48 - length, length);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(all);
    }

    static Map<String, Object> general() {
        var claims = new LinkedHashMap<String, Object>();
        claims.put("iss", ISSUER);
        claims.put("eat_nonce", HexFormat.of().formatHex(NONCE));
        claims.put("iat", NOW.minusSeconds(30).getEpochSecond());
        claims.put("nbf", NOW.minusSeconds(30).getEpochSecond());
        claims.put("exp", NOW.plusSeconds(3600).getEpochSecond());
        return claims;
    }

    static Map<String, Object> gpu(String ueid) {
        Map<String, Object> claims = general();
        claims.put("measres", "success");
        claims.put("secboot", true);
        claims.put("dbgstat", "disabled");
        claims.put("hwmodel", "GH100 A01 GSP BROM");
        claims.put("ueid", ueid);
        claims.put("x-nvidia-gpu-driver-version", "570.44");
        claims.put("x-nvidia-gpu-vbios-version", "96.00.9F.00.01");
        for (String check : List.of(
                "arch-check",
                "attestation-report-parsed",
                "attestation-report-nonce-match",
                "attestation-report-signature-verified",
                "driver-rim-signature-verified",
                "driver-rim-version-match",
                "vbios-rim-signature-verified",
                "vbios-rim-version-match",
                "vbios-index-no-conflict")) {
            claims.put("x-nvidia-gpu-" + check, true);
        }
        for (String chain : List.of("attestation-report", "driver-rim", "vbios-rim")) {
            claims.put("x-nvidia-gpu-" + chain + "-cert-chain", Map.of("x-nvidia-cert-status", "valid"));
        }
        return claims;
    }

    /** Returns the overall claims about some gpus' tokens. */
    static Map<String, Object> overall(Map<String, String> tokens) {
        Map<String, Object> claims = general();
        claims.put("x-nvidia-overall-att-result", true);
        var parts = new LinkedHashMap<String, Object>();
        tokens.forEach((name, token) -> parts.put(name, List.of("DIGEST", List.of("SHA-256", sha256(token)))));
        claims.put("submods", parts);
        return claims;
    }

    String token(Map<String, Object> claims) {
        String text = base64(header) + "." + base64(json(claims));
        try {
            Signature signature = Signature.getInstance("SHA384withECDSAinP1363Format");
            signature.initSign(key.getPrivate());
            signature.update(text.getBytes(StandardCharsets.US_ASCII));
            return text + "." + Base64.getUrlEncoder().withoutPadding().encodeToString(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    String bundle(Map<String, Object> overall, Map<String, String> tokens) {
        return json(List.of(List.of("JWT", token(overall)), tokens));
    }

    /** Returns a bundle about gpus with given claims, {@code GPU-0} and so on. */
    String bundle(List<Map<String, Object>> gpus) {
        var tokens = new LinkedHashMap<String, String>();
        for (Map<String, Object> gpu : gpus) {
            tokens.put("GPU-" + tokens.size(), token(gpu));
        }
        return bundle(overall(tokens), tokens);
    }

    static String json(Object value) {
        try {
            return JsonMapper.builder().build().writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
    }

    private static String base64(String text) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }
}
