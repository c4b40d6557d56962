package org.computehive.vm.proxmox;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Date;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/** A certificate as a fresh node makes it for itself: signed by nobody, for a name that nobody asks for. */
final class SelfSigned {
    private SelfSigned() {}

    static X509Certificate certificate(KeyPair key) {
        var algorithm = new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256);
        var tbs = new V3TBSCertificateGenerator();
        var name = new X500Name("CN=pve1.example.org");
        tbs.setSerialNumber(new ASN1Integer(1));
        tbs.setSignature(algorithm);
        tbs.setSubject(name);
        tbs.setIssuer(name);
        tbs.setStartDate(new Time(Date.from(Instant.now().minusSeconds(3600))));
        tbs.setEndDate(new Time(Date.from(Instant.now().plusSeconds(86_400))));
        tbs.setSubjectPublicKeyInfo(
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        try {
            var body = tbs.generateTBSCertificate();
            Signature signature = Signature.getInstance("SHA256withECDSA");
            signature.initSign(key.getPrivate());
            signature.update(body.getEncoded(ASN1Encoding.DER));
            byte[] der = new DERSequence(new ASN1Encodable[] {body, algorithm, new DERBitString(signature.sign())})
                    .getEncoded(ASN1Encoding.DER);
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        } catch (GeneralSecurityException | IOException e) {
            throw new AssertionError(e);
        }
    }
}
