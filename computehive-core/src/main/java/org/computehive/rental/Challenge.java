package org.computehive.rental;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * What a confidential guest is told and asked before it is trusted. Nothing in it is secret.
 *
 * <p>The guest makes an SSH host key and a release key, and has its hardware sign {@link #reportData}. So a report is worth
 * something for this rental, this start and these keys alone, and for a guest that trusts the platform's authorities and no
 * one else's.
 *
 * @param rental whose session it is
 * @param nonce 64 hexadecimal digits, fresh for every start
 * @param userAuthorities the public keys of the user certificate authorities that the guest's SSH server trusts, one line each
 * @param hostAuthority the public key of the authority that will sign its host certificate, one line
 * @param principal the one principal that may enter
 */
public record Challenge(RentalId rental, String nonce, String userAuthorities, String hostAuthority, String principal) {
    private static final String REPORT = "computehive attestation v1";
    private static final String GPU = "computehive gpu attestation v1";
    private static final int NONCE_BYTES = 32;

    /** Checks the nonce. */
    public Challenge {
        if (nonce.length() != 2 * NONCE_BYTES
                || HexFormat.of().parseHex(nonce).length != NONCE_BYTES
                || !HexFormat.of().formatHex(HexFormat.of().parseHex(nonce)).equals(nonce)) {
            throw new IllegalArgumentException("nonce must be %d small hexadecimal digits".formatted(2 * NONCE_BYTES));
        }
    }

    /** Returns a challenge with a fresh nonce. */
    static Challenge fresh(RentalId rental, SessionAccess.Trust trust) {
        byte[] nonce = new byte[NONCE_BYTES];
        new SecureRandom().nextBytes(nonce);
        return new Challenge(
                rental,
                HexFormat.of().formatHex(nonce),
                trust.userAuthorities(),
                trust.hostAuthority(),
                rental.principal());
    }

    /**
     * Returns what the hardware must have signed: REPORT_DATA of SEV-SNP, REPORTDATA of TDX.
     *
     * <p>SHA-512 of these texts, each in UTF-8 behind its length in bytes as four bytes, the highest first: {@code computehive
     * attestation v1}, the rental's id, the nonce, the guest's SSH host key, its release key, the user authorities, the host
     * authority, the principal; all of them as they stand in this challenge and in {@link Evidence}.
     *
     * @return 64 bytes
     */
    public byte[] reportData(Evidence evidence) {
        return digest("SHA-512", REPORT, evidence);
    }

    /**
     * Returns the nonce that a gpu's attestation must carry: SHA-256 over the same texts, the first being {@code computehive gpu
     * attestation v1}. So a gpu of another guest proves nothing for this one.
     *
     * @return 32 bytes
     */
    public byte[] gpuNonce(Evidence evidence) {
        return digest("SHA-256", GPU, evidence);
    }

    private byte[] digest(String algorithm, String purpose, Evidence evidence) {
        var bytes = new ByteArrayOutputStream();
        try (var out = new DataOutputStream(bytes)) {
            for (String text : new String[] {
                purpose,
                rental.value(),
                nonce,
                evidence.hostKey(),
                evidence.releaseKey(),
                userAuthorities,
                hostAuthority,
                principal
            }) {
                byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
                out.writeInt(utf8.length);
                out.write(utf8);
            }
            return MessageDigest.getInstance(algorithm).digest(bytes.toByteArray());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has " + algorithm, e);
        }
    }
}
