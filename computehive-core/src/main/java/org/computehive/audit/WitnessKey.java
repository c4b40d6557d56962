package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/**
 * The public half of a witness's Ed25519 key (C2SP tlog-cosignature, {@code cosignature/v1}).
 *
 * <p>Its text form is signed-note's {@code <name>+<hash>+<key>} with type 4. Immutable and thread-safe.
 */
public final class WitnessKey {
    private static final byte COSIGNATURE_V1 = 4;
    private static final int SIGNATURE_BYTES = Long.BYTES + 64;
    private final VerifierKey key;

    /**
     * Creates one.
     *
     * @param name the witness's name: no whitespace, no plus sign
     * @param key the 32 bytes of an Ed25519 public key
     */
    public WitnessKey(String name, byte[] key) {
        this.key = new VerifierKey(name, key);
    }

    /**
     * Reads the text form.
     *
     * @throws IllegalArgumentException if it is malformed, its hash does not fit, or it is not of type 4
     */
    public static WitnessKey parse(String text) {
        String[] parts = text.split("\\+", 3);
        byte[] typed = parts.length == 3 ? Note.base64(parts[2]) : new byte[0];
        if (typed.length != VerifierKey.KEY_BYTES + 1 || typed[0] != COSIGNATURE_V1) {
            throw new IllegalArgumentException("witness key %s: expected <name>+<8 hex digits>+<base64 key> of type 4"
                    .formatted(Note.quote(text)));
        }
        var key = new WitnessKey(parts[0], Arrays.copyOfRange(typed, 1, typed.length));
        if (!HexFormat.of().formatHex(key.id()).equals(parts[1])) {
            throw new IllegalArgumentException("witness key %s: its hash does not fit its name and key; copy it again"
                    .formatted(Note.quote(text)));
        }
        return key;
    }

    /** Returns the witness's name. */
    public String name() {
        return key.name();
    }

    private byte[] id() {
        MessageDigest sha256 = Hasher.sha256();
        sha256.update(key.name().getBytes(UTF_8));
        sha256.update((byte) '\n');
        sha256.update(COSIGNATURE_V1);
        return Arrays.copyOf(sha256.digest(key.key()), Integer.BYTES);
    }

    /**
     * Returns when the witness cosigned a note, if it did.
     *
     * @throws IllegalArgumentException if the note is malformed, or holds a cosignature of this key that does not fit
     */
    public Optional<Instant> cosigned(String note) {
        Optional<Instant> newest = Optional.empty();
        for (byte[] signature : Note.signatures(note, name(), id())) {
            long time = signature.length == SIGNATURE_BYTES
                    ? ByteBuffer.wrap(signature).getLong()
                    : -1;
            if (time < 0
                    || time > Instant.MAX.getEpochSecond()
                    || !key.verifies(
                            message(note, time), Arrays.copyOfRange(signature, Long.BYTES, signature.length))) {
                throw new IllegalArgumentException(
                        "the cosignature of %s does not fit the note: it was changed".formatted(name()));
            }
            newest = Optional.of(Instant.ofEpochSecond(time));
        }
        return newest;
    }

    /**
     * Cosigns a checkpoint, which the caller has checked.
     *
     * @param note the signed checkpoint
     * @param signer the witness's key
     * @param now the time
     * @return the signature's line, its newline included
     */
    public static String cosign(String note, NoteSigner signer, Instant now) {
        long time = now.getEpochSecond();
        byte[] signature = signer.sign(message(note, time));
        byte[] timed = ByteBuffer.allocate(Long.BYTES + signature.length)
                .putLong(time)
                .put(signature)
                .array();
        return Note.line(signer.name(), new WitnessKey(signer.name(), signer.publicKey()).id(), timed);
    }

    private static byte[] message(String note, long time) {
        return ("cosignature/v1\ntime " + time + "\n" + Note.text(note)).getBytes(UTF_8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof WitnessKey that && key.equals(that.key);
    }

    @Override
    public int hashCode() {
        return key.hashCode();
    }

    /** Returns the text form. */
    @Override
    public String toString() {
        return name() + "+" + HexFormat.of().formatHex(id()) + "+" + Note.base64(COSIGNATURE_V1, key.key());
    }
}
