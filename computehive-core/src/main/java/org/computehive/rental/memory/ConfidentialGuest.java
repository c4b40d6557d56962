package org.computehive.rental.memory;

import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.computehive.access.HostKeyPair;
import org.computehive.rental.Challenge;
import org.computehive.rental.Evidence;
import org.computehive.rental.GuestRelease;
import org.computehive.rental.HypervisorException;
import org.jspecify.annotations.Nullable;

/** A guest that makes its keys, answers challenges and opens the first release that is meant for it. Not thread-safe. */
final class ConfidentialGuest {
    private final X25519PrivateKeyParameters key = new X25519PrivateKeyParameters(new SecureRandom());
    private final String hostKey = HostKeyPair.generate().publicKey().line();
    private @Nullable Challenge challenge;
    private @Nullable GuestRelease release;

    Evidence answer(Challenge asked) {
        challenge = asked;
        return new Evidence(
                hostKey,
                Base64.getEncoder().encodeToString(key.generatePublicKey().getEncoded()),
                List.of());
    }

    void take(String sealed) {
        if (challenge == null) {
            throw new HypervisorException.Refused("the guest was asked nothing yet", null);
        }
        try {
            GuestRelease opened = GuestRelease.open(sealed, challenge, key.getEncoded());
            release = release == null ? opened : release;
        } catch (IllegalArgumentException e) {
            throw new HypervisorException.GuestFailed("the guest refused its release: " + e.getMessage(), e);
        }
    }

    Optional<GuestRelease> release() {
        return Optional.ofNullable(release);
    }
}
