package org.computehive.access;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.Objects;

/**
 * What a gateway starts with.
 *
 * @param bind where it listens; port 0 takes a free one
 * @param hostKey its key
 * @param hostCertificate the certificate of that key
 * @param userAuthorities the keys whose renters' certificates count; several while keys rotate
 * @param limits how much it puts up with
 */
public record GatewayConfig(
        InetSocketAddress bind,
        HostKeyPair hostKey,
        HostCertificate hostCertificate,
        List<SshPublicKey> userAuthorities,
        GatewayLimits limits) {
    /**
     * Copies the list and checks that the parts fit.
     *
     * @throws IllegalArgumentException if the certificate is of another key or there is no authority
     */
    public GatewayConfig {
        Objects.requireNonNull(bind, "bind");
        Objects.requireNonNull(limits, "limits");
        userAuthorities = List.copyOf(userAuthorities);
        if (!hostCertificate.key().equals(hostKey.publicKey())) {
            throw new IllegalArgumentException("the gateway's certificate is of %s, its key is %s: certify that key"
                    .formatted(hostCertificate.key(), hostKey.publicKey()));
        }
        if (userAuthorities.isEmpty()) {
            throw new IllegalArgumentException("the gateway trusts no user authority: name at least one");
        }
    }
}
