package org.computehive.vm.proxmox;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.computehive.market.NetworkPolicy;
import org.computehive.vm.internal.CloudSeed;

/**
 * A node of a Proxmox VE cluster (8 or newer), and what of it may be used.
 *
 * @param address where its API is, such as {@code https://pve.example.org:8006}
 * @param node the node's name
 * @param token who asks
 * @param trust whose TLS certificate is believed
 * @param templates the guest images, by name
 * @param pool the pool that VMs are put into; empty for none
 * @param seeds a storage for ISO images on which a guest's seed lies until it has read it
 * @param network where guests are found
 * @param limits how long to wait
 */
public record ProxmoxSettings(
        URI address,
        String node,
        Token token,
        Trust trust,
        Map<String, Template> templates,
        String pool,
        String seeds,
        Network network,
        Limits limits) {
    /** Checks the address and the names. */
    public ProxmoxSettings {
        if (!"https".equals(address.getScheme()) || address.getHost() == null) {
            throw new IllegalArgumentException("Proxmox VE is reached over https, not at %s".formatted(address));
        }
        for (String name : List.of(node, seeds)) {
            if (!name.matches("[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")) {
                throw new IllegalArgumentException("%s is no name of a node or a storage".formatted(name));
            }
        }
        templates = Map.copyOf(templates);
    }

    /**
     * An API token. Its secret is in no log and no exception.
     *
     * @param id such as {@code computehive@pve!engine}
     * @param secret the UUID that Proxmox VE showed once
     */
    public record Token(String id, String secret) {
        /** Refuses what could leave its header. */
        public Token {
            if (!id.matches("[\\x21-\\x7e&&[^=]]+@[A-Za-z0-9.-]+![A-Za-z0-9._-]+")
                    || !secret.matches("[0-9A-Za-z-]+")) {
                throw new IllegalArgumentException(
                        "a token is USER@REALM!NAME with a secret of letters, digits and hyphens");
            }
        }

        String header() {
            return "PVEAPIToken=" + id + "=" + secret;
        }

        @Override
        public String toString() {
            return "Token[" + id + "]";
        }
    }

    /** Whose TLS certificate is believed. */
    public sealed interface Trust {
        /**
         * Of exactly these public keys, whatever name a certificate is for: for the certificates that nodes make themselves.
         *
         * @param sha256 the SHA-256 of each public key (SubjectPublicKeyInfo), 64 hexadecimal digits
         */
        record Pinned(Set<String> sha256) implements Trust {
            /** Copies the set. */
            public Pinned {
                sha256 = Set.copyOf(sha256);
            }
        }

        /**
         * Of an authority, for the address's own name.
         *
         * @param pem its certificate
         */
        record Authority(String pem) implements Trust {}
    }

    /**
     * A template that VMs are cloned from.
     *
     * @param vmid its number
     * @param sha256 the SHA-256 of its configuration: see {@link ProxmoxHypervisor#templateSha256}
     */
    public record Template(int vmid, String sha256) {}

    /**
     * Where guests are found. The bridge that a template's {@code net0} names must keep guests from one another and from the
     * management network, and let them reach what is said here: Proxmox VE's firewall or a VLAN does it, not this class. So a
     * session whose policy is another is refused.
     *
     * @param addresses IPv4 addresses that are the guests' alone; as many VMs run at a time
     * @param prefix the length of their network's prefix
     * @param gateway their router; empty for none
     * @param sshPort the port of their SSH servers
     * @param reaches what guests reach over that bridge, as its operator filters it: {@link NetworkPolicy.Kind#NONE} or {@link
     *     NetworkPolicy.Kind#INTERNET}
     */
    public record Network(List<String> addresses, int prefix, String gateway, int sshPort, NetworkPolicy.Kind reaches) {
        private static final String ANY_ETHERNET = "e*";

        /**
         * Checks them.
         *
         * @throws IllegalArgumentException if an address is none, or the bridge would need each listing's own list
         */
        public Network {
            if (reaches == NetworkPolicy.Kind.RESTRICTED) {
                throw new IllegalArgumentException(
                        "a bridge can't be filtered for RESTRICTED, since each listing has a list of its own: NONE and INTERNET are possible");
            }
            addresses = List.copyOf(addresses);
            for (String address : addresses) {
                checkAddress(address);
            }
            if (!gateway.isEmpty()) {
                checkAddress(gateway);
            }
        }

        CloudSeed.Place place(String address) {
            return new CloudSeed.Place("name", ANY_ETHERNET, address, prefix, gateway, List.of());
        }

        private static void checkAddress(String address) {
            if (!address.matches("(\\d{1,3}\\.){3}\\d{1,3}")) {
                throw new IllegalArgumentException("%s is no IPv4 address".formatted(address));
            }
        }
    }

    /**
     * How long to wait.
     *
     * @param call for one answer
     * @param task for a task to end, such as a clone
     * @param ready for a guest's SSH server to answer
     * @param poll between two looks: Proxmox VE tells of nothing by itself
     */
    public record Limits(Duration call, Duration task, Duration ready, Duration poll) {
        /** Twenty seconds, ten minutes, three minutes, and half a second. */
        public static final Limits DEFAULT = new Limits(
                Duration.ofSeconds(20), Duration.ofMinutes(10), Duration.ofMinutes(3), Duration.ofMillis(500));
    }
}
