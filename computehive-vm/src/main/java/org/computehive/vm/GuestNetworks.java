package org.computehive.vm;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InterfaceAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.market.NetworkPolicy;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;

/**
 * The networks of guests: QEMU's shut user network for policy {@code NONE}; for the others a network namespace per session
 * with the guest's tap device, joined to the host by a pair of devices, with firewall rules on both sides. Guests never
 * share a network. Nothing runs in such a namespace; the kernel routes. Thread-safe across rentals.
 */
final class GuestNetworks {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Path FORWARDS = Path.of("/proc/sys/net/ipv4/ip_forward");
    private static final Path IPV6 = Path.of("/proc/sys/net/ipv6/conf");
    private static final long LARGEST_PACKET = 65_536;
    private static final Pattern INNER = Pattern.compile("\\bchu(\\d{1,5})@");

    private final HostNetwork options;
    private final Account account;
    private final boolean root;

    GuestNetworks(HostNetwork options, Account account) {
        this(options, account, Account.root());
    }

    GuestNetworks(HostNetwork options, Account account, boolean root) {
        this.options = options;
        this.account = account;
        this.root = root;
    }

    /**
     * Checks that a guest may have a policy here.
     *
     * @throws HypervisorException.Refused if the host's operator doesn't allow it
     * @throws HypervisorException.Lacking if this host can't enforce it
     */
    void check(NetworkPolicy policy) {
        NetworkPolicy.Kind kind = policy.kind();
        if (!options.allowed().contains(kind)) {
            throw new HypervisorException.Refused(
                    "network policy %s is not allowed on this host, only %s: list it under another policy"
                            .formatted(kind, options.allowed().stream().sorted().toList()),
                    null);
        }
        if (kind == NetworkPolicy.Kind.NONE) {
            return;
        }
        if (!root) {
            throw lacking(
                    kind,
                    "root on the host, to make network namespaces and firewall rules",
                    "run the host's program as root, or list it under policy NONE");
        }
        if (!forwards()) {
            throw lacking(
                    kind,
                    "a host that forwards IPv4, and net.ipv4.ip_forward is 0",
                    "run sysctl -w net.ipv4.ip_forward=1, with a firewall of your own for your other networks");
        }
        tool(List.of("ip", "-V"), "", "iproute2", "asking for its version");
        tool(List.of("nft", "--version"), "", "nftables", "asking for its version");
        if (options.bandwidth().isLimited()) {
            tool(List.of("tc", "-V"), "", "iproute2", "asking for the version of tc");
        }
    }

    private static HypervisorException.Lacking lacking(NetworkPolicy.Kind kind, String what, String remedy) {
        return new HypervisorException.Lacking("network policy %s needs %s: %s".formatted(kind, what, remedy), null);
    }

    private static boolean forwards() {
        try {
            return Files.readString(FORWARDS).strip().equals("1");
        } catch (IOException e) {
            return false;
        }
    }

    /** Makes what a VM is then given; nothing passes before {@link #join}. What a failure leaves goes with {@link #close}. */
    GuestLink open(RentalId id, NetworkPolicy policy) {
        if (policy.kind() == NetworkPolicy.Kind.NONE) {
            return new GuestLink.Forwarded(freePort());
        }
        close(id);
        String space = id.vmName();
        tool(List.of("ip", "netns", "add", space), "", "iproute2", "making its namespace");
        for (int slot = 0; slot <= GuestLink.Routed.LAST_SLOT; slot++) {
            var link = new GuestLink.Routed(slot);
            if (!exists(link.outer()) && take(link, space)) {
                run(List.of("ip", "link", "del", "dev", link.tap())); // one that a killed process left
                tool(
                        List.of("ip", "tuntap", "add", "dev", link.tap(), "mode", "tap", "user", account.name()),
                        "",
                        "iproute2",
                        "making its tap device");
                return link;
            }
        }
        throw new HypervisorException.Lacking("all links to guests are taken: end sessions first", null);
    }

    /** Takes a slot; the kernel gives each name once. */
    private static boolean take(GuestLink.Routed link, String space) {
        var argv = List.of(
                "ip",
                "link",
                "add",
                "name",
                link.outer(),
                "type",
                "veth",
                "peer",
                "name",
                link.inner(),
                "netns",
                space);
        Tool.Outcome made = run(argv);
        if (!made.succeeded() && !made.lastLines().contains("File exists")) {
            throw failed("making its link", made);
        }
        return made.succeeded();
    }

    /** Returns whether a device is known to have an address: one without is not seen here, but found taken. */
    private static boolean exists(String device) {
        try {
            return NetworkInterface.getByName(device) != null;
        } catch (SocketException e) {
            return false;
        }
    }

    /** Joins a VM that was made, and does not run yet, to its network. The rules are in force before the first packet. */
    void join(RentalId id, GuestLink link, NetworkPolicy policy) {
        if (!(link instanceof GuestLink.Routed routed)) {
            return;
        }
        String space = id.vmName();
        var rules = new FirewallRules(routed, policy, hostNetworks());
        tool(
                List.of("ip", "link", "set", "dev", routed.tap(), "netns", space),
                "",
                "iproute2",
                "moving its tap device");
        settings(space);
        limit(space, routed.tap(), options.bandwidth().inBytesPerSecond());
        limit(space, routed.inner(), options.bandwidth().outBytesPerSecond());
        tool(List.of("ip", "netns", "exec", space, "nft", "-f", "-"), rules.inner(), "nftables", "setting its rules");
        tool(List.of("nft", "-f", "-"), rules.outer(id), "nftables", "setting the host's rules for it");
        String inside = """
                addr add %s/%d dev %s
                link set dev %s up
                addr add %s/31 dev %s
                link set dev %s up
                """.formatted(
                        GuestLink.ROUTER,
                        GuestLink.GUEST_PREFIX,
                        routed.tap(),
                        routed.tap(),
                        routed.sessionAddress(),
                        routed.inner(),
                        routed.inner());
        String outside = "addr add %s/31 dev %s\nlink set dev %s up\n"
                .formatted(routed.hostAddress(), routed.outer(), routed.outer());
        tool(List.of("ip", "-n", space, "-batch", "-"), inside, "iproute2", "giving it addresses");
        tool(List.of("ip", "-batch", "-"), outside, "iproute2", "giving the host an address on its link");
        tool(
                List.of("ip", "-n", space, "route", "add", "default", "via", routed.hostAddress()),
                "",
                "iproute2",
                "giving it a route");
    }

    /**
     * Limits what leaves a device of the namespace: by the tap it goes to the guest, by the pair to the host. A bucket
     * (tc-tbf(8)) holds ten milliseconds, at least the largest packet; what would wait for over 200 ms is dropped, and TCP slows.
     */
    private static void limit(String space, String device, OptionalLong bytesPerSecond) {
        if (bytesPerSecond.isEmpty()) {
            return;
        }
        long rate = bytesPerSecond.getAsLong();
        long burst = Math.max(LARGEST_PACKET, rate / 100);
        var argv = new ArrayList<>(List.of("tc", "-n", space, "qdisc", "add", "dev", device, "root", "tbf"));
        argv.addAll(List.of("rate", rate * 8 + "bit", "burst", Long.toString(burst), "latency", "200ms"));
        tool(argv, "", "iproute2", "limiting its bandwidth (is the kernel's module sch_tbf there?)");
    }

    /** Lets the namespace forward IPv4, and turns IPv6 off in it. */
    private static void settings(String space) {
        var on = new ArrayList<>(List.of("ip", "netns", "exec", space, "tee", FORWARDS.toString()));
        on.add("/proc/sys/net/ipv4/conf/all/rp_filter");
        if (Files.isDirectory(IPV6)) {
            on.add(IPV6.resolve("all/disable_ipv6").toString());
            on.add(IPV6.resolve("default/disable_ipv6").toString());
        }
        tool(on, "1\n", "coreutils", "setting its kernel's parameters");
    }

    /** Returns the IPv4 networks that the host itself has addresses in, but for its links to guests. */
    static List<String> hostNetworks() {
        var networks = new ArrayList<String>();
        try {
            for (NetworkInterface device : NetworkInterface.networkInterfaces().toList()) {
                if (device.getName().startsWith(GuestLink.Routed.OUTER_PREFIX)) {
                    continue;
                }
                for (InterfaceAddress address : device.getInterfaceAddresses()) {
                    byte[] bytes = address.getAddress().getAddress();
                    if (bytes.length == 4 && address.getNetworkPrefixLength() > 0) {
                        networks.add(network(bytes, address.getNetworkPrefixLength()));
                    }
                }
            }
        } catch (SocketException e) {
            throw new HypervisorException.Lacking("the host's addresses can't be read: " + e.getMessage(), e);
        }
        return networks.stream().distinct().sorted().toList();
    }

    private static String network(byte[] address, int length) {
        int bits = 0;
        for (byte part : address) {
            bits = bits << 8 | (part & 255);
        }
        int first = bits & (int) (-1L << 32 - length);
        return String.format(
                Locale.ROOT,
                "%d.%d.%d.%d/%d",
                first >>> 24,
                first >>> 16 & 255,
                first >>> 8 & 255,
                first & 255,
                length);
    }

    /**
     * Takes away all that {@link #open} and {@link #join} made; safe to repeat.
     *
     * @return what was seen
     * @throws HypervisorException.NotGone if something is left
     */
    static String close(RentalId id) {
        if (!Account.root() || !known(id)) {
            return "none found";
        }
        String space = id.vmName();
        OptionalInt slot = slot(space);
        if (slot.isPresent()) {
            var link = new GuestLink.Routed(slot.getAsInt());
            run(List.of("ip", "link", "del", "dev", link.tap()));
            run(List.of("ip", "-n", space, "link", "del", "dev", link.tap()));
            run(List.of("ip", "link", "del", "dev", link.outer()));
        }
        run(List.of("nft", "delete", "table", "inet", FirewallRules.outerTable(id)));
        Tool.Outcome deleted = run(List.of("ip", "netns", "del", space));
        if (!deleted.succeeded() && known(id)) {
            throw new HypervisorException.NotGone(
                    "network of %s is still there (%s): call again".formatted(id, Printable.line(deleted.lastLines())),
                    null);
        }
        return "namespace, link and rules deleted";
    }

    /** Takes away the networks of sessions whose VMs are gone, as a killed process leaves them. */
    static void sweep(Path journals, Collection<RentalId> running) throws IOException {
        for (RentalId id : Journal.all(journals)) {
            if (!running.contains(id)) {
                close(id);
            }
        }
    }

    private static boolean known(RentalId id) {
        return Files.exists(Path.of("/run/netns", id.vmName()));
    }

    private static OptionalInt slot(String space) {
        Matcher inner = INNER.matcher(run(List.of("ip", "-n", space, "-o", "link", "show", "type", "veth"))
                .lastLines());
        return inner.find() ? OptionalInt.of(Integer.parseInt(inner.group(1))) : OptionalInt.empty();
    }

    private static Tool.Outcome run(List<String> argv) {
        return Tool.run(argv, LIMIT, argv.getFirst().equals("ip") ? "iproute2" : "nftables");
    }

    private static void tool(List<String> argv, String input, String debianPackage, String what) {
        Tool.Outcome outcome = Tool.feed(argv, input, LIMIT, debianPackage);
        if (!outcome.succeeded()) {
            throw failed(what, outcome);
        }
    }

    private static HypervisorException.Lacking failed(String what, Tool.Outcome outcome) {
        return new HypervisorException.Lacking(
                "a guest's network failed at %s (exit %d): %s"
                        .formatted(what, outcome.exit(), Printable.line(outcome.lastLines())),
                null);
    }

    private static int freePort() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new HypervisorException.Lacking("no free loopback port: " + e.getMessage(), e);
        }
    }
}
