package org.computehive.vm.proxmox;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.HexFormat;
import java.util.Set;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;

/** Sets up TLS by one's own trust, never the system's authorities. */
final class PinnedTls {
    private PinnedTls() {}

    static OkHttpClient.Builder apply(OkHttpClient.Builder client, ProxmoxSettings.Trust trust) {
        try {
            X509TrustManager manager = switch (trust) {
                case ProxmoxSettings.Trust.Pinned pinned -> new Pins(pinned.sha256());
                case ProxmoxSettings.Trust.Authority authority -> authority(authority.pem());
            };
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {manager}, null);
            client.sslSocketFactory(context.getSocketFactory(), manager);
            return trust instanceof ProxmoxSettings.Trust.Pinned
                    ? client.hostnameVerifier((host, session) -> true)
                    : client;
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("the trust can't be set up: " + e.getMessage(), e);
        }
    }

    private static X509TrustManager authority(String pem) throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        var in = new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
        store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        return (X509TrustManager) factory.getTrustManagers()[0];
    }

    /** Believes a server that has one of some keys: the handshake proves that it has. */
    private record Pins(Set<String> sha256) implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
            throw new CertificateException("this is a client");
        }

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
            try {
                byte[] digest = MessageDigest.getInstance("SHA-256")
                        .digest(chain[0].getPublicKey().getEncoded());
                String found = HexFormat.of().formatHex(digest);
                if (!sha256.contains(found)) {
                    throw new CertificateException("the server's key %s is not pinned".formatted(found));
                }
            } catch (NoSuchAlgorithmException e) {
                throw new CertificateException(e);
            }
        }

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
