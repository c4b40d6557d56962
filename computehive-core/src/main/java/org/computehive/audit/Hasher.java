package org.computehive.audit;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** RFC 6962 section 2.1 hashing over one digest; not thread-safe, cheap to make. */
final class Hasher {
    static final int BYTES = 32;
    private static final byte LEAF = 0;
    private static final byte NODE = 1;
    private final MessageDigest sha256 = sha256();

    /** Returns {@code SHA-256(0x00 || entry)}. */
    byte[] leaf(byte[] entry) {
        sha256.update(LEAF);
        return sha256.digest(entry);
    }

    /** Returns {@code SHA-256(0x01 || left || right)}. */
    byte[] node(byte[] left, byte[] right) {
        sha256.update(NODE);
        sha256.update(left);
        return sha256.digest(right);
    }

    /** Returns the root of the tree without entries, {@code SHA-256()}. */
    byte[] empty() {
        return sha256.digest();
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java runtime lacks SHA-256, which every runtime must have", e);
        }
    }
}
