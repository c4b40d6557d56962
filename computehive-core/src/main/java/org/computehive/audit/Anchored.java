package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;

/**
 * What was recorded of a log in a place that the log's operator can't change, such as a chain.
 *
 * <p>Immutable and thread-safe.
 */
public final class Anchored {
    private final byte[] originHash;
    private final long size;
    private final byte[] root;

    /**
     * Creates one.
     *
     * @param originHash the SHA-256 of the log's origin
     * @param size how many entries the log had; at least 1
     * @param root the 32 bytes of its root then
     * @throws IllegalArgumentException if a hash has another length, or the size is less
     */
    public Anchored(byte[] originHash, long size, byte[] root) {
        if (originHash.length != Hasher.BYTES || root.length != Hasher.BYTES || size < 1) {
            throw new IllegalArgumentException(
                    "an anchor has two hashes of %d bytes and a size of at least 1, not %d, %d and %d"
                            .formatted(Hasher.BYTES, originHash.length, root.length, size));
        }
        this.originHash = originHash.clone();
        this.size = size;
        this.root = root.clone();
    }

    /** Returns what is to be anchored of a checkpoint. */
    public static Anchored of(Checkpoint checkpoint) {
        return new Anchored(originHash(checkpoint.origin()), checkpoint.size(), checkpoint.root());
    }

    /** Returns the SHA-256 of a log's origin. */
    public static byte[] originHash(String origin) {
        return Hasher.sha256().digest(origin.getBytes(UTF_8));
    }

    /** Returns the SHA-256 of the log's origin. */
    public byte[] originHash() {
        return originHash.clone();
    }

    /** Returns how many entries the log had. */
    public long size() {
        return size;
    }

    /** Returns its root then. */
    public byte[] root() {
        return root.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Anchored that
                && size == that.size
                && Arrays.equals(originHash, that.originHash)
                && Arrays.equals(root, that.root);
    }

    @Override
    public int hashCode() {
        return Objects.hash(Arrays.hashCode(originHash), size, Arrays.hashCode(root));
    }

    @Override
    public String toString() {
        return "log %s size %d root %s"
                .formatted(
                        HexFormat.of().formatHex(originHash),
                        size,
                        HexFormat.of().formatHex(root));
    }
}
