package org.computehive.access;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;

/**
 * Certificates that count no more, for {@code RevokedKeys} of an SSH server.
 *
 * <p>Immutable and thread-safe. The format is OpenSSH's PROTOCOL.krl, without a signature section, which OpenSSH 9.4 and
 * later refuse. An empty list revokes nothing; a missing file makes sshd refuse everybody.
 *
 * @param authorities the keys that signed them, several while keys rotate; serials and key ids count for each
 * @param version grows with each list; 0 or more
 * @param generated when the list was made
 * @param serials serials of single certificates; positive
 * @param keyIds key ids, each of which revokes every certificate with it
 */
public record KeyRevocationList(
        List<SshPublicKey> authorities, long version, Instant generated, Set<Long> serials, Set<String> keyIds) {
    private static final long MAGIC = 0x5353484b524c0a00L; // "SSHKRL\n\0"
    private static final int FORMAT = 1;
    private static final byte SECTION_CERTIFICATES = 1;
    private static final byte SERIAL_LIST = 0x20;
    private static final byte KEY_ID = 0x23;

    /**
     * Copies the sets and checks them.
     *
     * @throws IllegalArgumentException if the version is negative, a serial is not positive or a key id is malformed
     */
    public KeyRevocationList {
        authorities = List.copyOf(authorities);
        if (authorities.isEmpty()) {
            throw new IllegalArgumentException("a revocation list needs at least one authority");
        }
        Objects.requireNonNull(generated, "generated");
        serials = Set.copyOf(serials);
        keyIds = Set.copyOf(keyIds);
        if (version < 0) {
            throw new IllegalArgumentException("version %d of a revocation list must be 0 or more".formatted(version));
        }
        serials.forEach(serial -> {
            if (serial <= 0) {
                throw new IllegalArgumentException("serial %d can't be revoked: it must be positive".formatted(serial));
            }
        });
        keyIds.forEach(Names::keyId);
    }

    /** Returns the file's bytes; equal lists give equal bytes. */
    public byte[] encode() {
        var file = new Wire.Writer()
                .uint64(MAGIC)
                .uint32(FORMAT)
                .uint64(version)
                .uint64(generated.getEpochSecond())
                .uint64(0) // flags
                .string("") // reserved
                .string(""); // comment
        if (!serials.isEmpty() || !keyIds.isEmpty()) {
            authorities.forEach(authority -> file.bytes(SECTION_CERTIFICATES).string(section(authority)));
        }
        return file.toBytes();
    }

    private byte[] section(SshPublicKey authority) {
        var section = new Wire.Writer().string(authority.blob()).string("");
        if (!serials.isEmpty()) {
            var list = new Wire.Writer();
            new TreeSet<>(serials).forEach(list::uint64);
            section.bytes(SERIAL_LIST).string(list.toBytes());
        }
        if (!keyIds.isEmpty()) {
            var list = new Wire.Writer();
            new TreeSet<>(keyIds).forEach(list::string);
            section.bytes(KEY_ID).string(list.toBytes());
        }
        return section.toBytes();
    }
}
