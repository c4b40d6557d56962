package org.computehive.vm.attestation;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/**
 * Verifies what NVIDIA's remote attestation service said about gpus: a detached EAT bundle (RFC 9711), the JSON array {@code
 * [["JWT", overall], {"GPU-0": token, …}]}, whose overall token names every gpu's token by its SHA-256.
 *
 * <p>The service compared the gpu's own report with NVIDIA's reference values; this class believes the service, by its keys, and
 * nobody else. It asks nobody over a network. Thread-safe, without state.
 */
public final class NvidiaVerifier {
    private static final Duration SKEW = Duration.ofMinutes(2);
    private static final long LATEST = 253_402_300_799L;
    private static final List<String> TRUE = List.of(
            "secboot",
            "x-nvidia-gpu-arch-check",
            "x-nvidia-gpu-attestation-report-parsed",
            "x-nvidia-gpu-attestation-report-nonce-match",
            "x-nvidia-gpu-attestation-report-signature-verified",
            "x-nvidia-gpu-driver-rim-signature-verified",
            "x-nvidia-gpu-driver-rim-version-match",
            "x-nvidia-gpu-vbios-rim-signature-verified",
            "x-nvidia-gpu-vbios-rim-version-match",
            "x-nvidia-gpu-vbios-index-no-conflict");

    private final NvidiaPolicy policy;
    private final InstantSource clock;
    private final Jws keys;

    /**
     * Creates one.
     *
     * @throws IllegalArgumentException if the policy's keys can't be read
     */
    public NvidiaVerifier(NvidiaPolicy policy, InstantSource clock) {
        this.policy = policy;
        this.clock = clock;
        this.keys = new Jws(policy.jwks());
    }

    /**
     * A gpu that was attested.
     *
     * @param ueid its own id
     * @param model its hardware model
     * @param driver the version of its driver
     * @param vbios the version of its VBIOS
     */
    public record AttestedGpu(String ueid, String model, String driver, String vbios) {}

    /**
     * Verifies a bundle.
     *
     * @param bundle the service's answer
     * @param nonce what every gpu must have signed, 32 bytes
     * @return the gpus, each of them once
     * @throws org.computehive.rental.AttestationException with what failed
     */
    public List<AttestedGpu> verify(String bundle, byte[] nonce) {
        JsonNode root = json(bundle);
        JsonNode first = root.path(0);
        JsonNode tokens = root.path(1);
        if (!root.isArray() || root.size() != 2 || !first.path(0).asText().equals("JWT") || !tokens.isObject()) {
            throw Failed.because("gpu token", "it is no bundle of one overall token and one for each gpu");
        }
        JsonNode overall = keys.claims(first.path(1).asText());
        general(overall, nonce);
        if (!isTrue(overall, "x-nvidia-overall-att-result")) {
            throw Failed.because("gpu result", "the gpus as a whole were not attested");
        }
        JsonNode parts = overall.path("submods");
        if (!parts.isObject() || parts.isEmpty() || parts.size() != tokens.size()) {
            throw Failed.because(
                    "gpu token",
                    "the overall token is about %d gpus, and %d came".formatted(parts.size(), tokens.size()));
        }
        var gpus = new ArrayList<AttestedGpu>();
        Set<String> seen = new HashSet<>();
        tokens.properties().forEach(part -> {
            String token = part.getValue().asText();
            if (!isNamed(token, parts.path(part.getKey()))) {
                throw Failed.because(
                        "gpu token",
                        "the token of %s is not the one that the overall token names".formatted(part.getKey()));
            }
            AttestedGpu gpu = gpu(keys.claims(token), nonce);
            if (!seen.add(gpu.ueid())) {
                throw Failed.because("gpu id", "gpu %s stands for two".formatted(gpu.ueid()));
            }
            gpus.add(gpu);
        });
        return List.copyOf(gpus);
    }

    private static boolean isNamed(String token, JsonNode part) {
        JsonNode digest = part.path(1);
        return part.path(0).asText().equals("DIGEST")
                && Set.of("SHA-256", "SHA256").contains(digest.path(0).asText())
                && digest.path(1).asText().equalsIgnoreCase(sha256(token));
    }

    private AttestedGpu gpu(JsonNode claims, byte[] nonce) {
        general(claims, nonce);
        if (!claims.path("measres").asText().equals("success")) {
            throw Failed.because("gpu measurement", "measres is %s, not success".formatted(claims.path("measres")));
        }
        if (!claims.path("dbgstat").asText().equals("disabled")) {
            throw Failed.because("gpu debug", "dbgstat is %s, not disabled".formatted(claims.path("dbgstat")));
        }
        for (String claim : TRUE) {
            if (!isTrue(claims, claim)) {
                throw Failed.because(
                        claim.equals("secboot") ? "gpu secure boot" : "gpu claim",
                        "%s is %s, not true".formatted(claim, claims.path(claim)));
            }
        }
        for (String chain : List.of("attestation-report", "driver-rim", "vbios-rim")) {
            JsonNode status =
                    claims.path("x-nvidia-gpu-" + chain + "-cert-chain").path("x-nvidia-cert-status");
            if (!status.asText().equals("valid")) {
                throw Failed.because("gpu certificates", "those of its %s are %s, not valid".formatted(chain, status));
            }
        }
        String model = claims.path("hwmodel").asText();
        if (policy.models().stream().noneMatch(model::startsWith)) {
            throw Failed.because("gpu model", "%s is none of %s".formatted(claims.path("hwmodel"), policy.models()));
        }
        if (claims.path("ueid").asText().isEmpty()) {
            throw Failed.because("gpu id", "it has none");
        }
        return new AttestedGpu(
                claims.path("ueid").asText(),
                model,
                claims.path("x-nvidia-gpu-driver-version").asText(),
                claims.path("x-nvidia-gpu-vbios-version").asText());
    }

    private void general(JsonNode claims, byte[] nonce) {
        if (!claims.path("iss").asText().equals(policy.issuer())) {
            throw Failed.because("gpu issuer", "it is %s, not %s".formatted(claims.path("iss"), policy.issuer()));
        }
        String expected = HexFormat.of().formatHex(nonce);
        if (nonce.length != 32 || !claims.path("eat_nonce").asText().equalsIgnoreCase(expected)) {
            throw Failed.because("gpu nonce", "the token is not about this guest, this rental and this start");
        }
        Instant now = clock.instant();
        Instant issued = time(claims, "iat");
        boolean current = now.isBefore(time(claims, "exp"))
                && !time(claims, "nbf").isAfter(now.plus(SKEW))
                && !issued.isAfter(now.plus(SKEW))
                && issued.plus(policy.oldest()).isAfter(now);
        if (!current) {
            throw Failed.because(
                    "gpu token time",
                    "the token of %s is too old, over or not yet good: it is %s".formatted(issued, now));
        }
    }

    private static Instant time(JsonNode claims, String name) {
        JsonNode value = claims.path(name);
        long seconds = value.isIntegralNumber() && value.canConvertToLong() ? value.longValue() : -1;
        if (seconds < 0 || seconds > LATEST) {
            throw Failed.because("gpu token time", "%s is %s, no time".formatted(name, value));
        }
        return Instant.ofEpochSecond(seconds);
    }

    private static boolean isTrue(JsonNode claims, String name) {
        return claims.path(name).isBoolean() && claims.path(name).booleanValue();
    }

    private static JsonNode json(String text) {
        try {
            return Jws.JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw Failed.because("gpu token", "it is no JSON", e);
        }
    }

    private static String sha256(String token) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
