package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;

/** Connections, handles and events over libvirt's own test driver, in which no guest runs. */
class LibvirtConnectionIT {
    private static final URI TEST = URI.create("test:///default");
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final int ROUNDS = 1_000;
    /** The first rounds load classes and fill pools. */
    private static final int WARM_UP = 200;

    /** What a leak of one handle or one kilobyte a round would far exceed. */
    private static final long MOST_HANDLES = 20;

    private static final long MOST_KIB = 12 * 1_024;

    @Test
    void aThousandRoundsOfConnectStartStop_keepHandlesThreadsAndMemoryFlat() {
        // In a process whose Java heap neither grows nor shrinks: what grows then is native memory.
        var argv = List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xms48m",
                "-Xmx48m",
                "-XX:+AlwaysPreTouch",
                "-cp",
                absoluteClassPath(),
                LibvirtConnectionIT.class.getName());
        Tool.Outcome outcome = Tool.run(argv, Map.of(), Duration.ofMinutes(2), "a JDK", System.out::println);
        assertEquals(0, outcome.exit(), outcome::lastLines);
        assertTrue(outcome.lastLines().contains(ROUNDS + " rounds"), outcome::lastLines);
    }

    private static String absoluteClassPath() {
        return Stream.of(System.getProperty("java.class.path").split(":", -1))
                .map(part -> Path.of(part).toAbsolutePath().toString())
                .collect(Collectors.joining(":"));
    }

    /** The process that is measured. */
    public static void main(String[] arguments) throws IOException {
        rounds(WARM_UP);
        long handles = handles();
        long threads = status("Threads");
        long memory = status("VmRSS");
        rounds(ROUNDS);
        System.out.printf(
                "%d rounds: handles %d to %d, threads %d to %d, memory %d to %d KiB%n",
                ROUNDS, handles, handles(), threads, status("Threads"), memory, status("VmRSS"));
        boolean flat = handles() - handles <= MOST_HANDLES
                && status("Threads") - threads <= MOST_HANDLES
                && status("VmRSS") - memory <= MOST_KIB;
        System.exit(flat ? 0 : 1);
    }

    private static void rounds(int count) {
        for (int round = 0; round < count; round++) {
            try (Libvirt libvirt = Libvirt.open(TEST)) {
                var domains = new Domains(libvirt);
                RentalId id = RentalId.random();
                start(libvirt, id);
                assertEquals(1, domains.list().size());
                UUID uuid = domains.identity(id);
                libvirt.stop(uuid);
                domains.act(id, "stopping it", Domain::destroy);
                assertTrue(libvirt.awaitStop(uuid, LIMIT), "the event came");
                assertEquals(List.of(), domains.list());
            }
        }
    }

    private static long handles() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }

    private static long status(String what) throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith(what + ":"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void fiftyStartsAtOnceOnOneConnection_loseNone() throws Exception {
        try (Libvirt libvirt = Libvirt.open(TEST);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var domains = new Domains(libvirt);
            List<RentalId> ids =
                    Stream.generate(RentalId::random).limit(50).sorted().toList();
            await(ids.stream()
                    .map(id -> threads.submit(() -> start(libvirt, id)))
                    .toList());
            assertEquals(ids, domains.list().stream().map(RunningVm::id).toList());
            await(ids.stream()
                    .map(id -> threads.submit(() -> {
                        UUID uuid = domains.identity(id);
                        libvirt.stop(uuid);
                        domains.act(id, "stopping it", Domain::destroy);
                        assertTrue(libvirt.awaitStop(uuid, LIMIT), () -> "the event of " + id);
                    }))
                    .toList());
            assertEquals(List.of(), domains.list());
        }
    }

    private static void await(List<? extends Future<?>> all) throws Exception {
        for (Future<?> one : all) {
            one.get();
        }
    }

    @Test
    void closeWhileOthersCall_endsNoneOfThemInTheMiddle() throws Exception {
        for (int turn = 0; turn < 20; turn++) {
            Libvirt libvirt = Libvirt.open(TEST);
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                var answers = new ArrayList<Future<Boolean>>();
                for (int caller = 0; caller < 8; caller++) {
                    answers.add(threads.submit(() -> callUntilClosed(libvirt)));
                }
                libvirt.call("a call", connect -> true);
                libvirt.close();
                for (Future<Boolean> answer : answers) {
                    assertTrue(answer.get(), "told that it is closed, nothing else");
                }
            }
        }
    }

    private static boolean callUntilClosed(Libvirt libvirt) {
        while (true) {
            try {
                libvirt.call("reading the host", connect -> connect.nodeInfo());
            } catch (HypervisorException.Unreachable e) {
                return String.valueOf(e.getMessage()).contains("is closed");
            }
        }
    }

    @Test
    void domainOfAnotherWithARentalsName_isRefusedAndNotListed() {
        try (Libvirt libvirt = Libvirt.open(TEST)) {
            var domains = new Domains(libvirt);
            RentalId id = RentalId.random();
            libvirt.call("making a domain of somebody else's", connect -> {
                connect.domainCreateXML(xml(id.vmName()), 0).free();
                return true;
            });
            assertEquals(List.of(), domains.list());
            Assertions.assertThrows(HypervisorException.Refused.class, () -> domains.find(id));
            domains.act(id, "removing it", Domain::destroy);
            assertFalse(domains.find(id).isPresent());
        }
    }

    @Test
    void errorsOfLibvirt_keepTheirNumber() {
        try (Libvirt libvirt = Libvirt.open(TEST)) {
            var lacking = Assertions.assertThrows(
                    HypervisorException.Lacking.class,
                    () -> libvirt.call("looking", connect -> connect.domainLookupByName("<none>")));
            assertTrue(lacking.getCause() instanceof org.libvirt.LibvirtException cause
                    && Libvirt.code(cause) == ErrorNumber.VIR_ERR_NO_DOMAIN);
        }
    }

    private static boolean start(Libvirt libvirt, RentalId id) {
        var mark = new SessionMark(
                id,
                1,
                Instant.EPOCH,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 2_222),
                Map.of("odd", "<&'\">"));
        String xml = Xml.document("domain", List.of("type", "test"), domain -> {
            domain.text("name", id.vmName());
            domain.element("metadata", List.of(), mark.content());
            domain.text("memory", "128", "unit", "MiB");
            domain.element("os", List.of(), os -> os.text("type", "hvm"));
        });
        return libvirt.call("making a domain", connect -> {
            connect.domainCreateXML(xml, 0).free();
            return true;
        });
    }

    private static String xml(String name) {
        return "<domain type='test'><name>%s</name><memory unit='MiB'>128</memory><os><type>hvm</type></os></domain>"
                .formatted(name);
    }
}
