package org.computehive.vm.attestation;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * An attestation report as SEV-SNP's firmware gives it (AMD 56860, ATTESTATION_REPORT), of version 2 to 5. Immutable.
 *
 * <p>Nothing in it is true before {@link #verifySignature}.
 */
public final class SnpReport {
    /** How long a report is, in bytes. */
    public static final int SIZE = 0x4a0;

    static final int SIGNED = 0x2a0;
    private static final int CURRENT_TCB = 0x38;
    private static final int REPORTED_TCB = 0x180;
    private static final int COMMITTED_TCB = 0x1e0;
    private static final int LAUNCH_TCB = 0x1f0;
    private static final int NUMBER = 72;
    private static final int P384 = 48;

    private final byte[] bytes;
    private final ByteBuffer fields;

    private SnpReport(byte[] bytes) {
        this.bytes = bytes;
        this.fields = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Which key signed a report. */
    public enum Key {
        /** The chip's own. */
        VCEK,
        /** One that AMD loads for a cloud provider. */
        VLEK
    }

    /**
     * Reads one.
     *
     * @throws org.computehive.rental.AttestationException if it is of another size, version or algorithm
     */
    public static SnpReport read(byte[] report) {
        if (report.length != SIZE) {
            throw Failed.because("report", "it has %d bytes, not %d".formatted(report.length, SIZE));
        }
        var read = new SnpReport(report.clone());
        if (read.version() < 2 || read.version() > 5) {
            throw Failed.because("report version", "it is %d: 2 to 5 are known".formatted(read.version()));
        }
        if (read.fields.getInt(0x34) != 1) {
            throw Failed.because(
                    "signature algorithm", "it is %d, not ECDSA P-384 (1)".formatted(read.fields.getInt(0x34)));
        }
        return read;
    }

    /** Returns the version of its form. */
    public int version() {
        return fields.getInt(0);
    }

    /** Returns the guest's policy, bit by bit. */
    public long policy() {
        return fields.getLong(0x08);
    }

    /** Returns the privilege level that asked for it: 0 is the guest's most privileged. */
    public int vmpl() {
        return fields.getInt(0x30);
    }

    /** Returns which key signed it. */
    public Key key() {
        int key = fields.getInt(0x48) >>> 2 & 7;
        return switch (key) {
            case 0 -> Key.VCEK;
            case 1 -> Key.VLEK;
            default ->
                throw Failed.because(
                        "signing key", "the report is signed by key %d: 0 (VCEK) and 1 (VLEK) count".formatted(key));
        };
    }

    /** Returns what the guest had signed, 64 bytes. */
    public byte[] reportData() {
        return field(0x50, 64);
    }

    /** Returns the measurement of what the guest was started from, 48 bytes in hexadecimal. */
    public String measurement() {
        return HexFormat.of().formatHex(field(0x90, P384));
    }

    /** Returns the chip's id, 64 bytes. */
    public byte[] chipId() {
        return field(0x1a0, 64);
    }

    /** Returns the processor's family as CPUID says it; 0 in version 2, which doesn't say it. */
    int family() {
        return version() < 3 ? 0 : Byte.toUnsignedInt(bytes[0x188]);
    }

    SnpTcb reportedTcb(SnpProduct product) {
        return SnpTcb.read(product, fields, REPORTED_TCB);
    }

    /** The lowest of what runs, of what ran when the guest was started, and of what can still be gone back to. */
    SnpTcb[] othersTcb(SnpProduct product) {
        return new SnpTcb[] {
            SnpTcb.read(product, fields, CURRENT_TCB),
            SnpTcb.read(product, fields, COMMITTED_TCB),
            SnpTcb.read(product, fields, LAUNCH_TCB)
        };
    }

    /** Checks its signature: two numbers of 72 bytes, the lowest first, then zeros. */
    void verifySignature(PublicKey key) {
        byte[] rest = Arrays.copyOfRange(bytes, SIGNED + 2 * NUMBER, SIZE);
        byte[] signature = new byte[2 * P384];
        boolean good = isZero(rest) && number(SIGNED, signature, 0) && number(SIGNED + NUMBER, signature, P384);
        try {
            Signature verifier = Signature.getInstance("SHA384withECDSAinP1363Format");
            verifier.initVerify(key);
            verifier.update(bytes, 0, SIGNED);
            good = good && verifier.verify(signature);
        } catch (GeneralSecurityException e) {
            throw Failed.because("report signature", "it can't be verified: " + e.getMessage(), e);
        }
        if (!good) {
            throw Failed.because(
                    "report signature", "the report was not signed by the key of its certificate, or was changed");
        }
    }

    private boolean number(int from, byte[] to, int at) {
        for (int i = 0; i < P384; i++) {
            to[at + P384 - 1 - i] = bytes[from + i];
        }
        return isZero(Arrays.copyOfRange(bytes, from + P384, from + NUMBER))
                && new BigInteger(1, Arrays.copyOfRange(to, at, at + P384)).signum() > 0;
    }

    static boolean isZero(byte[] bytes) {
        int all = 0;
        for (byte one : bytes) {
            all |= one;
        }
        return all == 0;
    }

    private byte[] field(int at, int length) {
        return Arrays.copyOfRange(bytes, at, at + length);
    }
}
