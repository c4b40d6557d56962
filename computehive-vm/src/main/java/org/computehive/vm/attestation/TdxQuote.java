package org.computehive.vm.attestation;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/**
 * A TDX quote of version 4, signed by P-256 (Intel TDX DCAP Quoting Library API, appendix A.3). Nothing in it is true before
 * {@link TdxVerifier} said so.
 */
final class TdxQuote {
    /** How many bytes header and body have, which are signed. */
    static final int SIGNED = 632;

    static final int REPORT = 384;
    static final int PAIR = 64;
    static final int MEASUREMENT = 48;

    private static final int HEADER = 48;
    private static final int VERSION = 4;
    private static final int P256 = 2;
    private static final int TDX = 0x81;
    private static final int REPORT_CERTIFICATION = 6;
    private static final int PEM_CHAIN = 5;
    private static final int LONGEST = 16_384;
    private static final int MOST_CERTIFICATES = 3;

    private final ByteBuffer bytes;
    private final byte[] signature;
    private final byte[] attestationKey;
    private final byte[] enclaveReport;
    private final byte[] enclaveSignature;
    private final byte[] enclaveData;
    private final List<X509Certificate> chain;

    private TdxQuote(byte[] quote) {
        if (quote.length < SIGNED || quote.length > LONGEST) {
            throw Failed.because(
                    "quote", "it has %d bytes: %d to %d are possible".formatted(quote.length, SIGNED, LONGEST));
        }
        bytes = ByteBuffer.wrap(quote.clone()).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.getShort(0) != VERSION || bytes.getShort(2) != P256 || bytes.getInt(4) != TDX) {
            throw Failed.because(
                    "quote",
                    "version %d, key type %d, kind 0x%x: only version 4 of TDX with P-256 is known"
                            .formatted(bytes.getShort(0), bytes.getShort(2), bytes.getInt(4)));
        }
        bytes.position(SIGNED);
        ByteBuffer data = part(bytes, length(bytes));
        while (bytes.hasRemaining()) {
            if (bytes.get() != 0) {
                throw Failed.because("quote", "something follows it");
            }
        }
        signature = take(data, PAIR);
        attestationKey = take(data, PAIR);
        ByteBuffer certification = typed(data, REPORT_CERTIFICATION);
        enclaveReport = take(certification, REPORT);
        enclaveSignature = take(certification, PAIR);
        enclaveData = take(certification, Short.toUnsignedInt(number(certification)));
        ByteBuffer pem = typed(certification, PEM_CHAIN);
        chain = certificates(take(pem, pem.remaining()));
    }

    /**
     * Reads one.
     *
     * @throws org.computehive.rental.AttestationException if it is none
     */
    static TdxQuote read(byte[] quote) {
        return new TdxQuote(quote);
    }

    private static int length(ByteBuffer from) {
        if (from.remaining() < Integer.BYTES) {
            throw Failed.because("quote", "it is cut off");
        }
        return from.getInt();
    }

    private static short number(ByteBuffer from) {
        if (from.remaining() < Short.BYTES) {
            throw Failed.because("quote", "it is cut off");
        }
        return from.getShort();
    }

    private static byte[] take(ByteBuffer from, int length) {
        if (length < 0 || from.remaining() < length) {
            throw Failed.because("quote", "it is cut off");
        }
        byte[] taken = new byte[length];
        from.get(taken);
        return taken;
    }

    private static ByteBuffer part(ByteBuffer from, int length) {
        return ByteBuffer.wrap(take(from, length)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The rest, which is of one kind. */
    private static ByteBuffer typed(ByteBuffer from, int type) {
        int found = number(from);
        ByteBuffer content = part(from, length(from));
        if (found != type || from.hasRemaining()) {
            throw Failed.because(
                    "quote", "certification data of type %d, or more than that: %d is needed".formatted(found, type));
        }
        return content;
    }

    private static List<X509Certificate> certificates(byte[] pem) {
        try {
            int end = pem.length;
            while (end > 0 && pem[end - 1] == 0) {
                end--;
            }
            var found = new ArrayList<X509Certificate>();
            CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem, 0, end))
                    .forEach(one -> found.add((X509Certificate) one));
            if (found.size() != MOST_CERTIFICATES) {
                throw Failed.because(
                        "certificate chain",
                        "%d certificates came: the platform's, its authority's and Intel's root are needed"
                                .formatted(found.size()));
            }
            return List.copyOf(found);
        } catch (CertificateException e) {
            throw Failed.because("certificate", "the quote's certificates can't be read: " + e.getMessage(), e);
        }
    }

    byte[] signed() {
        return slice(0, SIGNED);
    }

    byte[] signature() {
        return signature.clone();
    }

    byte[] attestationKey() {
        return attestationKey.clone();
    }

    byte[] enclaveReport() {
        return enclaveReport.clone();
    }

    byte[] enclaveSignature() {
        return enclaveSignature.clone();
    }

    byte[] enclaveData() {
        return enclaveData.clone();
    }

    List<X509Certificate> chain() {
        return chain;
    }

    String vendor() {
        return hex(12, 16);
    }

    /** Returns the security versions of the TDX module: 16 of them, the second being the module's major version. */
    List<Integer> module() {
        var versions = new ArrayList<Integer>();
        for (byte one : body(0, 16)) {
            versions.add(Byte.toUnsignedInt(one));
        }
        return versions;
    }

    byte[] moduleSigner() {
        return body(64, MEASUREMENT);
    }

    long moduleAttributes() {
        return bytes.getLong(HEADER + 112);
    }

    long attributes() {
        return bytes.getLong(HEADER + 120);
    }

    /** Returns the measurement of what the guest was made of (MRTD), in hexadecimal. */
    String measurement() {
        return hex(HEADER + 136, MEASUREMENT);
    }

    /** Returns what was measured while it started (RTMR), in hexadecimal. */
    String measured(int register) {
        return hex(HEADER + 328 + register * MEASUREMENT, MEASUREMENT);
    }

    byte[] reportData() {
        return body(520, PAIR);
    }

    private byte[] body(int from, int length) {
        return slice(HEADER + from, length);
    }

    private byte[] slice(int from, int length) {
        return Arrays.copyOfRange(bytes.array(), from, from + length);
    }

    private String hex(int from, int length) {
        return HexFormat.of().formatHex(slice(from, length));
    }
}
