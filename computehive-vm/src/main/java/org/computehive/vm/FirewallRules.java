package org.computehive.vm;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.NetworkPolicy.Kind;
import org.computehive.rental.RentalId;

/**
 * The firewall of one guest: one table for the edge and one for the routes of its namespace, and one for its link in the
 * host. Each refuses on its own what must never pass, so that a fault of one is not enough. Pure.
 *
 * @param link the guest's link
 * @param policy what its guest reaches
 * @param hostNetworks the networks that the host itself has addresses in, in CIDR notation
 */
record FirewallRules(GuestLink.Routed link, NetworkPolicy policy, List<String> hostNetworks) {
    private static final String ESTABLISHED = "established,related";
    /** How many connections a guest may have open at a time: more would fill the host's table of all connections. */
    private static final String MOST_CONNECTIONS = "16384";

    FirewallRules {
        hostNetworks = List.copyOf(hostNetworks);
    }

    /** Returns the name of a session's table in the host. */
    static String outerTable(RentalId id) {
        return "computehive_" + id.value();
    }

    private List<String> refused() {
        var refused = new ArrayList<>(NetworkPolicy.never());
        if (policy.kind() == Kind.INTERNET) {
            refused.addAll(NetworkPolicy.privateNetworks());
            refused.addAll(hostNetworks);
        }
        return refused;
    }

    private List<String> allowed() {
        return policy.allowed().stream()
                .map(to -> "%s . %s . %d-%d"
                        .formatted(
                                to.addresses(),
                                to.protocol().name().toLowerCase(Locale.ROOT),
                                to.firstPort(),
                                to.lastPort()))
                .distinct()
                .toList();
    }

    /** Returns the tables of the namespace. */
    String inner() {
        return edge() + routes();
    }

    /** At the tap device itself: only IPv4 and ARP, only with the guest's own addresses. What is IPv6 is counted and dropped. */
    private String edge() {
        return Nft.table(
                "netdev",
                "edge",
                table -> table.chain(
                        "from_guest",
                        "filter",
                        "ingress device " + link.tap(),
                        "filter",
                        "drop",
                        chain -> chain.rule("ether", "type", "ip6", "counter", "drop")
                                .rule(
                                        "ether",
                                        "saddr",
                                        GuestLink.MAC,
                                        "ether",
                                        "type",
                                        "ip",
                                        "ip",
                                        "saddr",
                                        GuestLink.GUEST,
                                        "accept")
                                .rule(
                                        "ether",
                                        "saddr",
                                        GuestLink.MAC,
                                        "arp",
                                        "saddr",
                                        "ether",
                                        GuestLink.MAC,
                                        "arp",
                                        "saddr",
                                        "ip",
                                        GuestLink.GUEST,
                                        "accept")));
    }

    private String routes() {
        return Nft.table("inet", "routes", table -> {
            table.addresses("refused", refused());
            if (policy.kind() == Kind.RESTRICTED) {
                table.destinations("allowed", allowed());
            }
            table.chain(
                    "input",
                    "filter",
                    "input",
                    "filter",
                    "drop",
                    chain -> chain.rule("ct", "state", ESTABLISHED, "accept").rule("iifname", link.tap(), "reject"));
            table.chain("forward", "filter", "forward", "filter", "drop", this::forward);
            table.chain(
                    "to_guest",
                    "nat",
                    "prerouting",
                    "dstnat",
                    "accept",
                    chain -> chain.rule(
                            "iifname",
                            link.inner(),
                            "ip",
                            "saddr",
                            link.hostAddress(),
                            "tcp",
                            "dport",
                            "22",
                            "dnat",
                            "ip",
                            "to",
                            GuestLink.GUEST + ":22"));
            table.chain("from_guest", "nat", "postrouting", "srcnat", "accept", chain -> chain.rule("masquerade"));
        });
    }

    private void forward(Nft chain) {
        chain.rule("ct", "state", "invalid", "drop").rule("ct", "state", ESTABLISHED, "accept");
        chain.rule(
                "iifname",
                link.inner(),
                "oifname",
                link.tap(),
                "ip",
                "saddr",
                link.hostAddress(),
                "ip",
                "daddr",
                GuestLink.GUEST,
                "tcp",
                "dport",
                "22",
                "accept");
        chain.rule("iifname", "!=", link.tap(), "drop");
        chain.rule("ip", "daddr", "@refused", "reject", "with", "icmpx", "admin-prohibited");
        chain.rule("ct", "count", "over", MOST_CONNECTIONS, "reject", "with", "icmpx", "admin-prohibited");
        switch (policy.kind()) {
            case INTERNET -> chain.rule("oifname", link.inner(), "accept");
            case RESTRICTED ->
                chain.rule(
                        "oifname",
                        link.inner(),
                        "ip",
                        "daddr",
                        ".",
                        "meta",
                        "l4proto",
                        ".",
                        "th",
                        "dport",
                        "@allowed",
                        "accept");
            case NONE -> chain.rule("drop");
        }
        chain.rule("reject", "with", "icmpx", "admin-prohibited");
    }

    /** Returns the table of the host. */
    String outer(RentalId id) {
        return Nft.table("inet", outerTable(id), table -> {
            table.addresses("refused", refused());
            table.chain(
                    "arrive",
                    "filter",
                    "prerouting",
                    "raw",
                    "accept",
                    chain -> chain.rule("iifname", link.outer(), "ip", "saddr", "!=", link.sessionAddress(), "drop")
                            .rule("iifname", link.outer(), "meta", "nfproto", "!=", "ipv4", "drop")
                            .rule(
                                    "iifname",
                                    link.outer(),
                                    "ip",
                                    "daddr",
                                    "!=",
                                    link.hostAddress(),
                                    "fib",
                                    "daddr",
                                    "type",
                                    "local",
                                    "drop"));
            table.chain(
                    "input",
                    "filter",
                    "input",
                    "filter",
                    "accept",
                    chain -> chain.rule("iifname", link.outer(), "ct", "state", ESTABLISHED, "accept")
                            .rule("iifname", link.outer(), "drop"));
            table.chain(
                    "forward",
                    "filter",
                    "forward",
                    "filter",
                    "accept",
                    chain -> chain.rule("iifname", link.outer(), "oifname", GuestLink.Routed.OUTER_PREFIX + "*", "drop")
                            .rule("iifname", link.outer(), "ip", "daddr", "@refused", "drop")
                            .rule("oifname", link.outer(), "ct", "state", ESTABLISHED, "accept")
                            .rule("oifname", link.outer(), "drop"));
            table.chain(
                    "leave",
                    "nat",
                    "postrouting",
                    "srcnat",
                    "accept",
                    chain -> chain.rule(
                            "ip", "saddr", link.sessionAddress(), "oifname", "!=", link.outer(), "masquerade"));
        });
    }
}
