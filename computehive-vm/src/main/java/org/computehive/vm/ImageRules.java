package org.computehive.vm;

import java.util.List;

/**
 * Which images a host takes and how much room they may have. Immutable and thread-safe.
 *
 * @param signers public keys in OpenSSH's form ({@code ssh-ed25519 ...}), one of which must have signed an image's manifest
 *     with {@code ssh-keygen -Y sign -n computehive-image}; empty if images need no signature
 * @param quotaMiB how much room the images may have together, in MiB; the least recently used that no session has go first
 */
public record ImageRules(List<String> signers, long quotaMiB) {
    /** Nobody need sign; no quota. */
    public static final ImageRules NONE = new ImageRules(List.of(), Long.MAX_VALUE >> 20);

    /**
     * Copies the list.
     *
     * @throws IllegalArgumentException if a key is not Ed25519 in OpenSSH's form, or the quota is not positive
     */
    public ImageRules {
        signers = List.copyOf(signers);
        signers.forEach(SshSignature::publicKey);
        if (quotaMiB < 1) {
            throw new IllegalArgumentException("quotaMiB %d is out of range: at least 1".formatted(quotaMiB));
        }
    }
}
