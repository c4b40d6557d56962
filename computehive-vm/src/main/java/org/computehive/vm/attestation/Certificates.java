package org.computehive.vm.attestation;

import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;

/** Reads and compares X.509 certificates. Stateless. */
final class Certificates {
    private Certificates() {}

    static List<X509Certificate> read(List<String> base64) {
        return base64.stream().map(Certificates::read).toList();
    }

    private static X509Certificate read(String base64) {
        try {
            byte[] der = Base64.getDecoder().decode(base64);
            var in = new ByteArrayInputStream(der);
            var certificate =
                    (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(in);
            if (in.available() > 0) {
                throw Failed.because("certificate", "%d bytes follow a certificate".formatted(in.available()));
            }
            return certificate;
        } catch (IllegalArgumentException | CertificateException e) {
            throw Failed.because("certificate", "it is no X.509 certificate (DER) in base64: " + e.getMessage(), e);
        }
    }

    static byte[] sha256(X509Certificate certificate) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(certificate.getEncoded());
        } catch (NoSuchAlgorithmException | CertificateException e) {
            throw new IllegalStateException("a certificate that was read can be written", e);
        }
    }

    /** Checks that one was signed by another, is named as it should be, and is valid now. */
    static void check(X509Certificate of, X509Certificate by, String name, String signature, Instant now) {
        if (!commonName(of).equals(name)) {
            throw Failed.because(
                    "certificate chain", "a certificate is of %s, not of %s".formatted(commonName(of), name));
        }
        if (!of.getIssuerX500Principal().equals(by.getSubjectX500Principal())) {
            throw Failed.because("certificate chain", "%s was not issued by %s".formatted(name, commonName(by)));
        }
        if (!of.getSigAlgName().equals(signature)) {
            throw Failed.because(
                    "certificate chain",
                    "%s is signed by %s, not by %s".formatted(name, of.getSigAlgName(), signature));
        }
        try {
            of.verify(by.getPublicKey());
        } catch (GeneralSecurityException e) {
            throw Failed.because(
                    "certificate chain", "the signature of %s on %s is wrong".formatted(commonName(by), name), e);
        }
        try {
            of.checkValidity(Date.from(now));
        } catch (CertificateException e) {
            throw Failed.because(
                    "certificate validity",
                    "%s is valid from %s to %s, and it is %s".formatted(name, of.getNotBefore(), of.getNotAfter(), now),
                    e);
        }
    }

    static void checkIssuer(X509Certificate issuer) {
        boolean[] usage = issuer.getKeyUsage();
        if (issuer.getBasicConstraints() < 0 || (usage != null && !usage[5])) {
            throw Failed.because("certificate chain", commonName(issuer) + " may not sign certificates");
        }
    }

    static String commonName(X509Certificate certificate) {
        try {
            return new LdapName(certificate.getSubjectX500Principal().getName())
                    .getRdns().stream()
                            .filter(rdn -> rdn.getType().equalsIgnoreCase("CN"))
                            .map(rdn -> String.valueOf(rdn.getValue()))
                            .findFirst()
                            .orElse("nobody");
        } catch (InvalidNameException e) {
            return "nobody";
        }
    }
}
