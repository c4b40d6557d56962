package org.computehive.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.SortedMap;

/**
 * What a session runs on, and on what terms: promised before it starts, or observed once it runs.
 *
 * <p>Its text form is one JSON object in the canonical form of RFC 8785, so that equal manifests have equal bytes and anyone
 * can compute {@link #sha256} with public tools. Immutable and thread-safe.
 *
 * @param setup what it runs on
 * @param terms what was agreed: names and values, such as {@code rental}, {@code start} (seconds since 1970-01-01 UTC) and
 *     {@code rate} (units per second)
 */
public record Manifest(Setup setup, SortedMap<String, String> terms) {
    private static final long FORMAT = 1;

    /** Orders the terms. */
    public Manifest {
        terms = CanonicalJson.ordered(terms);
    }

    /** Returns the canonical JSON text. */
    public String json() {
        return CanonicalJson.write(CanonicalJson.object("setup", setup.members(), "terms", terms, "v", FORMAT));
    }

    /** Returns the SHA-256 of the canonical JSON text in UTF-8: 32 bytes. */
    public byte[] sha256() {
        try {
            return MessageDigest.getInstance("SHA-256").digest(json().getBytes(UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /**
     * Reads a canonical text.
     *
     * @throws IllegalArgumentException if it is too long, no manifest, or not in the canonical form, byte for byte: then its
     *     hash would be another's
     */
    public static Manifest parse(String text) {
        JsonNode root = StrictJson.object(text, "setup", "terms", "v");
        if (!root.get("v").isInt() || root.get("v").asLong() != FORMAT) {
            throw new IllegalArgumentException(
                    "manifest has format %s: %d is known here".formatted(root.get("v"), FORMAT));
        }
        var manifest = new Manifest(Setup.read(root.get("setup")), StrictJson.texts(root, "terms"));
        if (!manifest.json().equals(text)) {
            throw new IllegalArgumentException(
                    "manifest is not in the canonical form of RFC 8785 (SHA-256 of its canonical form: %s)"
                            .formatted(HexFormat.of().formatHex(manifest.sha256())));
        }
        return manifest;
    }
}
