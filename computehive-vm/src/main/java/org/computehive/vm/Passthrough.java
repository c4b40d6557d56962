package org.computehive.vm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.stream.XMLStreamException;
import org.computehive.market.Gpu;
import org.computehive.market.PciAddress;
import org.computehive.rental.HypervisorException;
import org.libvirt.Connect;
import org.libvirt.Device;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.w3c.dom.Element;

/**
 * The gpus of a host and what it takes to hand them to VMs: which functions go together, what stands in the way, who has
 * them. Reads libvirt's node devices, so it works on remote hosts; what only the kernel knows, where its files can be
 * read. Thread-safe.
 */
final class Passthrough {
    private static final Logger LOG = LoggerFactory.getLogger(Passthrough.class);
    private static final String VGA = "0300";
    private static final int MODEL_LIMIT = 120;
    private static final Pattern GIBIBYTES = Pattern.compile("\\b(\\d{1,3}) ?GB\\b");

    private final Libvirt libvirt;
    private final Means means;

    /**
     * What there is beside libvirt.
     *
     * @param files the host's files
     * @param privileged whether this libvirt has the rights that passing devices through needs
     * @param classes the classes of devices that are gpus, each the first digits
     * @param fingerprints what devices were before their first tenant
     * @param nvml NVIDIA's library, if it is there
     * @param checks how health is checked
     */
    record Means(
            HostFiles files,
            boolean privileged,
            List<String> classes,
            Fingerprints fingerprints,
            Optional<Nvml> nvml,
            List<HealthCheck> checks) {
        static final List<String> DISPLAYS = List.of("03");

        Sysfs sysfs() {
            return new Sysfs(files);
        }
    }

    Passthrough(Libvirt libvirt, Means means) {
        this.libvirt = libvirt;
        this.means = means;
    }

    /** Returns the gpus of the host; those that can't be passed through say why. */
    List<HostGpu> survey() {
        Map<PciAddress, PciFunction> all = functions();
        var gpus = new ArrayList<HostGpu>();
        for (PciFunction function : all.values()) {
            if (function.isOf(means.classes())) {
                gpus.add(describe(function, all));
            } else if (function.isNvSwitch()) {
                LOG.info("device left out: address={} why={}", function.at(), new Obstacle.NvSwitch().message());
            }
        }
        return gpus;
    }

    /**
     * Returns one gpu, whether it can be passed through or not.
     *
     * @throws HypervisorException.Refused if there is none at this address
     */
    HostGpu find(PciAddress at) {
        Map<PciAddress, PciFunction> all = functions();
        PciFunction function = all.get(at);
        if (function == null) {
            throw refused(at, new Obstacle.NotThere());
        }
        if (function.isNvSwitch()) {
            throw refused(at, new Obstacle.NvSwitch());
        }
        if (!function.isOf(means.classes())) {
            throw refused(at, new Obstacle.NotAGpu(function.name()));
        }
        return describe(function, all);
    }

    private static HypervisorException.Refused refused(PciAddress at, Obstacle obstacle) {
        return new HypervisorException.Refused(
                "gpu %s can't be passed through: %s".formatted(at, obstacle.message()), null);
    }

    /**
     * Returns the functions that go into a VM with gpus, and remembers what they are, to compare after the session. Takes
     * nothing: libvirt does when the VM is made.
     *
     * @throws HypervisorException.Refused if one can't be passed through, a VM has it, or it is not what it was before its
     *     first tenant
     */
    List<PciAddress> claim(List<PciAddress> gpus) {
        var functions = new ArrayList<PciAddress>();
        Map<PciAddress, String> users = gpus.isEmpty() ? Map.of() : users();
        for (PciAddress at : gpus) {
            HostGpu gpu = find(at);
            gpu.obstacle().ifPresent(obstacle -> {
                throw refused(at, obstacle);
            });
            for (PciAddress function : gpu.functions()) {
                if (users.containsKey(function)) {
                    throw refused(at, new Obstacle.InUse(users.get(function), function));
                }
                if (!functions.contains(function)) {
                    functions.add(function);
                }
            }
            List<String> changes = changes(gpu);
            if (!changes.isEmpty()) {
                throw new HypervisorException.Refused(
                        "gpu %s is not what it was before its first tenant: %s".formatted(at, remedy(gpu, changes)),
                        null);
            }
            means.checks().forEach(check -> check.before(gpu));
        }
        return List.copyOf(functions);
    }

    /**
     * Returns how a gpu differs from what it was when first seen; that is now, if it was not seen before.
     *
     * @throws HypervisorException.Lacking if a function does not answer or what was seen can't be kept
     */
    List<String> changes(HostGpu gpu) {
        var changes = new ArrayList<String>();
        if (means.files().reachable()) {
            for (PciAddress function : gpu.functions()) {
                try {
                    Fingerprint now = Fingerprint.of(means.sysfs(), function);
                    for (String change : means.fingerprints().keepOrCompare(function, now)) {
                        changes.add(function + ": " + change);
                    }
                } catch (IOException e) {
                    throw new HypervisorException.Lacking(
                            "function %s can't be compared with what it was: %s".formatted(function, e.getMessage()),
                            e);
                }
            }
        }
        return changes;
    }

    /** Returns changes with what to do about them. */
    String remedy(HostGpu gpu, List<String> changes) {
        return "%s; if that was you, delete %s, then release it"
                .formatted(
                        String.join("; ", changes),
                        means.fingerprints()
                                .file(gpu.gpu().address())
                                .resolveSibling(gpu.gpu()
                                                .address()
                                                .value()
                                                .replace(':', '-')
                                                .replaceAll("\\.\\d$", "") + ".*"));
    }

    /** Returns whether it is known what a gpu was before its tenant. */
    boolean seenBefore(HostGpu gpu) {
        try {
            for (PciAddress function : gpu.functions()) {
                if (means.fingerprints().first(function).isEmpty()) {
                    return false;
                }
            }
            return true;
        } catch (IOException e) {
            throw new HypervisorException.Lacking(
                    "what %s was can't be read: %s".formatted(gpu.gpu().address(), e.getMessage()), e);
        }
    }

    /** Returns which VM has which function. */
    Map<PciAddress, String> users() {
        return libvirt.call("asking which VMs have devices", connect -> {
            var users = new LinkedHashMap<PciAddress, String>();
            for (Domain domain : connect.listAllDomains(0)) {
                try {
                    String name = domain.getName();
                    for (PciAddress function : devicesOf(domain.getXMLDesc(0))) {
                        users.put(function, Printable.line(name));
                    }
                } catch (LibvirtException e) {
                    if (Libvirt.code(e) != ErrorNumber.VIR_ERR_NO_DOMAIN) {
                        throw e;
                    }
                } finally {
                    domain.free();
                }
            }
            return users;
        });
    }

    private static List<PciAddress> devicesOf(String domain) {
        var found = new ArrayList<PciAddress>();
        for (Element devices : Xml.children(Xml.parse(domain), "devices")) {
            for (Element hostdev : Xml.children(devices, "hostdev")) {
                if (hostdev.getAttribute("type").equals("pci")) {
                    for (Element source : Xml.children(hostdev, "source")) {
                        Xml.children(source, "address").forEach(at -> found.add(PciFunction.address(at)));
                    }
                }
            }
        }
        return found;
    }

    /** Returns every PCI function of the host. */
    Map<PciAddress, PciFunction> functions() {
        return libvirt.call("reading the host's PCI functions", connect -> {
            var functions = new LinkedHashMap<PciAddress, PciFunction>();
            if (connect.numOfDevices("pci") > 0) {
                for (String name : connect.listDevices("pci")) {
                    function(connect, name).ifPresent(function -> functions.put(function.at(), function));
                }
            }
            return functions;
        });
    }

    private static Optional<PciFunction> function(Connect connect, String name) throws LibvirtException {
        Device device;
        try {
            device = connect.deviceLookupByName(name);
        } catch (LibvirtException e) {
            if (Libvirt.code(e) == ErrorNumber.VIR_ERR_NO_NODE_DEVICE) {
                return Optional.empty(); // taken out meanwhile
            }
            throw e;
        }
        try {
            return Optional.of(PciFunction.parse(device.getXMLDescription()));
        } finally {
            device.free();
        }
    }

    private HostGpu describe(PciFunction function, Map<PciAddress, PciFunction> all) {
        Sysfs sysfs = means.sysfs();
        List<PciFunction> together = together(function, all);
        Optional<Obstacle> obstacle = obstacle(function, together, all);
        Optional<Nvml.Reading> reading = means.nvml().flatMap(nvml -> nvml.read(function.at()));
        String model = reading.map(Nvml.Reading::name).orElse(function.name());
        var gpu = new Gpu(
                function.at(),
                function.vendor(),
                function.device(),
                model.substring(0, Math.min(MODEL_LIMIT, model.length())),
                reading.map(Nvml.Reading::memoryMiB).orElseGet(() -> memoryMiB(function.model())),
                function.group(),
                false,
                obstacle.map(Obstacle::message));
        return new HostGpu(
                gpu,
                together.stream().map(PciFunction::at).toList(),
                function.driver(),
                function.numaNode(),
                sysfs.resetMethods(function.at()),
                sysfs.apertureMiB(function.at()),
                obstacle);
    }

    /** Many products say in their name how much memory they have. */
    private static int memoryMiB(String model) {
        Matcher size = GIBIBYTES.matcher(model);
        return size.find() ? Integer.parseInt(size.group(1)) * 1024 : 0;
    }

    /** The functions that go with a gpu: its IOMMU group less bridges, and its card's sound and USB; itself first. */
    private static List<PciFunction> together(PciFunction gpu, Map<PciAddress, PciFunction> all) {
        var together = new ArrayList<PciFunction>();
        together.add(gpu);
        for (PciFunction other : all.values()) {
            boolean grouped = gpu.groupMembers().contains(other.at()) && !other.isBridge();
            boolean companion = other.sameCard(gpu) && other.isCompanion();
            if (!other.at().equals(gpu.at()) && (grouped || companion)) {
                together.add(other);
            }
        }
        return together;
    }

    private Optional<Obstacle> obstacle(PciFunction gpu, List<PciFunction> together, Map<PciAddress, PciFunction> all) {
        if (gpu.group().isEmpty()) {
            return Optional.of(new Obstacle.NoIommu());
        }
        Sysfs sysfs = means.sysfs();
        if (sysfs.bootDisplay(gpu.at())) {
            return Optional.of(new Obstacle.BootDisplay(true));
        }
        if (!sysfs.readable() && firstDisplay(gpu, all)) {
            return Optional.of(new Obstacle.BootDisplay(false));
        }
        List<String> strangers = strangers(gpu, together, all);
        if (!strangers.isEmpty()) {
            return Optional.of(new Obstacle.NotViable(gpu.group().getAsInt(), strangers));
        }
        if (!means.privileged()) {
            return Optional.of(new Obstacle.Unprivileged());
        }
        if (sysfs.readable() && sysfs.resetMethods(gpu.at()).isEmpty()) {
            return Optional.of(new Obstacle.NoReset());
        }
        List<String> users = together.stream()
                .flatMap(function -> new HostUse(means.files()).of(function.at()).stream())
                .distinct()
                .toList();
        return users.isEmpty() ? Optional.empty() : Optional.of(new Obstacle.HostUses(users));
    }

    /** Linux boots with the first VGA controller that its firmware switched on, most often the first of all. */
    private static boolean firstDisplay(PciFunction gpu, Map<PciAddress, PciFunction> all) {
        return all.values().stream()
                .filter(function -> function.isOf(List.of(VGA)))
                .map(function -> function.at().value())
                .min(String::compareTo)
                .filter(gpu.at().value()::equals)
                .isPresent();
    }

    /** What is in the groups of a gpu and its companions and can't go with it: other cards, other gpus, NVSwitches. */
    private List<String> strangers(PciFunction gpu, List<PciFunction> together, Map<PciAddress, PciFunction> all) {
        return together.stream()
                .flatMap(function -> function.groupMembers().stream())
                .distinct()
                .filter(member -> !member.equals(gpu.at()))
                .filter(member -> {
                    PciFunction other = all.get(member);
                    return other == null
                            || !other.isBridge()
                                    && (!other.sameCard(gpu) || other.isOf(means.classes()) || other.isNvSwitch());
                })
                .map(member -> {
                    PciFunction other = all.get(member);
                    return other == null ? member.value() : "%s (%s)".formatted(member, other.name());
                })
                .toList();
    }

    /** Writes the element that hands a function to a VM; libvirt binds it to VFIO and back again. */
    static void hostdev(Xml devices, PciAddress at) throws XMLStreamException {
        hostdev(devices, at, OptionalInt.empty());
    }

    /** Does the same, with the device's place in the order in which the VM's firmware looks at what there is. */
    static void hostdev(Xml devices, PciAddress at, OptionalInt order) throws XMLStreamException {
        devices.element("hostdev", List.of("mode", "subsystem", "type", "pci", "managed", "yes"), hostdev -> {
            hostdev.element("driver", "name", "vfio");
            hostdev.element(
                    "source",
                    List.of(),
                    source -> source.element(
                            "address",
                            "domain",
                            hex(at.domain(), 4),
                            "bus",
                            hex(at.bus(), 2),
                            "slot",
                            hex(at.slot(), 2),
                            "function",
                            hex(at.function(), 1)));
            if (order.isPresent()) {
                hostdev.element("boot", "order", Integer.toString(order.getAsInt()));
            }
            hostdev.element("rom", "bar", "off");
        });
    }

    private static String hex(int value, int digits) {
        return "0x" + String.format(Locale.ROOT, "%0" + digits + "x", value);
    }
}
