package org.computehive.vm.attestation;

import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.time.Instant;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERIA5String;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSASSAPSSparams;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V2TBSCertListGenerator;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/** A root, a signing key and a chip's key, as AMD makes them, of a test's own; and reports signed by them. */
final class AmdChain {
    static final Instant NOW = Instant.parse("2026-11-23T00:00:00Z");
    static final byte[] REPORT_DATA = bytes(64, 0x5a);
    static final byte[] CHIP = bytes(64, 0x11);

    private static final AlgorithmIdentifier SHA384 =
            new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha384, DERNull.INSTANCE);
    private static final AlgorithmIdentifier PSS = new AlgorithmIdentifier(
            PKCSObjectIdentifiers.id_RSASSA_PSS,
            new RSASSAPSSparams(
                    SHA384,
                    new AlgorithmIdentifier(PKCSObjectIdentifiers.id_mgf1, SHA384),
                    new ASN1Integer(48),
                    new ASN1Integer(1)));
    private static final KeyPair ROOT_KEY = rsa();
    private static final KeyPair SIGNING_KEY = rsa();
    private static final KeyPair CHIP_KEY = ec("secp384r1");

    final SnpProduct product;
    final boolean loaded;
    final X509Certificate root;
    final X509Certificate signing;
    final X509Certificate signer;

    AmdChain(SnpProduct product, boolean loaded) {
        this(product, loaded, tcb(product), CHIP_KEY.getPublic(), NOW.plusSeconds(86_400));
    }

    AmdChain(SnpProduct product, boolean loaded, SnpTcb tcb, PublicKey key, Instant until) {
        this.product = product;
        this.loaded = loaded;
        String ark = "ARK-" + product.word();
        String ask = "SEV-" + (loaded ? "VLEK-" : "") + product.word();
        String vek = loaded ? "SEV-VLEK" : "SEV-VCEK";
        root = certificate(ark, ark, 1, ROOT_KEY.getPublic(), ROOT_KEY.getPrivate(), issuer(), NOW.plusSeconds(86_400));
        signing = certificate(
                ask, ark, 7, SIGNING_KEY.getPublic(), ROOT_KEY.getPrivate(), issuer(), NOW.plusSeconds(86_400));
        signer = certificate(vek, ask, 0, key, SIGNING_KEY.getPrivate(), chip(product, loaded, tcb), until);
    }

    static SnpTcb tcb(SnpProduct product) {
        return new SnpTcb(product == SnpProduct.TURIN ? 2 : 0, 4, 1, 25, 211);
    }

    static KeyPair ec(String curve) {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(curve));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    private static KeyPair rsa() {
        try {
            var generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(3072);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    List<X509Certificate> certificates() {
        return List.of(signer, signing, root);
    }

    String pin() {
        return HexFormat.of().formatHex(Certificates.sha256(root));
    }

    private static Extensions issuer() {
        var extensions = new ExtensionsGenerator();
        add(extensions, Extension.basicConstraints, true, new BasicConstraints(1));
        return extensions.generate();
    }

    private static Extensions chip(SnpProduct product, boolean loaded, SnpTcb tcb) {
        var extensions = new ExtensionsGenerator();
        add(extensions, amd("1"), false, new ASN1Integer(0));
        add(
                extensions,
                amd("2"),
                false,
                new DERIA5String(product == SnpProduct.TURIN ? "Turin" : product.word() + "-B0"));
        add(extensions, amd("3.1"), false, new ASN1Integer(tcb.bootLoader()));
        add(extensions, amd("3.2"), false, new ASN1Integer(tcb.tee()));
        add(extensions, amd("3.3"), false, new ASN1Integer(tcb.snp()));
        add(extensions, amd("3.8"), false, new ASN1Integer(tcb.microcode()));
        if (product == SnpProduct.TURIN) {
            add(extensions, amd("3.9"), false, new ASN1Integer(tcb.fmc()));
        }
        if (loaded) {
            add(extensions, amd("5"), false, new DERIA5String("example-cloud"));
        } else {
            extensions.addExtension(amd("4"), false, bytes(product == SnpProduct.TURIN ? 8 : 64, 0x11));
        }
        return extensions.generate();
    }

    private static ASN1ObjectIdentifier amd(String rest) {
        return new ASN1ObjectIdentifier("1.3.6.1.4.1.3704.1." + rest);
    }

    private static void add(ExtensionsGenerator to, ASN1ObjectIdentifier name, boolean critical, ASN1Encodable value) {
        try {
            to.addExtension(name, critical, value);
        } catch (java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    private static X509Certificate certificate(
            String of,
            String by,
            int serial,
            PublicKey key,
            PrivateKey signedBy,
            Extensions extensions,
            Instant until) {
        var tbs = new V3TBSCertificateGenerator();
        tbs.setSerialNumber(new ASN1Integer(serial));
        tbs.setSignature(PSS);
        tbs.setSubject(new X500Name("CN=" + of + ",O=Test"));
        tbs.setIssuer(new X500Name("CN=" + by + ",O=Test"));
        tbs.setStartDate(new Time(Date.from(NOW.minusSeconds(86_400))));
        tbs.setEndDate(new Time(Date.from(until)));
        tbs.setSubjectPublicKeyInfo(SubjectPublicKeyInfo.getInstance(key.getEncoded()));
        tbs.setExtensions(extensions);
        try {
            byte[] der = signed(tbs.generateTBSCertificate(), signedBy);
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    /** A revocation list of the root's that names certificates by number. */
    byte[] list(Instant next, int... serials) {
        var tbs = new V2TBSCertListGenerator();
        tbs.setSignature(PSS);
        tbs.setIssuer(new X500Name("CN=ARK-" + product.word() + ",O=Test"));
        tbs.setThisUpdate(new Time(Date.from(NOW.minusSeconds(60))));
        tbs.setNextUpdate(new Time(Date.from(next)));
        for (int serial : serials) {
            tbs.addCRLEntry(new ASN1Integer(serial), new Time(Date.from(NOW.minusSeconds(60))), 1);
        }
        return signed(tbs.generateTBSCertList(), ROOT_KEY.getPrivate());
    }

    private static byte[] signed(ASN1Encodable tbs, PrivateKey key) {
        try {
            Signature signature = Signature.getInstance("RSASSA-PSS");
            signature.setParameter(new PSSParameterSpec("SHA-384", "MGF1", MGF1ParameterSpec.SHA384, 48, 1));
            signature.initSign(key);
            signature.update(tbs.toASN1Primitive().getEncoded(ASN1Encoding.DER));
            var parts = new ASN1Encodable[] {tbs, PSS, new DERBitString(signature.sign())};
            return new DERSequence(parts).getEncoded(ASN1Encoding.DER);
        } catch (GeneralSecurityException | java.io.IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Returns the unsigned fields of a good report. */
    ByteBuffer report() {
        ByteBuffer report = ByteBuffer.allocate(SnpReport.SIZE).order(ByteOrder.LITTLE_ENDIAN);
        report.putInt(0, 3);
        report.putLong(0x08, 0x30000L);
        report.putInt(0x34, 1);
        report.putInt(0x48, loaded ? 1 << 2 : 0);
        report.put(0x50, REPORT_DATA);
        report.put(0x90, bytes(48, 0xab));
        report.put(0x188, (byte) (product == SnpProduct.TURIN ? 0x1a : 0x19));
        for (int at : new int[] {0x38, 0x180, 0x1e0, 0x1f0}) {
            report.put(at, tcbBytes(tcb(product)));
        }
        report.put(0x1a0, product == SnpProduct.TURIN ? java.util.Arrays.copyOf(CHIP, 8) : CHIP);
        return report;
    }

    byte[] tcbBytes(SnpTcb tcb) {
        return product == SnpProduct.TURIN
                ? new byte[] {
                    (byte) tcb.fmc(),
                    (byte) tcb.bootLoader(),
                    (byte) tcb.tee(),
                    (byte) tcb.snp(),
                    0,
                    0,
                    0,
                    (byte) tcb.microcode()
                }
                : new byte[] {
                    (byte) tcb.bootLoader(), (byte) tcb.tee(), 0, 0, 0, 0, (byte) tcb.snp(), (byte) tcb.microcode()
                };
    }

    byte[] sign(ByteBuffer report) {
        return sign(report, CHIP_KEY.getPrivate());
    }

    byte[] sign(ByteBuffer report, PrivateKey key) {
        byte[] bytes = report.array().clone();
        try {
            Signature signature = Signature.getInstance("SHA384withECDSAinP1363Format");
            signature.initSign(key);
            signature.update(bytes, 0, SnpReport.SIGNED);
            byte[] numbers = signature.sign();
            for (int i = 0; i < 48; i++) {
                bytes[SnpReport.SIGNED + i] = numbers[47 - i];
                bytes[SnpReport.SIGNED + 72 + i] = numbers[95 - i];
            }
            return bytes;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }

    static byte[] bytes(int count, int value) {
        byte[] bytes = new byte[count];
        java.util.Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
