package org.computehive.vm.attestation;

import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.AlgorithmParameters;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECFieldFp;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPublicKeySpec;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Verifies TDX quotes (version 4) without asking anybody: the chain from Intel's pinned root to the platform's key, by it Intel's
 * quoting enclave, by that the key that signed the quote; the security versions of platform, TDX module and enclaves; and a guest
 * that its host can't debug or hand over, that measures as the policy asks and had signed what it should.
 *
 * <p>It does not read Intel's TCB info and enclave identities: what of them is trusted, the policy's lowest security versions say,
 * as for SEV-SNP. So a policy is only as fresh as those who keep it. Thread-safe.
 */
public final class TdxVerifier {
    private static final String ROOT = "Intel SGX Root CA";
    private static final Set<String> AUTHORITIES = Set.of("Intel SGX PCK Platform CA", "Intel SGX PCK Processor CA");
    private static final String PLATFORM = "Intel SGX PCK Certificate";
    private static final String BY = "SHA256withECDSA";
    /** Intel's, of the enclaves that sign quotes. */
    private static final String VENDOR = "939a7233f79c4ca9940a0db3957f0607";

    private static final String ENCLAVE_SIGNER = "dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5";
    private static final int TD_QUOTER = 2;
    private static final long ENCLAVE_DEBUG = 2;
    private static final long DEBUG = 0xff;
    private static final long SEPT_VE_DISABLE = 1L << 28;
    private static final long MIGRATABLE = 1L << 29;
    /** Protection keys, key locker and performance counters: none lets a host in. */
    private static final long HARMLESS = SEPT_VE_DISABLE | 1L << 30 | 1L << 31 | 1L << 63;

    private static final int MAJOR = 1;

    private final TdxPolicy policy;
    private final InstantSource clock;

    /** Creates one. */
    public TdxVerifier(TdxPolicy policy, InstantSource clock) {
        this.policy = policy;
        this.clock = clock;
    }

    /**
     * Verifies a quote.
     *
     * @param image what the guest should have booted
     * @param quote the quote with its certificates
     * @param reportData what the guest must have had signed, 64 bytes
     * @return what was verified, in short names and values
     * @throws org.computehive.rental.AttestationException with what failed
     */
    public Map<String, String> verify(String image, byte[] quote, byte[] reportData) {
        TdxQuote read = TdxQuote.read(quote);
        chain(read.chain());
        String revocation = revocation(read.chain());
        X509Certificate platform = read.chain().getFirst();
        PckTcb tcb = PckTcb.of(platform);
        TdxPolicy.Minimum least = policy.minimum().get(tcb.platform());
        if (least == null) {
            throw Failed.because("processor", "platform %s is not named by the policy".formatted(tcb.platform()));
        }
        check(p256(platform), read.enclaveReport(), read.enclaveSignature(), "enclave's signature");
        enclave(read, least);
        check(key(read.attestationKey()), read.signed(), read.signature(), "signature");
        versions(read, tcb, least);
        guest(image, read, reportData);
        var facts = new LinkedHashMap<String, String>();
        facts.put("hardware", "TDX, platform " + tcb.platform());
        facts.put(
                "tcb",
                "module %s, components %s, certifier %d"
                        .formatted(words(read.module()), words(tcb.components()), tcb.pce()));
        facts.put("measurement", read.measurement());
        facts.put("policy", "0x%x".formatted(read.attributes()));
        facts.put("revocation", revocation);
        return facts;
    }

    private static String words(List<Integer> versions) {
        return HexFormat.of().formatHex(bytes(versions));
    }

    private static byte[] bytes(List<Integer> versions) {
        byte[] bytes = new byte[versions.size()];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = versions.get(i).byteValue();
        }
        return bytes;
    }

    private void chain(List<X509Certificate> certificates) {
        Instant now = clock.instant();
        X509Certificate root = certificates.get(2);
        if (!HexFormat.of().formatHex(Certificates.sha256(root)).equals(policy.root())) {
            throw Failed.because(
                    "root certificate", "%s is not the pinned root of Intel".formatted(Certificates.commonName(root)));
        }
        X509Certificate authority = certificates.get(1);
        String name = Certificates.commonName(authority);
        if (!AUTHORITIES.contains(name)) {
            throw Failed.because("certificate chain", "%s is none of Intel's authorities".formatted(name));
        }
        Certificates.check(root, root, ROOT, BY, now);
        Certificates.check(authority, root, name, BY, now);
        Certificates.check(certificates.getFirst(), authority, PLATFORM, BY, now);
        Certificates.checkIssuer(root);
        Certificates.checkIssuer(authority);
    }

    private String revocation(List<X509Certificate> certificates) {
        return switch (policy.revocation()) {
            case TdxPolicy.Revocation.Unchecked unchecked -> "not checked";
            case TdxPolicy.Revocation.Lists lists -> {
                X509Certificate authority = certificates.get(1);
                byte[] own = lists.ofAuthorities().get(Certificates.commonName(authority));
                if (own == null) {
                    throw Failed.because(
                            "revocation",
                            "there is no revocation list of %s: fetch Intel's"
                                    .formatted(Certificates.commonName(authority)));
                }
                Instant root = listed(lists.ofRoot(), authority, certificates.get(2));
                Instant second = listed(own, certificates.getFirst(), authority);
                yield "none, by Intel's lists of %s and %s".formatted(root, second);
            }
        };
    }

    private Instant listed(byte[] der, X509Certificate certificate, X509Certificate issuer) {
        String name = Certificates.commonName(issuer);
        try {
            var list = (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(der));
            list.verify(issuer.getPublicKey());
            Instant now = clock.instant();
            if (!list.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())
                    || list.getThisUpdate().toInstant().isAfter(now)
                    || list.getNextUpdate() == null
                    || list.getNextUpdate().toInstant().isBefore(now)) {
                throw Failed.because(
                        "revocation",
                        "the revocation list of %s is another's, or is good from %s to %s only: fetch Intel's new one"
                                .formatted(name, list.getThisUpdate(), list.getNextUpdate()));
            }
            if (list.getRevokedCertificate(certificate.getSerialNumber()) != null) {
                throw Failed.because("revocation", "Intel has called back " + Certificates.commonName(certificate));
            }
            return list.getThisUpdate().toInstant();
        } catch (GeneralSecurityException e) {
            throw Failed.because(
                    "revocation", "the list of %s can't be read, or it did not sign it".formatted(name), e);
        }
    }

    private static PublicKey p256(X509Certificate platform) {
        if (platform.getPublicKey() instanceof ECPublicKey key
                && key.getParams().getOrder().equals(curve().getOrder())) {
            return key;
        }
        throw Failed.because("signer's key", "it is not of the curve P-256");
    }

    private static ECParameterSpec curve() {
        try {
            AlgorithmParameters parameters = AlgorithmParameters.getInstance("EC");
            parameters.init(new ECGenParameterSpec("secp256r1"));
            return parameters.getParameterSpec(ECParameterSpec.class);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has P-256", e);
        }
    }

    /** Returns the key of two coordinates, which must be a point of the curve. */
    private static PublicKey key(byte[] pair) {
        ECParameterSpec curve = curve();
        var x = new BigInteger(1, Arrays.copyOf(pair, 32));
        var y = new BigInteger(1, Arrays.copyOfRange(pair, 32, 64));
        BigInteger prime = ((ECFieldFp) curve.getCurve().getField()).getP();
        BigInteger right = x.pow(3)
                .add(curve.getCurve().getA().multiply(x))
                .add(curve.getCurve().getB())
                .mod(prime);
        if (x.compareTo(prime) >= 0
                || y.compareTo(prime) >= 0
                || !y.pow(2).mod(prime).equals(right)) {
            throw Failed.because("signer's key", "the attestation key is no point of P-256");
        }
        try {
            return KeyFactory.getInstance("EC").generatePublic(new ECPublicKeySpec(new ECPoint(x, y), curve));
        } catch (GeneralSecurityException e) {
            throw Failed.because("signer's key", "the attestation key is no key of P-256", e);
        }
    }

    private static void check(PublicKey key, byte[] signed, byte[] signature, String what) {
        try {
            Signature verifier = Signature.getInstance("SHA256withECDSAinP1363Format");
            verifier.initVerify(key);
            verifier.update(signed);
            if (verifier.verify(signature)) {
                return;
            }
        } catch (GeneralSecurityException e) {
            throw Failed.because(what, "it can't be checked", e);
        }
        throw Failed.because(what, "it is not the key's");
    }

    /** The enclave that signed must be Intel's own for TDX, and must have made the key. */
    private static void enclave(TdxQuote quote, TdxPolicy.Minimum least) {
        ByteBuffer report = ByteBuffer.wrap(quote.enclaveReport()).order(ByteOrder.LITTLE_ENDIAN);
        String signer = HexFormat.of().formatHex(report.array(), 128, 160);
        int product = Short.toUnsignedInt(report.getShort(256));
        if (!quote.vendor().equals(VENDOR) || !signer.equals(ENCLAVE_SIGNER) || product != TD_QUOTER) {
            throw Failed.because("quoting enclave", "it is not Intel's for TDX");
        }
        if ((report.getLong(48) & ENCLAVE_DEBUG) != 0) {
            throw Failed.because("quoting enclave", "it may be debugged");
        }
        int version = Short.toUnsignedInt(report.getShort(258));
        if (version < least.quoter()) {
            throw Failed.because(
                    "minimum tcb",
                    "the quoting enclave is %d, below %d: its host needs an update".formatted(version, least.quoter()));
        }
        byte[] expected = new byte[TdxQuote.PAIR];
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(quote.attestationKey());
            byte[] made = digest.digest(quote.enclaveData());
            System.arraycopy(made, 0, expected, 0, made.length);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
        if (!Arrays.equals(expected, Arrays.copyOfRange(report.array(), 320, TdxQuote.REPORT))) {
            throw Failed.because("attestation key", "the quoting enclave did not make it");
        }
    }

    private static void versions(TdxQuote quote, PckTcb tcb, TdxPolicy.Minimum least) {
        if (!SnpReport.isZero(quote.moduleSigner()) || quote.moduleAttributes() != 0) {
            throw Failed.because("tdx module", "it is not Intel's, or may be debugged");
        }
        List<Integer> module = quote.module();
        List<Integer> leastModule = least.modules().get(module.get(MAJOR));
        if (leastModule == null) {
            throw Failed.because(
                    "minimum tcb", "major version %d of the TDX module is not named".formatted(module.get(MAJOR)));
        }
        boolean good = isAtLeast(module, leastModule)
                && isAtLeast(tcb.components(), least.components())
                && tcb.pce() >= least.certifier();
        if (!good) {
            throw Failed.because(
                    "minimum tcb",
                    "module %s, components %s, certifier %d: one is below %s, %s, %d, its host needs an update"
                            .formatted(
                                    words(module),
                                    words(tcb.components()),
                                    tcb.pce(),
                                    words(leastModule),
                                    words(least.components()),
                                    least.certifier()));
        }
    }

    private static boolean isAtLeast(List<Integer> versions, List<Integer> least) {
        for (int i = 0; i < least.size(); i++) {
            if (versions.get(i) < least.get(i)) {
                return false;
            }
        }
        return true;
    }

    private void guest(String image, TdxQuote quote, byte[] reportData) {
        long bits = quote.attributes();
        if ((bits & DEBUG) != 0) {
            throw Failed.because("debug policy", "the guest's attributes 0x%x let its host read it".formatted(bits));
        }
        if ((bits & MIGRATABLE) != 0) {
            throw Failed.because(
                    "migration policy", "the guest's attributes 0x%x let it be handed over".formatted(bits));
        }
        if ((bits & ~HARMLESS) != 0 || ((bits & SEPT_VE_DISABLE) == 0 && !policy.eptViolations())) {
            throw Failed.because("policy", "the guest's attributes 0x%x are not as they must be".formatted(bits));
        }
        var found =
                new TdxPolicy.Measurement(quote.measurement(), quote.measured(0), quote.measured(1), quote.measured(2));
        Set<TdxPolicy.Measurement> right = policy.measurements().getOrDefault(image, Set.of());
        if (!right.contains(found)) {
            throw Failed.because(
                    "measurement",
                    "the guest measures %s, which is none of the %d that are right for image %s"
                            .formatted(found, right.size(), image));
        }
        if (reportData.length != TdxQuote.PAIR || !Arrays.equals(quote.reportData(), reportData)) {
            throw Failed.because("report data", "the quote is not about this guest's keys, this rental and this nonce");
        }
    }
}
