package org.computehive.vm.attestation;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V2TBSCertListGenerator;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/** A root, an authority, a platform's key and a quoting enclave, as Intel makes them, of a test's own; and quotes by them. */
final class IntelChain {
    static final Instant NOW = Instant.parse("2026-11-23T00:00:00Z");
    static final byte[] REPORT_DATA = AmdChain.bytes(64, 0x5a);
    static final String PLATFORM = "50806f000000";
    static final String AUTHORITY = "Intel SGX PCK Platform CA";
    static final int PLATFORM_NUMBER = 77;
    static final int AUTHORITY_NUMBER = 7;
    static final List<Integer> COMPONENTS = List.of(3, 3, 2, 2, 2, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0);
    static final int PCE = 11;
    static final int QUOTER = 4;

    private static final AlgorithmIdentifier ECDSA =
            new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.840.10045.4.3.2"));
    private static final KeyPair ROOT_KEY = AmdChain.ec("secp256r1");
    private static final KeyPair AUTHORITY_KEY = AmdChain.ec("secp256r1");
    private static final KeyPair PLATFORM_KEY = AmdChain.ec("secp256r1");
    private static final String SGX = "1.2.840.113741.1.13.1";

    final KeyPair attestation = AmdChain.ec("secp256r1");
    final X509Certificate root;
    final X509Certificate authority;
    final X509Certificate platform;

    IntelChain() {
        this(AUTHORITY, "Intel SGX PCK Certificate", PLATFORM_KEY);
    }

    IntelChain(String authorityName, String platformName, KeyPair platformKey) {
        Instant later = NOW.plusSeconds(86_400);
        root = certificate(
                "Intel SGX Root CA", "Intel SGX Root CA", 1, ROOT_KEY.getPublic(), ROOT_KEY, true, List.of(), later);
        authority = certificate(
                authorityName,
                "Intel SGX Root CA",
                AUTHORITY_NUMBER,
                AUTHORITY_KEY.getPublic(),
                ROOT_KEY,
                true,
                List.of(),
                later);
        platform = certificate(
                platformName,
                authorityName,
                PLATFORM_NUMBER,
                platformKey.getPublic(),
                AUTHORITY_KEY,
                false,
                COMPONENTS,
                later);
    }

    String pin() {
        return HexFormat.of().formatHex(Certificates.sha256(root));
    }

    private static ASN1ObjectIdentifier sgx(String rest) {
        return new ASN1ObjectIdentifier(SGX + rest);
    }

    private static DERSequence entry(String name, ASN1Encodable value) {
        return new DERSequence(new ASN1Encodable[] {sgx(name), value});
    }

    private static DERSequence said(List<Integer> components) {
        var tcb = new ASN1Encodable[18];
        for (int i = 0; i < 16; i++) {
            tcb[i] = entry(".2." + (i + 1), new ASN1Integer(components.get(i)));
        }
        tcb[16] = entry(".2.17", new ASN1Integer(PCE));
        tcb[17] = entry(".2.18", new DEROctetString(new byte[16]));
        return new DERSequence(new ASN1Encodable[] {
            entry(".1", new DEROctetString(new byte[16])),
            entry(".2", new DERSequence(tcb)),
            entry(".3", new DEROctetString(new byte[2])),
            entry(".4", new DEROctetString(HexFormat.of().parseHex(PLATFORM)))
        });
    }

    private static X509Certificate certificate(
            String of,
            String by,
            int serial,
            PublicKey key,
            KeyPair signer,
            boolean issuer,
            List<Integer> components,
            Instant until) {
        var tbs = new V3TBSCertificateGenerator();
        tbs.setSerialNumber(new ASN1Integer(serial));
        tbs.setSignature(ECDSA);
        tbs.setSubject(new X500Name("CN=" + of + ",O=Test"));
        tbs.setIssuer(new X500Name("CN=" + by + ",O=Test"));
        tbs.setStartDate(new Time(Date.from(NOW.minusSeconds(86_400))));
        tbs.setEndDate(new Time(Date.from(until)));
        tbs.setSubjectPublicKeyInfo(SubjectPublicKeyInfo.getInstance(key.getEncoded()));
        var extensions = new ExtensionsGenerator();
        try {
            extensions.addExtension(
                    Extension.basicConstraints, true, issuer ? new BasicConstraints(1) : new BasicConstraints(false));
            if (!components.isEmpty()) {
                extensions.addExtension(new ASN1ObjectIdentifier(SGX), false, said(components));
            }
            tbs.setExtensions(extensions.generate());
            return (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(
                            new ByteArrayInputStream(signed(tbs.generateTBSCertificate(), signer.getPrivate())));
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] signed(ASN1Encodable tbs, PrivateKey key) {
        try {
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key);
            signature.update(tbs.toASN1Primitive().getEncoded(ASN1Encoding.DER));
            return new DERSequence(new ASN1Encodable[] {tbs, ECDSA, new DERBitString(signature.sign())})
                    .getEncoded(ASN1Encoding.DER);
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError(e);
        }
    }

    /** A list of the root's. */
    static byte[] ofRoot(Instant next, int... serials) {
        return list("Intel SGX Root CA", ROOT_KEY, next, serials);
    }

    /** A list of the authority's. */
    static byte[] ofAuthority(Instant next, int... serials) {
        return list(AUTHORITY, AUTHORITY_KEY, next, serials);
    }

    private static byte[] list(String name, KeyPair key, Instant next, int... serials) {
        var tbs = new V2TBSCertListGenerator();
        tbs.setSignature(ECDSA);
        tbs.setIssuer(new X500Name("CN=" + name + ",O=Test"));
        tbs.setThisUpdate(new Time(Date.from(NOW.minusSeconds(60))));
        tbs.setNextUpdate(new Time(Date.from(next)));
        for (int serial : serials) {
            tbs.addCRLEntry(new ASN1Integer(serial), new Time(Date.from(NOW.minusSeconds(60))), 1);
        }
        return signed(tbs.generateTBSCertList(), key.getPrivate());
    }

    /** Returns header and body of a good quote. */
    static ByteBuffer body() {
        ByteBuffer body = ByteBuffer.allocate(TdxQuote.SIGNED).order(ByteOrder.LITTLE_ENDIAN);
        body.putShort(0, (short) 4).putShort(2, (short) 2).putInt(4, 0x81);
        body.put(12, HexFormat.of().parseHex("939a7233f79c4ca9940a0db3957f0607"));
        body.put(48, new byte[] {3, 0, 4});
        body.putLong(48 + 120, 1L << 28);
        body.put(48 + 136, AmdChain.bytes(48, 0xab));
        for (int register = 0; register < 4; register++) {
            body.put(48 + 328 + 48 * register, AmdChain.bytes(48, 0xc0 + register));
        }
        body.put(48 + 520, REPORT_DATA);
        return body;
    }

    static TdxPolicy.Measurement measurement() {
        return new TdxPolicy.Measurement("ab".repeat(48), "c0".repeat(48), "c1".repeat(48), "c2".repeat(48));
    }

    /** Returns a good report of the quoting enclave about this chain's key. */
    ByteBuffer enclave(byte[] data) {
        ByteBuffer report = ByteBuffer.allocate(TdxQuote.REPORT).order(ByteOrder.LITTLE_ENDIAN);
        report.putLong(48, 0x15);
        report.put(128, HexFormat.of().parseHex("dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5"));
        report.putShort(256, (short) 2).putShort(258, (short) QUOTER);
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(point(attestation.getPublic()));
            report.put(320, digest.digest(data));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
        return report;
    }

    byte[] quote(ByteBuffer body) {
        byte[] data = AmdChain.bytes(32, 0x77);
        return quote(body, enclave(data), data);
    }

    byte[] quote(ByteBuffer body, ByteBuffer enclave, byte[] data) {
        byte[] pem = pem();
        ByteBuffer quote = ByteBuffer.allocate(
                        TdxQuote.SIGNED + 4 + 128 + 6 + 384 + 64 + 2 + data.length + 6 + pem.length + 8)
                .order(ByteOrder.LITTLE_ENDIAN);
        quote.put(body.array());
        quote.putInt(128 + 6 + 384 + 64 + 2 + data.length + 6 + pem.length);
        quote.put(sign(body.array(), attestation.getPrivate())).put(point(attestation.getPublic()));
        quote.putShort((short) 6).putInt(384 + 64 + 2 + data.length + 6 + pem.length);
        quote.put(enclave.array()).put(sign(enclave.array(), PLATFORM_KEY.getPrivate()));
        quote.putShort((short) data.length).put(data);
        quote.putShort((short) 5).putInt(pem.length).put(pem);
        return quote.array(); // eight zeros follow, as in quotes of real hosts
    }

    private byte[] pem() {
        var text = new StringBuilder();
        for (X509Certificate one : List.of(platform, authority, root)) {
            try {
                text.append("-----BEGIN CERTIFICATE-----\n")
                        .append(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(one.getEncoded()))
                        .append("\n-----END CERTIFICATE-----\n");
            } catch (GeneralSecurityException e) {
                throw new AssertionError(e);
            }
        }
        return text.append('\0').toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] sign(byte[] bytes, PrivateKey key) {
        try {
            Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
            signature.initSign(key);
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] point(PublicKey key) {
        var point = ((ECPublicKey) key).getW();
        ByteBuffer pair = ByteBuffer.allocate(64);
        for (BigInteger number : List.of(point.getAffineX(), point.getAffineY())) {
            byte[] digits = number.toByteArray();
            int length = Math.min(32, digits.length);
            pair.position(pair.position() + 32 - length);
            pair.put(digits, digits.length - length, length);
        }
        return pair.array();
    }
}
