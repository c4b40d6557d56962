package org.computehive.vm.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/**
 * Verifies compact JSON web signatures (RFC 7515) of the one algorithm ES384 (RFC 7518 section 3.4) by the keys of a JWK set (RFC
 * 7517). Whatever else a header asks for is refused: another algorithm, critical extensions; keys and addresses in it are not
 * looked at.
 */
final class Jws {
    static final ObjectMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final int NUMBER = 48;

    private final Map<String, PublicKey> keys = new HashMap<>();

    /**
     * Reads a key set.
     *
     * @throws IllegalArgumentException if it has no key for ES384, or two under one name
     */
    Jws(String jwks) {
        try {
            for (JsonNode key : JSON.readTree(jwks).path("keys")) {
                boolean ours = key.path("kty").asText().equals("EC")
                        && key.path("crv").asText().equals("P-384")
                        && key.path("use").asText("sig").equals("sig")
                        && key.path("alg").asText("ES384").equals("ES384");
                if (ours && keys.put(key.path("kid").asText(), key(key)) != null) {
                    throw new IllegalArgumentException(
                            "two keys are named %s: names must differ".formatted(key.path("kid")));
                }
            }
        } catch (JsonProcessingException | GeneralSecurityException e) {
            throw new IllegalArgumentException("it is no JWK set: " + e.getMessage(), e);
        }
        if (keys.isEmpty()) {
            throw new IllegalArgumentException("the JWK set has no key for ES384 (EC, P-384)");
        }
    }

    private static PublicKey key(JsonNode key) throws GeneralSecurityException {
        AlgorithmParameters curve = AlgorithmParameters.getInstance("EC");
        curve.init(new ECGenParameterSpec("secp384r1"));
        var point = new ECPoint(coordinate(key, "x"), coordinate(key, "y"));
        return KeyFactory.getInstance("EC")
                .generatePublic(new ECPublicKeySpec(point, curve.getParameterSpec(ECParameterSpec.class)));
    }

    private static BigInteger coordinate(JsonNode key, String name) {
        return new BigInteger(1, Base64.getUrlDecoder().decode(key.path(name).asText()));
    }

    /** Returns a token's claims, once its signature is known to be right. */
    JsonNode claims(String token) {
        String[] parts = token.split("\\.", -1);
        if (parts.length != 3) {
            throw Failed.because("gpu token", "it has %d parts, not 3".formatted(parts.length));
        }
        try {
            JsonNode header = JSON.readTree(Base64.getUrlDecoder().decode(parts[0]));
            if (!header.path("alg").asText().equals("ES384") || header.has("crit") || header.has("b64")) {
                throw Failed.because(
                        "gpu token",
                        "it is signed by %s, or in a special way: ES384 counts".formatted(header.path("alg")));
            }
            PublicKey key = keys.get(header.path("kid").asText());
            if (key == null) {
                throw Failed.because("gpu token", "its key %s is none of the issuer's".formatted(header.path("kid")));
            }
            byte[] signature = Base64.getUrlDecoder().decode(parts[2]);
            Signature verifier = Signature.getInstance("SHA384withECDSAinP1363Format");
            verifier.initVerify(key);
            verifier.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
            boolean canonical = Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(signature)
                    .equals(parts[2]);
            if (signature.length != 2 * NUMBER || !canonical || !verifier.verify(signature)) {
                throw Failed.because("gpu token", "its signature is wrong");
            }
            return JSON.readTree(Base64.getUrlDecoder().decode(parts[1]));
        } catch (IOException | IllegalArgumentException | GeneralSecurityException e) {
            throw Failed.because("gpu token", "it can't be read: " + e.getMessage(), e);
        }
    }
}
