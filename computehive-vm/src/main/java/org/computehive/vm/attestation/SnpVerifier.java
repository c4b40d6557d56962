package org.computehive.vm.attestation;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Verifies SEV-SNP attestation reports with the JDK's own cryptography. Thread-safe, without state.
 *
 * <p>Sources: AMD 56860 (SEV Secure Nested Paging Firmware ABI) and AMD 57230 (VCEK Certificate and KDS Interface).
 *
 * <h2>Security guarantees</h2>
 *
 * <p>What it returns was signed by a key that leads to a pinned root of AMD's, for firmware of the very versions and the very
 * chip that the key's certificate names, over a guest that its host can't debug or hand over, that measures as the policy asks
 * and that had exactly the expected report data signed at its most privileged level.
 */
public final class SnpVerifier {
    private static final String OID = "1.3.6.1.4.1.3704.1.";
    private static final long RESERVED_ONE = 1L << 17;
    private static final long MIGRATION_AGENT = 1L << 18;
    private static final long DEBUG = 1L << 19;
    private static final long SMT = 1L << 16;
    private static final String PSS = "RSASSA-PSS";

    private final SnpPolicy policy;
    private final InstantSource clock;

    /** Creates one. */
    public SnpVerifier(SnpPolicy policy, InstantSource clock) {
        this.policy = policy;
        this.clock = clock;
    }

    /**
     * What was verified.
     *
     * @param product the line of processors
     * @param key which key signed
     * @param tcb the firmware that the key stands for
     * @param report the report, all of it true
     * @param revocation how it was checked that no certificate was called back
     */
    public record Verified(SnpProduct product, SnpReport.Key key, SnpTcb tcb, SnpReport report, String revocation) {
        /** Returns it in short names and values. */
        public Map<String, String> facts() {
            var facts = new LinkedHashMap<String, String>();
            facts.put("hardware", "SEV-SNP " + product.word());
            facts.put("signing key", key.name());
            facts.put("tcb", tcb.toString());
            facts.put("measurement", report.measurement());
            facts.put("policy", "0x%x".formatted(report.policy()));
            facts.put("chip", HexFormat.of().formatHex(report.chipId(), 0, 8));
            facts.put("revocation", revocation);
            return facts;
        }
    }

    /**
     * Verifies a report.
     *
     * @param image what the guest should have booted
     * @param report the report, {@value SnpReport#SIZE} bytes
     * @param certificates the signer's certificate (VCEK or VLEK), AMD's signing key (ASK or ASVK), AMD's root (ARK)
     * @param reportData what the guest must have had signed, 64 bytes
     * @throws org.computehive.rental.AttestationException with what failed
     */
    public Verified verify(String image, byte[] report, List<X509Certificate> certificates, byte[] reportData) {
        SnpReport read = SnpReport.read(report);
        if (certificates.size() != 3) {
            throw Failed.because(
                    "certificate chain",
                    "%d certificates came: the signer's, AMD's signing key and AMD's root are needed"
                            .formatted(certificates.size()));
        }
        SnpProduct product = chain(read.key(), certificates);
        X509Certificate signer = certificates.getFirst();
        read.verifySignature(p384(signer));
        String revocation = revocation(product, certificates);
        SnpTcb tcb = tcb(product, read, signer);
        owner(product, read, signer);
        guest(image, read, reportData);
        return new Verified(product, read.key(), tcb, read, revocation);
    }

    private SnpProduct chain(SnpReport.Key key, List<X509Certificate> certificates) {
        Instant now = clock.instant();
        X509Certificate root = certificates.get(2);
        SnpProduct product = Arrays.stream(SnpProduct.values())
                .filter(line -> policy.roots().containsKey(line)
                        && line.isRoot(root, policy.roots().get(line)))
                .findFirst()
                .orElseThrow(() -> Failed.because(
                        "root certificate",
                        "%s is none of the pinned roots of AMD".formatted(Certificates.commonName(root))));
        X509Certificate signing = certificates.get(1);
        String loaded = key == SnpReport.Key.VLEK ? "VLEK-" : "";
        Certificates.check(root, root, "ARK-" + product.word(), PSS, now);
        Certificates.check(signing, root, "SEV-" + loaded + product.word(), PSS, now);
        Certificates.check(certificates.getFirst(), signing, "SEV-" + key, PSS, now);
        Certificates.checkIssuer(root);
        Certificates.checkIssuer(signing);
        return product;
    }

    private static ECPublicKey p384(X509Certificate signer) {
        if (signer.getPublicKey() instanceof ECPublicKey key
                && key.getParams().getOrder().bitLength() == 384
                && key.getParams().toString().contains("secp384r1")) {
            return key;
        }
        throw Failed.because("signer's key", "it is not of the curve P-384");
    }

    private String revocation(SnpProduct product, List<X509Certificate> certificates) {
        return switch (policy.revocation()) {
            case SnpPolicy.Revocation.Unchecked unchecked -> "not checked";
            case SnpPolicy.Revocation.Lists lists -> {
                byte[] der = lists.crls().get(product);
                if (der == null) {
                    throw Failed.because(
                            "revocation", "there is no revocation list for %s: fetch AMD's".formatted(product.word()));
                }
                yield "none, by AMD's list of " + listed(der, certificates);
            }
        };
    }

    private Instant listed(byte[] der, List<X509Certificate> certificates) {
        try {
            var list = (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(der));
            X509Certificate root = certificates.get(2);
            list.verify(root.getPublicKey());
            Instant now = clock.instant();
            if (!list.getIssuerX500Principal().equals(root.getSubjectX500Principal())
                    || list.getThisUpdate().toInstant().isAfter(now)
                    || list.getNextUpdate() == null
                    || list.getNextUpdate().toInstant().isBefore(now)) {
                throw Failed.because(
                        "revocation",
                        "the revocation list is another root's, or is good from %s to %s only: fetch AMD's new one"
                                .formatted(list.getThisUpdate(), list.getNextUpdate()));
            }
            for (X509Certificate one : certificates) {
                // A list names certificates by issuer and number; AMD's root lists its signing keys, and gives a VCEK
                // number 0.
                boolean byRoot = one.getIssuerX500Principal().equals(root.getSubjectX500Principal());
                if (byRoot && list.getRevokedCertificate(one.getSerialNumber()) != null) {
                    throw Failed.because("revocation", "AMD has called back " + Certificates.commonName(one));
                }
            }
            return list.getThisUpdate().toInstant();
        } catch (GeneralSecurityException e) {
            throw Failed.because("revocation", "the revocation list can't be read, or AMD's root did not sign it", e);
        }
    }

    private SnpTcb tcb(SnpProduct product, SnpReport report, X509Certificate signer) {
        SnpTcb reported = report.reportedTcb(product);
        SnpTcb certified = new SnpTcb(
                product == SnpProduct.TURIN ? number(signer, "3.9") : 0,
                number(signer, "3.1"),
                number(signer, "3.2"),
                number(signer, "3.3"),
                number(signer, "3.8"));
        if (!certified.equals(reported)) {
            throw Failed.because(
                    "tcb", "the report says %s, the signer's certificate %s".formatted(reported, certified));
        }
        SnpTcb least = policy.minimum().get(product);
        if (least == null) {
            throw Failed.because("processor", "%s is not named by the policy".formatted(product.word()));
        }
        boolean good = reported.isAtLeast(least);
        for (SnpTcb other : report.othersTcb(product)) {
            good &= other.isAtLeast(least);
        }
        if (!good) {
            throw Failed.because(
                    "minimum tcb",
                    "the firmware is %s, or was or may be set back below %s: its host needs an update"
                            .formatted(reported, least));
        }
        return reported;
    }

    private void owner(SnpProduct product, SnpReport report, X509Certificate signer) {
        String name = text(signer, "2");
        if (!name.equals(product.word()) && !name.startsWith(product.word() + "-")) {
            throw Failed.because("processor", "the certificate is of %s, not of %s".formatted(name, product.word()));
        }
        if (report.version() >= 3 && !product.isOfFamily(report.family())) {
            throw Failed.because("processor", "family 0x%x is not %s".formatted(report.family(), product.word()));
        }
        if (report.key() == SnpReport.Key.VLEK) {
            String provider = text(signer, "5");
            if (!policy.providers().contains(provider)) {
                throw Failed.because("provider", "%s is none whose loaded keys the policy accepts".formatted(provider));
            }
            return;
        }
        byte[] chip = report.chipId();
        byte[] certified = extension(signer, "4");
        int length = product == SnpProduct.TURIN ? 8 : chip.length;
        boolean good = certified.length == length
                && Arrays.equals(Arrays.copyOf(chip, length), certified)
                && SnpReport.isZero(Arrays.copyOfRange(chip, length, chip.length))
                && !SnpReport.isZero(certified);
        if (!good) {
            throw Failed.because("chip id", "the report is of another chip than the certificate, or hides its chip");
        }
    }

    private void guest(String image, SnpReport report, byte[] reportData) {
        long bits = report.policy();
        if ((bits & DEBUG) != 0) {
            throw Failed.because("debug policy", "the guest's policy 0x%x lets its host read it".formatted(bits));
        }
        if ((bits & MIGRATION_AGENT) != 0) {
            throw Failed.because("migration policy", "the guest's policy 0x%x lets it be handed over".formatted(bits));
        }
        if ((bits & RESERVED_ONE) == 0 || bits >>> 26 != 0) {
            throw Failed.because(
                    "policy", "the guest's policy 0x%x has reserved bits that are not as they must be".formatted(bits));
        }
        if ((bits & SMT) != 0 && !policy.smt()) {
            throw Failed.because("smt policy", "the guest's policy 0x%x lets two threads share a core".formatted(bits));
        }
        if (report.vmpl() != 0) {
            throw Failed.because(
                    "vmpl",
                    "the report was asked for at level %s, not 0".formatted(Integer.toUnsignedString(report.vmpl())));
        }
        Set<String> right = policy.measurements().getOrDefault(image, Set.of());
        if (!right.contains(report.measurement())) {
            throw Failed.because(
                    "measurement",
                    "the guest measures %s, which is none of the %d that are right for image %s"
                            .formatted(report.measurement(), right.size(), image));
        }
        if (reportData.length != 64 || !Arrays.equals(report.reportData(), reportData)) {
            throw Failed.because(
                    "report data", "the report is not about this guest's keys, this rental and this nonce");
        }
    }

    private static int number(X509Certificate signer, String which) {
        byte[] der = extension(signer, which);
        boolean good = der.length >= 3 && der[0] == 2 && der[1] == der.length - 2 && der.length <= 4;
        int value = good ? (der.length == 3 ? der[2] : der[2] == 0 ? Byte.toUnsignedInt(der[3]) : -1) : -1;
        if (value < 0) {
            throw Failed.because(
                    "signer's certificate", "its extension %s%s is no number from 0 to 255".formatted(OID, which));
        }
        return value;
    }

    private static String text(X509Certificate signer, String which) {
        byte[] der = extension(signer, which);
        if (der.length < 2 || (der[0] != 0x16 && der[0] != 0x0c) || der[1] != der.length - 2) {
            throw Failed.because("signer's certificate", "its extension %s%s is no text".formatted(OID, which));
        }
        return new String(der, 2, der.length - 2, StandardCharsets.UTF_8);
    }

    /** Returns what stands in an extension, without the octet string around it. */
    private static byte[] extension(X509Certificate signer, String which) {
        byte[] value = signer.getExtensionValue(OID + which);
        if (value == null || value.length < 2 || value[0] != 4 || value[1] != value.length - 2) {
            throw Failed.because("signer's certificate", "it lacks extension %s%s".formatted(OID, which));
        }
        return Arrays.copyOfRange(value, 2, value.length);
    }
}
