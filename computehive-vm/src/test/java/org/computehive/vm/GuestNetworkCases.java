package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.computehive.market.MachineShape;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.NetworkPolicy.Destination;
import org.computehive.market.NetworkPolicy.Kind;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.Hypervisor.Teardown;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** What real guests reach; {@link GuestNetworkIT} runs it on a host whose whole world lies in a namespace. */
class GuestNetworkCases {
    private static final NetworkPolicy LIST = NetworkPolicy.restricted(
            List.of(Destination.tcp("192.0.2.10/32", 443), Destination.tcp("10.99.0.0/28", 80)));

    private static Path work;
    private static Path demo;
    private static ImageCatalogue images;
    private static Process world;
    private static final List<String> SEEN = new CopyOnWriteArrayList<>();

    /** Runs all cases; arguments: a folder, the images. */
    public static void main(String[] arguments) {
        work = Path.of(arguments[0]);
        demo = Path.of(arguments[1]).resolve(DemoImage.NAME);
        var listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(GuestNetworkCases.class))
                                .build(),
                        listener);
        var summary = listener.getSummary();
        summary.printFailuresTo(new PrintWriter(System.out, true), 40);
        System.out.printf(
                "guest networks: tests=%d failed=%d ms=%d%n",
                summary.getTestsStartedCount(),
                summary.getTotalFailureCount(),
                summary.getTimeFinished() - summary.getTimeStarted());
        System.out.flush();
        Runtime.getRuntime().halt(summary.getTotalFailureCount() == 0 ? 0 : 1);
    }

    @BeforeAll
    static void startWorld() throws IOException {
        images = ImageCatalogue.in(Files.createDirectory(work.resolve("images")));
        Path copy = Files.createDirectory(images.folder().resolve(DemoImage.NAME));
        for (String name : List.of("kernel", "initrd", ImageCatalogue.MANIFEST)) {
            Files.copy(demo.resolve(name), copy.resolve(name));
        }
        RootedImage.make(demo, images.folder());
        world = new ProcessBuilder(
                        "ip",
                        "netns",
                        "exec",
                        "world",
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        WorldServer.class.getName(),
                        "80",
                        "443",
                        "8080",
                        Integer.toString(WorldServer.BULK_PORT))
                .redirectErrorStream(true)
                .start();
        BufferedReader lines = world.inputReader();
        assertEquals("listening", lines.readLine());
        Thread.ofPlatform().daemon().start(() -> lines.lines().forEach(SEEN::add));
        var host = new ServerSocket(8080);
        Thread.ofPlatform().daemon().start(() -> WorldServer.serve(host));
    }

    @AfterAll
    static void endWorld() {
        world.destroyForcibly();
    }

    private static LibvirtHypervisor hypervisor(PrivateLibvirt libvirt, HostNetwork network) {
        return LibvirtHypervisor.privateSession(
                libvirt,
                images,
                new LibvirtHypervisor.Options(
                        LibvirtHypervisor.Acceleration.TCG, Duration.ofMinutes(3), InstantSource.system(), network));
    }

    private static VmSpec spec(String image, NetworkPolicy policy) throws IOException {
        RentalId id = RentalId.random();
        var keys = new TestHost.Keys(work.resolve("keys").resolve(id.value()), id);
        var shape = new MachineShape(1, 256, 64, image, policy);
        return new VmSpec(id, Instant.now().plusSeconds(900), shape, List.of(), keys.access());
    }

    /** A guest and its renter. */
    private record Guest(VmSpec spec, RunningVm vm) {
        String run(String user, String command) {
            var keys = TestHost.Keys.existing(
                    work.resolve("keys").resolve(spec.id().value()), spec.id());
            Tool.Outcome outcome = keys.ssh("user", user, vm.ssh(), command);
            assertTrue(outcome.succeeded(), outcome::toString);
            return outcome.lastLines();
        }

        /** Returns per target what came back from it; nothing where it could not be reached. */
        void tries(String user, List<String> reached, List<String> unreached) {
            var command =
                    new StringBuilder("try() { echo \"$1 $2: $(nc -w 4 $1 $2 < /dev/null 2>&1 | head -n 1)\"; }\n");
            Stream.concat(reached.stream(), unreached.stream())
                    .forEach(target -> command.append("try ").append(target).append(" &\n"));
            List<String> said =
                    run(user, command.append("wait").toString()).lines().toList();
            for (String target : reached) {
                assertTrue(
                        said.stream().anyMatch(line -> line.startsWith(target + ": seen ")),
                        () -> target + " is reached: " + said);
            }
            for (String target : unreached) {
                assertTrue(
                        said.stream().anyMatch(line -> line.startsWith(target + ":") && !line.contains("seen ")),
                        () -> target + " is not reached: " + said);
            }
        }
    }

    private static String reply(String address, int port) throws IOException {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(address), port), 3_000);
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    @Test
    void guests_ofEachPolicy_reachWhatItSaysAndNothingElse() throws Exception {
        for (String target : List.of("192.0.2.10", "198.51.100.20", "203.0.113.1", "10.99.0.5", "169.254.169.254")) {
            assertTrue(reply(target, 80).startsWith("seen "), "the host itself reaches " + target);
        }
        assertTrue(reply("fd00:ec2::254", 80).startsWith("seen "), "and by IPv6");
        assertTrue(reply("203.0.113.2", 8080).startsWith("seen "), "and its own server");

        try (PrivateLibvirt libvirt = PrivateLibvirt.open(work.resolve("state"));
                LibvirtHypervisor hypervisor = hypervisor(libvirt, HostNetwork.defaults())) {
            VmSpec open = spec(RootedImage.NAME, NetworkPolicy.INTERNET);
            VmSpec listed = spec(DemoImage.NAME, LIST);
            var second = CompletableFuture.supplyAsync(() -> hypervisor.start(listed));
            var internet = new Guest(open, hypervisor.start(open));
            var restricted = new Guest(listed, second.join());
            SEEN.clear();
            assertEquals("public IPv4 addresses over NAT", internet.vm().facts().get("network"));
            assertEquals(
                    "only tcp 192.0.2.10/32 port 443, tcp 10.99.0.0/28 port 80",
                    restricted.vm().facts().get("network"));
            assertEquals(
                    hypervisor.list().stream()
                            .map(RunningVm::ssh)
                            .sorted(GuestNetworkCases::compare)
                            .toList(),
                    Stream.of(internet.vm().ssh(), restricted.vm().ssh())
                            .sorted(GuestNetworkCases::compare)
                            .toList());

            GuestLink.Routed own = link(internet);
            GuestLink.Routed other = link(restricted);
            var never = List.of(
                    "203.0.113.2 8080", // the host, by each of its addresses
                    "10.99.0.1 8080",
                    own.hostAddress() + " 8080",
                    own.hostAddress() + " 22",
                    GuestLink.ROUTER + " 8080",
                    GuestLink.ROUTER + " 22",
                    other.hostAddress() + " 8080",
                    other.sessionAddress() + " 22", // another guest
                    "169.254.169.254 80", // metadata
                    "fd00:ec2::254 80");
            internet.tries(
                    "renter",
                    List.of("192.0.2.10 80", "192.0.2.10 443", "198.51.100.20 8080"),
                    Stream.concat(never.stream(), Stream.of("10.99.0.5 80", "203.0.113.1 80"))
                            .toList());
            restricted.tries(
                    "renter",
                    List.of("192.0.2.10 443", "10.99.0.5 80"),
                    Stream.of(
                                    never.stream().filter(target -> !target.contains(other.sessionAddress())),
                                    Stream.of(
                                            own.sessionAddress() + " 22",
                                            "192.0.2.10 80",
                                            "10.99.0.5 443",
                                            "198.51.100.20 443",
                                            "203.0.113.1 80"))
                            .flatMap(targets -> targets)
                            .toList());
            assertTrue(
                    SEEN.stream()
                            .allMatch(
                                    line -> line.startsWith("seen 203.0.113.2 ") || line.startsWith("seen 10.99.0.1 ")),
                    SEEN::toString);
            assertSpoofingFails(internet);

            for (Guest guest : List.of(internet, restricted)) {
                Teardown gone = hypervisor.destroy(guest.spec().id());
                assertEquals("namespace, link and rules deleted", gone.facts().get("network"));
                hypervisor.erase(guest.spec().id());
            }
            assertNothingLeft();
        }
    }

    private static int compare(InetSocketAddress one, InetSocketAddress other) {
        return one.toString().compareTo(other.toString());
    }

    private static GuestLink.Routed link(Guest guest) {
        return GuestLink.Routed.at(guest.vm().ssh().getAddress().getHostAddress())
                .orElseThrow();
    }

    /** As root of the guest: other addresses, another hardware address, IPv6. */
    private static void assertSpoofingFails(Guest guest) {
        SEEN.clear();
        String said = guest.run("root", """
                try() { echo "$1: $(nc -w 3 $2 192.0.2.10 443 < /dev/null 2>&1 | head -n 1)"; }
                mac=$(cat /sys/class/net/eth0/address)
                try before
                ip address add 10.0.2.99/24 dev eth0
                ip address add 203.0.113.77/32 dev eth0
                try neighbour "-s 10.0.2.99"
                try public "-s 203.0.113.77"
                ip address del 10.0.2.99/24 dev eth0
                ip address del 203.0.113.77/32 dev eth0
                ip link set dev eth0 address 52:54:00:aa:bb:cc
                try mac
                ip link set dev eth0 address "$mac"
                ip -6 address add fd00:99::77/64 dev eth0
                ip -6 route add default dev eth0
                while ip -6 address show dev eth0 | grep -q tentative; do sleep 0.1; done
                echo "v6: $(nc -w 3 fd00:ec2::254 443 < /dev/null 2>&1 | head -n 1)"
                try after
                """);
        for (String line : said.lines().toList()) {
            boolean honest = line.startsWith("before:") || line.startsWith("after:");
            assertEquals(honest, line.contains(": seen "), said);
        }
        assertEquals(6, said.lines().count(), said);
        assertEquals(2, SEEN.size(), SEEN::toString);
    }

    /** All that the guest may move is what its host allows; told by what the kernel held back, not by a clock. */
    @Test
    void guest_whoseBandwidthIsLimited_isHeldBackBothWays() throws Exception {
        HostNetwork limited = HostNetwork.defaults().limiting(HostNetwork.Bandwidth.of(400_000, 300_000));
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(work.resolve("limited"));
                LibvirtHypervisor hypervisor = hypervisor(libvirt, limited)) {
            VmSpec spec = spec(DemoImage.NAME, NetworkPolicy.INTERNET);
            var guest = new Guest(spec, hypervisor.start(spec));
            String words = limited.bandwidth().words();
            assertEquals(words, guest.vm().facts().get("bandwidth"));
            assertEquals(
                    words,
                    hypervisor.inventory().platform().layout().get("bandwidth"),
                    "and a listing promises the same");
            GuestLink.Routed link = link(guest);
            String space = spec.id().vmName();
            String read = guest.run("renter", "nc 192.0.2.10 %d < /dev/null | wc -c".formatted(WorldServer.BULK_PORT));
            assertTrue(Long.parseLong(read.strip()) > WorldServer.BULK_BYTES, read);
            guest.run("renter", "head -c 1000000 /dev/zero | tr '\\0' '\\n'");
            assertHeldBack(space, link.tap(), "rate 3200Kbit");
            assertHeldBack(space, link.inner(), "rate 2400Kbit");
            hypervisor.destroy(spec.id());
            hypervisor.erase(spec.id());
            assertNothingLeft();
        }
    }

    private static void assertHeldBack(String space, String device, String rate) {
        String said = said("tc", "-n", space, "-s", "qdisc", "show", "dev", device);
        assertTrue(said.contains("tbf") && said.contains(rate), said);
        Matcher over = Pattern.compile("overlimits (\\d+)").matcher(said);
        assertTrue(over.find() && Long.parseLong(over.group(1)) > 0, said);
    }

    /** A guest's kernel speaks IPv6; nobody answers, and nothing gets past its own device. */
    @Test
    void guests_getNoIpv6_underAnyPolicy() throws Exception {
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(work.resolve("six"));
                LibvirtHypervisor hypervisor = hypervisor(libvirt, HostNetwork.defaults())) {
            for (NetworkPolicy policy : List.of(NetworkPolicy.NONE, NetworkPolicy.INTERNET, LIST)) {
                VmSpec spec = spec(RootedImage.NAME, policy);
                var guest = new Guest(spec, hypervisor.start(spec));
                String said = guest.run("root", """
                        sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0 \\
                            net.ipv6.conf.eth0.disable_ipv6=0 net.ipv6.conf.eth0.accept_ra=2
                        ip -6 address add fd00:99::77/64 dev eth0
                        ip -6 route add fd00:ec2::254/128 dev eth0
                        while ip -6 address show dev eth0 | grep -q tentative; do sleep 0.1; done
                        ping -6 -c 2 -W 2 ff02::2%eth0 > /dev/null 2>&1
                        echo "routers: $(ip -6 route show default | wc -l)"
                        echo "given: $(ip -6 address show dev eth0 | grep -c 'inet6 fec0\\|dynamic')"
                        echo "own: $(ip -6 address show dev eth0 | grep -c 'inet6 fd00:99::77')"
                        echo "metadata: $(nc -w 3 fd00:ec2::254 80 < /dev/null 2>&1 | head -n 1)"
                        """);
                assertTrue(said.contains("own: 1"), () -> "the guest's kernel has IPv6: " + said);
                assertTrue(said.contains("routers: 0") && said.contains("given: 0"), said);
                assertFalse(said.contains("seen "), said);
                if (policy.kind() != Kind.NONE) {
                    String space = spec.id().vmName();
                    String edge = said("ip", "netns", "exec", space, "nft", "list", "table", "netdev", "edge");
                    Matcher dropped =
                            Pattern.compile("ip6 counter packets (\\d+)").matcher(edge);
                    assertTrue(dropped.find() && Long.parseLong(dropped.group(1)) > 0, edge);
                    String inside = said("ip", "-n", space, "-6", "address", "show");
                    assertEquals("", inside, "the namespace has no IPv6 address");
                }
                hypervisor.destroy(spec.id());
                hypervisor.erase(spec.id());
            }
            assertNothingLeft();
        }
    }

    private static void assertNothingLeft() {
        assertEquals("", said("ip", "-o", "link", "show", "type", "tun"));
        assertFalse(said("ip", "-o", "link").contains(GuestLink.Routed.OUTER_PREFIX), "no link");
        assertFalse(said("ip", "netns", "list").contains("ch-"), "no namespace");
        assertEquals("", said("nft", "list", "ruleset"));
    }

    private static String said(String... argv) {
        Tool.Outcome outcome = Tool.run(List.of(argv), Duration.ofSeconds(10), "iproute2 and nftables");
        assertTrue(outcome.succeeded(), outcome::toString);
        return outcome.lastLines();
    }

    @Test
    void policy_thatTheHostDoesNotAllowOrCannotEnforce_isRefusedWithTheRemedy() throws IOException {
        var nothing = new GuestNetworks(new HostNetwork(EnumSet.noneOf(Kind.class), List.of("9.9.9.9")), account());
        nothing.check(NetworkPolicy.NONE);
        var refused = assertThrows(HypervisorException.Refused.class, () -> nothing.check(NetworkPolicy.INTERNET));
        assertTrue(String.valueOf(refused.getMessage()).contains("only [NONE]"), refused::getMessage);

        var all = new GuestNetworks(HostNetwork.defaults(), account());
        Path forward = Path.of("/proc/sys/net/ipv4/ip_forward");
        all.check(NetworkPolicy.INTERNET);
        Files.writeString(forward, "0");
        try {
            var lacking = assertThrows(HypervisorException.Lacking.class, () -> all.check(LIST));
            assertTrue(String.valueOf(lacking.getMessage()).contains("net.ipv4.ip_forward=1"), lacking::getMessage);
        } finally {
            Files.writeString(forward, "1");
        }
    }

    @Test
    void network_thatAKilledProcessLeft_isSweptAtEachStep() throws IOException {
        Path journals = Files.createDirectory(work.resolve("journals"));
        var networks = new GuestNetworks(HostNetwork.defaults(), account());
        for (boolean joined : new boolean[] {false, true}) {
            RentalId id = RentalId.random();
            new Journal(id, Journal.Step.PREPARED, UUID.randomUUID(), OptionalLong.empty()).write(journals);
            GuestLink link = networks.open(id, NetworkPolicy.INTERNET);
            if (joined) {
                networks.join(id, link, NetworkPolicy.INTERNET);
            }
            GuestNetworks.sweep(journals, List.of(id));
            assertTrue(said("ip", "netns", "list").contains(id.vmName()), "that of a running VM stays");
            GuestNetworks.sweep(journals, List.of());
            assertNothingLeft();
            assertEquals("none found", GuestNetworks.close(id));
        }
    }

    @Test
    void networks_thatAreOpenedTogether_haveDifferentLinks() {
        var networks = new GuestNetworks(HostNetwork.defaults(), account());
        List<RentalId> ids = Stream.generate(RentalId::random).limit(6).toList();
        List<CompletableFuture<GuestLink>> links = ids.stream()
                .map(id -> CompletableFuture.supplyAsync(() -> networks.open(id, NetworkPolicy.INTERNET)))
                .toList();
        assertEquals(6, links.stream().map(CompletableFuture::join).distinct().count());
        ids.forEach(GuestNetworks::close);
        assertNothingLeft();
    }

    private static Account account() {
        return Account.unprivileged();
    }
}
