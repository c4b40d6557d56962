package org.computehive.server.crash;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GuestPlatform;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/**
 * A hypervisor over libvirt's test driver: real domains with ComputeHive's metadata in a real daemon, which no guest runs
 * in. Each gpu has a guest of its own, a server of the test's that greets while a domain for that gpu is up. For the
 * crash test alone; thread-safe.
 */
final class TestDriverHypervisor implements Hypervisor {
    static final String NAMESPACE = "urn:computehive:vm:1";
    private static final Duration READY_LIMIT = Duration.ofSeconds(4);
    private static final int GREETING_MILLIS = 1_000;
    private static final int LOOK_AGAIN_MILLIS = 25;
    private static final int MEMORY_MIB = 65_536;
    private static final int KEY_BYTES = 32;
    private static final byte[] BANNER = {'S', 'S', 'H', '-'};

    private final Connect connect;
    private final List<Integer> guests;
    private final List<Integer> kinds;
    private final Path sessions;
    private final Gate gate;
    private final Set<Fault> faults;
    private final Map<RentalId, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final SecureRandom random = new SecureRandom();

    private TestDriverHypervisor(EngineSettings settings, Connect connect, Gate gate) {
        this.connect = connect;
        this.guests = settings.guests();
        this.kinds = settings.kinds();
        this.sessions = settings.folder().resolve("sessions");
        this.gate = gate;
        this.faults = settings.faults();
    }

    static TestDriverHypervisor open(EngineSettings settings, Gate gate) {
        try {
            Connect.setErrorCallback(QUIET);
            return new TestDriverHypervisor(settings, new Connect(settings.libvirt()), gate);
        } catch (LibvirtException e) {
            throw new HypervisorException.Unreachable("libvirt at " + settings.libvirt() + ": " + e.getMessage(), e);
        }
    }

    /** Kept for as long as the class, since native code calls it. */
    static final org.libvirt.jna.Libvirt.VirErrorCallback QUIET = (data, error) -> {};

    /** Returns the gpu of a number. */
    static PciAddress gpu(int number) {
        return new PciAddress("0000:%02x:00.0".formatted(number + 1));
    }

    private record Mark(RentalId id, Instant expires, int port, String gpus) {
        RunningVm running() {
            return new RunningVm(
                    id,
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                    expires,
                    Map.of("hypervisor", "libvirt test driver", "gpus", gpus));
        }
    }

    private record Live(Domain domain, Mark mark) {}

    @Override
    public Inventory inventory() {
        var gpus = new ArrayList<Gpu>();
        for (int i = 0; i < guests.size(); i++) {
            String model = "none (test driver, kind %d)".formatted(kinds.get(i));
            gpus.add(new Gpu(gpu(i), "1234", "11e8", model, 0, OptionalInt.empty(), true, Optional.empty()));
        }
        try {
            return new Inventory(
                    connect.nodeInfo().cpus * guests.size(),
                    MEMORY_MIB,
                    gpus,
                    "none",
                    Assurance.ISOLATED,
                    new GuestPlatform(
                            Map.of("libvirt", Long.toString(connect.getLibVersion())),
                            Map.of(),
                            "none",
                            Map.of("none", new GuestPlatform.Image(Map.of(), Map.of()))));
        } catch (LibvirtException e) {
            throw failure("reading the node", e);
        }
    }

    @Override
    public void prepare(VmSpec spec) {
        locked(spec.id(), () -> {
            writeDisk(spec.id());
            return true;
        });
    }

    @Override
    public RunningVm start(VmSpec spec) {
        return locked(spec.id(), () -> {
            Optional<Live> known = faults.contains(Fault.SECOND_VM) ? Optional.empty() : find(spec.id());
            RunningVm vm = known.map(live -> live.mark().running()).orElseGet(() -> create(spec));
            try {
                awaitBanner(vm);
                return vm;
            } catch (HypervisorException.GuestFailed e) {
                end(spec.id());
                eraseDisk(spec.id());
                throw e;
            }
        });
    }

    private RunningVm create(VmSpec spec) {
        writeDisk(spec.id());
        var mark = new Mark(
                spec.id(),
                spec.expires(),
                guests.get(spec.gpus().getFirst().bus() - 1),
                String.join(" ", spec.gpus().stream().map(PciAddress::toString).toList()));
        gate.cross("libvirt.create/before");
        try {
            connect.domainCreateXML(xml(mark), 0).free();
        } catch (LibvirtException e) {
            throw failure("creating " + spec.id().vmName(), e);
        }
        gate.cross("libvirt.create/after");
        return mark.running();
    }

    private String xml(Mark mark) {
        // Nothing here comes from outside: a rental's id, an instant, a number and PCI addresses have their forms.
        String name = mark.id().vmName() + (faults.contains(Fault.SECOND_VM) ? "-" + random.nextInt(1 << 20) : "");
        return """
                <domain type='test'><name>%s</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
                <os><type arch='i686'>hvm</type></os>
                <metadata>%s</metadata>
                </domain>""".formatted(name, element(mark, " xmlns:ch='" + NAMESPACE + "'"));
    }

    /** A guest is ready when its SSH server greets. */
    private static void awaitBanner(RunningVm vm) {
        Instant limit = Instant.now().plus(READY_LIMIT);
        while (Instant.now().isBefore(limit)) {
            try (var socket = new Socket()) {
                socket.connect(vm.ssh(), GREETING_MILLIS);
                socket.setSoTimeout(GREETING_MILLIS);
                InputStream in = socket.getInputStream();
                if (Arrays.equals(in.readNBytes(BANNER.length), BANNER)) {
                    return;
                }
                Thread.sleep(LOOK_AGAIN_MILLIS);
            } catch (IOException e) {
                // Not yet: looked at again until the limit.
                continue;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new HypervisorException.Unreachable("interrupted while " + vm.id() + " started", e);
            }
        }
        throw new HypervisorException.GuestFailed(
                "the guest of %s did not greet within %s".formatted(vm.id(), READY_LIMIT), null);
    }

    @Override
    public RunningVm expire(RentalId id, Instant expires) {
        return locked(id, () -> {
            Live live = find(id).orElseThrow(
                            () -> new HypervisorException.Refused("no VM %s runs here".formatted(id.vmName()), null));
            Mark moved = new Mark(id, expires, live.mark().port(), live.mark().gpus());
            try {
                live.domain()
                        .setMetadata(
                                Domain.MetadataType.ELEMENT,
                                element(moved, ""),
                                "ch",
                                NAMESPACE,
                                Domain.ModificationImpact.LIVE);
                return moved.running();
            } catch (LibvirtException e) {
                throw failure("moving the end of " + id.vmName(), e);
            }
        });
    }

    /** The namespace is declared by libvirt itself where it takes an element alone. */
    private static String element(Mark mark, String namespace) {
        String prefix = namespace.isEmpty() ? "" : "ch:";
        return "<%ssession%s id='%s' expires='%s' ssh-port='%d' gpus='%s'/>"
                .formatted(prefix, namespace, mark.id(), mark.expires(), mark.port(), mark.gpus());
    }

    @Override
    public Teardown destroy(RentalId id) {
        return locked(id, () -> {
            int ended = faults.contains(Fault.MACHINE_LEFT) ? 0 : end(id);
            return new Teardown(Map.of("domains ended", Integer.toString(ended)));
        });
    }

    private int end(RentalId id) {
        int ended = 0;
        for (Live live : live()) {
            if (live.mark().id().equals(id)) {
                gate.cross("libvirt.destroy/before");
                try {
                    live.domain().destroy();
                    ended++;
                } catch (LibvirtException e) {
                    if (e.getError() == null || e.getError().getCode() != ErrorNumber.VIR_ERR_NO_DOMAIN) {
                        throw failure("destroying " + id.vmName(), e);
                    }
                }
                gate.cross("libvirt.destroy/after");
            }
        }
        if (find(id).isPresent()) {
            throw new HypervisorException.NotGone("the domain of " + id + " is still there", null);
        }
        return ended;
    }

    @Override
    public Teardown erase(RentalId id) {
        return locked(id, () -> {
            if (!faults.contains(Fault.MACHINE_LEFT) && find(id).isPresent()) {
                throw new HypervisorException.NotGone("VM %s still runs".formatted(id.vmName()), null);
            }
            return new Teardown(Map.of("key gone", Boolean.toString(eraseDisk(id))));
        });
    }

    @Override
    public List<Turnover> turnOver(RentalId id, List<PciAddress> gpus) {
        List<Live> live = live();
        return gpus.stream()
                .map(gpu -> {
                    boolean free = faults.contains(Fault.MACHINE_LEFT)
                            || live.stream()
                                    .noneMatch(other -> other.mark().gpus().contains(gpu.value()));
                    return new Turnover(gpu, free, free ? "no domain has it" : "a domain still has it");
                })
                .toList();
    }

    @Override
    public List<RunningVm> list() {
        return live().stream().map(live -> live.mark().running()).toList();
    }

    private Optional<Live> find(RentalId id) {
        return live().stream().filter(live -> live.mark().id().equals(id)).findFirst();
    }

    private List<Live> live() {
        try {
            var live = new ArrayList<Live>();
            for (Domain domain : connect.listAllDomains(0)) {
                mark(domain).ifPresent(mark -> live.add(new Live(domain, mark)));
            }
            return live;
        } catch (LibvirtException e) {
            throw failure("listing the domains", e);
        }
    }

    private static Optional<Mark> mark(Domain domain) throws LibvirtException {
        try {
            return session(domain.getXMLDesc(0))
                    .map(mark -> new Mark(
                            new RentalId(mark.getAttribute("id")),
                            Instant.parse(mark.getAttribute("expires")),
                            Integer.parseInt(mark.getAttribute("ssh-port")),
                            mark.getAttribute("gpus")));
        } catch (LibvirtException e) {
            if (e.getError() != null && e.getError().getCode() == ErrorNumber.VIR_ERR_NO_DOMAIN) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Returns ComputeHive's mark in a domain's description. */
    static Optional<Element> session(String xml) {
        try {
            var factory = DocumentBuilderFactory.newInstance();
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            factory.setNamespaceAware(true);
            NodeList marks = factory.newDocumentBuilder()
                    .parse(new InputSource(new StringReader(xml)))
                    .getElementsByTagNameNS(NAMESPACE, "session");
            return marks.getLength() == 1 ? Optional.of((Element) marks.item(0)) : Optional.empty();
        } catch (SAXException | IOException | ParserConfigurationException e) {
            throw new IllegalStateException("libvirt's description of a domain can't be read", e);
        }
    }

    private void writeDisk(RentalId id) {
        byte[] key = new byte[KEY_BYTES];
        random.nextBytes(key);
        try (FileChannel file =
                FileChannel.open(sessions.resolve(id.value()), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(
                    HexFormat.of().formatHex(key).getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
            file.force(true);
        } catch (IOException e) {
            throw new HypervisorException.Lacking("the session's key can't be written: " + e, e);
        }
    }

    private boolean eraseDisk(RentalId id) {
        try {
            Files.deleteIfExists(sessions.resolve(id.value()));
            return true;
        } catch (IOException e) {
            throw new HypervisorException.NotGone("the session's key can't be deleted: " + e, e);
        }
    }

    private static HypervisorException failure(String what, LibvirtException e) {
        return new HypervisorException.Lacking(what + " failed: " + e.getMessage(), e);
    }

    private interface Work<T> {
        T run();
    }

    private <T> T locked(RentalId id, Work<T> work) {
        ReentrantLock lock = locks.computeIfAbsent(id, key -> new ReentrantLock());
        lock.lock();
        try {
            return work.run();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        try {
            connect.close();
        } catch (LibvirtException e) {
            throw new HypervisorException.Unreachable("closing the connection failed: " + e.getMessage(), e);
        }
    }
}
