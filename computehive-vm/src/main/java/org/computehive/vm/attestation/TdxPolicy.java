package org.computehive.vm.attestation;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a TDX guest must be.
 *
 * @param measurements which measurements are right, per image; an image without any is refused
 * @param minimum the lowest security versions that are trusted, per platform (FMSPC, 12 small hexadecimal digits), such as those
 *     of the newest level {@code UpToDate} in Intel's TCB info; a platform that is not named is refused
 * @param root the SHA-256 of the root certificate; {@link #INTEL_ROOT} unless you know better
 * @param eptViolations whether a guest is accepted whose host may make its memory fault (SEPT_VE_DISABLE is off), as newer Linux
 *     kernels turn off by themselves
 * @param revocation Intel's revocation lists, or that none are read
 */
public record TdxPolicy(
        Map<String, Set<Measurement>> measurements,
        Map<String, Minimum> minimum,
        String root,
        boolean eptViolations,
        Revocation revocation) {
    /** The SHA-256 of Intel's own root (Intel SGX Root CA). */
    public static final String INTEL_ROOT = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";

    /** Copies the maps. */
    public TdxPolicy {
        measurements = Map.copyOf(measurements);
        minimum = Map.copyOf(minimum);
    }

    /**
     * What a guest was made of and started with, 48 bytes in hexadecimal each. RTMR3 is the guest's own to write, so nothing is
     * asked of it.
     *
     * @param mrtd its firmware
     * @param rtmr0 its virtual hardware, as the host described it; differs with processors and memory
     * @param rtmr1 its boot loader or kernel
     * @param rtmr2 its kernel's command line and initial RAM disk
     */
    public record Measurement(String mrtd, String rtmr0, String rtmr1, String rtmr2) {}

    /**
     * The lowest security versions of a platform.
     *
     * @param modules of the TDX module, 16 numbers per major version of it; a major version that is not named is refused
     * @param components of the processor's components, 16 numbers
     * @param certifier of the enclave that certifies (PCE)
     * @param quoter of the enclave that signs quotes (TD QE)
     */
    public record Minimum(Map<Integer, List<Integer>> modules, List<Integer> components, int certifier, int quoter) {
        private static final int COUNT = 16;

        /**
         * Copies the collections.
         *
         * @throws IllegalArgumentException if a list has not 16 numbers
         */
        public Minimum {
            modules = Map.copyOf(modules);
            components = List.copyOf(components);
            for (List<Integer> versions : modules.values()) {
                check(versions);
            }
            check(components);
        }

        private static void check(List<Integer> versions) {
            if (versions.size() != COUNT) {
                throw new IllegalArgumentException(
                        "%d security versions: %d are needed".formatted(versions.size(), COUNT));
            }
        }
    }

    /** How it is known that Intel has not called a certificate back. */
    public sealed interface Revocation {
        /**
         * By Intel's lists. One that is out of date, or was not signed by the right authority, fails the verification.
         *
         * @param ofRoot {@code https://certificates.trustedservices.intel.com/IntelSGXRootCA.der}, DER
         * @param ofAuthorities the lists of the authorities for platforms ({@code
         *     https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der}, and {@code ca=processor}), DER,
         *     by the authority's common name
         */
        record Lists(byte[] ofRoot, Map<String, byte[]> ofAuthorities) implements Revocation {
            /** Copies the map. */
            public Lists {
                ofAuthorities = Map.copyOf(ofAuthorities);
            }
        }

        /** Nobody looks; the result says so. */
        record Unchecked() implements Revocation {}
    }
}
