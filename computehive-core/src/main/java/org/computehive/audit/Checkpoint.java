package org.computehive.audit;

import java.util.Arrays;
import java.util.Base64;
import java.util.Objects;
import java.util.regex.Pattern;

/**
 * What a log commits to at one size (C2SP tlog-checkpoint): origin, number of entries, Merkle root.
 *
 * <p>Immutable and thread-safe.
 */
public final class Checkpoint {
    private static final Pattern SIZE = Pattern.compile("0|[1-9][0-9]{0,17}");
    private final String origin;
    private final long size;
    private final byte[] root;

    Checkpoint(String origin, long size, byte[] root) {
        this.origin = Objects.requireNonNull(origin, "origin");
        this.size = size;
        this.root = root.clone();
        if (root.length != Hasher.BYTES) {
            throw Note.malformed("a root has %d bytes, not %d".formatted(Hasher.BYTES, root.length));
        }
    }

    /**
     * Checks a checkpoint's signature and reads it.
     *
     * @param note the signed note
     * @param key whose signature it must have; its name must be the checkpoint's origin
     * @throws IllegalArgumentException if it is malformed or not signed by the key
     */
    public static Checkpoint open(String note, VerifierKey key) {
        Checkpoint checkpoint = read(Note.open(note, key));
        if (!checkpoint.origin.equals(key.name())) {
            throw new IllegalArgumentException("the checkpoint is of log %s, not %s"
                    .formatted(Note.quote(checkpoint.origin), Note.quote(key.name())));
        }
        return checkpoint;
    }

    /** Reads a note's text; extension lines are allowed and ignored. */
    static Checkpoint read(String text) {
        String[] lines = text.split("\n", -1);
        if (lines.length < 4 || lines[0].isEmpty() || !SIZE.matcher(lines[1]).matches()) {
            throw Note.malformed("a checkpoint is an origin, a size and a root, each on its line");
        }
        for (int i = 3; i < lines.length - 1; i++) {
            if (lines[i].isEmpty()) {
                throw Note.malformed("a checkpoint has no empty lines");
            }
        }
        return new Checkpoint(lines[0], Long.parseLong(lines[1]), Note.base64(lines[2]));
    }

    String sign(NoteSigner signer) {
        return Note.sign(origin + "\n" + size + "\n" + Base64.getEncoder().encodeToString(root) + "\n", signer);
    }

    /** Returns the log's name. */
    public String origin() {
        return origin;
    }

    /** Returns how many entries the tree has. */
    public long size() {
        return size;
    }

    /** Returns the 32 bytes of the tree's root. */
    public byte[] root() {
        return root.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Checkpoint that
                && origin.equals(that.origin)
                && size == that.size
                && Arrays.equals(root, that.root);
    }

    @Override
    public int hashCode() {
        return Objects.hash(origin, size, Arrays.hashCode(root));
    }

    @Override
    public String toString() {
        return origin + " size " + size + " root " + Base64.getEncoder().encodeToString(root);
    }
}
