package org.computehive.vm.attestation;

import java.time.Duration;
import java.util.Set;

/**
 * What a gpu's attestation must say.
 *
 * @param issuer who must have issued it, such as {@code https://nras.attestation.nvidia.com}
 * @param jwks the issuer's keys, as its {@code /.well-known/jwks.json} has them: fetch them over TLS and give them here
 * @param models which hardware models are accepted, by the beginning of the claim {@code hwmodel}, such as {@code GH100}
 * @param oldest how old a token may be
 */
public record NvidiaPolicy(String issuer, String jwks, Set<String> models, Duration oldest) {
    /** Copies the set. */
    public NvidiaPolicy {
        models = Set.copyOf(models);
    }
}
