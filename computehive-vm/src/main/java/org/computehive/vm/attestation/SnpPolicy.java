package org.computehive.vm.attestation;

import java.util.Map;
import java.util.Set;

/**
 * What a SEV-SNP guest must be.
 *
 * @param measurements which measurements are right, per image: 48 bytes in hexadecimal each. An image without any is refused
 * @param minimum the lowest firmware that is trusted, per line of processors; a line that is not named is refused
 * @param roots the SHA-256 of the root certificate per line; {@link #AMD_ROOTS} unless you know better
 * @param providers whose loaded keys (VLEK) are accepted, by the id in their certificates; none if empty
 * @param smt whether the host may run two threads of a core at once
 * @param revocation AMD's revocation lists, or that none are read
 */
public record SnpPolicy(
        Map<String, Set<String>> measurements,
        Map<SnpProduct, SnpTcb> minimum,
        Map<SnpProduct, String> roots,
        Set<String> providers,
        boolean smt,
        Revocation revocation) {
    /** AMD's own roots. */
    public static final Map<SnpProduct, String> AMD_ROOTS = Map.of(
            SnpProduct.MILAN, SnpProduct.MILAN.root(),
            SnpProduct.GENOA, SnpProduct.GENOA.root(),
            SnpProduct.TURIN, SnpProduct.TURIN.root());

    /** Copies the collections. */
    public SnpPolicy {
        measurements = Map.copyOf(measurements);
        minimum = Map.copyOf(minimum);
        roots = Map.copyOf(roots);
        providers = Set.copyOf(providers);
    }

    /** How it is known that AMD has not called a certificate back. */
    public sealed interface Revocation {
        /**
         * By AMD's lists ({@code https://kdsintf.amd.com/vcek/v1/NAME/crl}). One that is missing or out of date, or was not signed by
         * the line's root, fails the verification.
         *
         * @param crls the list per line, DER
         */
        record Lists(Map<SnpProduct, byte[]> crls) implements Revocation {
            /** Copies the map. */
            public Lists {
                crls = Map.copyOf(crls);
            }
        }

        /** Nobody looks; the result says so. */
        record Unchecked() implements Revocation {}
    }
}
