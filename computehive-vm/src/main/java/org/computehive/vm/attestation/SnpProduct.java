package org.computehive.vm.attestation;

import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Locale;

/**
 * A line of AMD's processors, and the root that AMD signs it by.
 *
 * <p>The digests are the SHA-256 of the root certificates (ARK, DER) that AMD's key server hands out under
 * {@code https://kdsintf.amd.com/vcek/v1/NAME/cert_chain}; they were compared with those in google/go-sev-guest
 * ({@code verify/trust}) and virtee/sev ({@code src/certs/snp/builtin}).
 */
public enum SnpProduct {
    /** Third generation EPYC. */
    MILAN("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
    /** Fourth generation EPYC; Bergamo and Siena too. */
    GENOA("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
    /** Fifth generation EPYC. */
    TURIN("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a");

    private final String root;

    SnpProduct(String root) {
        this.root = root;
    }

    /** Returns the SHA-256 of AMD's root certificate for it, in hexadecimal. */
    public String root() {
        return root;
    }

    /** The name as AMD's certificates have it. */
    String word() {
        return name().charAt(0) + name().substring(1).toLowerCase(Locale.ROOT);
    }

    /** Whether a family of processors, as CPUID says it, is of this line; reports before version 3 don't say it. */
    boolean isOfFamily(int family) {
        return this == TURIN ? family == 0x1a : family == 0x19;
    }

    boolean isRoot(X509Certificate certificate, String pinned) {
        return HexFormat.of().formatHex(Certificates.sha256(certificate)).equals(pinned);
    }
}
