package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GuestPlatform;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.Inventory;
import org.libvirt.Connect;
import org.libvirt.Device;
import org.libvirt.LibvirtException;
import org.libvirt.NodeInfo;
import org.w3c.dom.Element;

/** Reads what a host has from libvirt's node devices, so that it works on remote hosts too. */
final class HostInventory {
    /**
     * The address of the emulated display device: in a PCI domain that no host has, so that it is never taken for a real
     * one.
     */
    static final PciAddress EMULATED = new PciAddress("ffff:00:01.0");

    private static final String DISPLAY_CLASS = "03";
    private static final String BRIDGE_CLASS = "0604";

    private HostInventory() {}

    /** A PCI function, as libvirt describes it. */
    private record Function(
            PciAddress at,
            String pciClass,
            String vendor,
            String device,
            String model,
            OptionalInt group,
            List<PciAddress> groupMembers) {}

    /**
     * Reads it.
     *
     * @param unprivileged whether this libvirt runs without the rights that passing devices through needs
     * @param local whether the host is this machine
     * @param layout how a guest's machine is made here
     * @param images the guest images it has
     */
    static Inventory read(
            Libvirt libvirt,
            boolean kvm,
            boolean unprivileged,
            boolean local,
            Map<String, String> layout,
            Map<String, GuestPlatform.Image> images) {
        return libvirt.call("reading the host's inventory", connect -> {
            NodeInfo node = connect.nodeInfo();
            var gpus = new ArrayList<Gpu>();
            Map<PciAddress, Function> functions = functions(connect);
            for (Function function : functions.values()) {
                if (function.pciClass().startsWith(DISPLAY_CLASS)) {
                    gpus.add(gpu(function, functions, unprivileged, local));
                }
            }
            if (gpus.stream().allMatch(gpu -> gpu.unavailable().isPresent())) {
                gpus.add(emulated());
            }
            int memory = Math.toIntExact(Math.max(128, node.memory / 1024 * 3 / 4));
            return new Inventory(
                    node.cpus,
                    memory,
                    gpus,
                    kvm ? "kvm" : "tcg",
                    Assurance.ISOLATED,
                    platform(connect, layout, images));
        });
    }

    private static Gpu emulated() {
        return new Gpu(
                EMULATED,
                "1234",
                "1111",
                "Emulated display device (bochs)",
                16,
                OptionalInt.empty(),
                true,
                Optional.empty());
    }

    /** What guests run on: the same words as {@link DomainModel} makes true. */
    private static GuestPlatform platform(
            Connect connect, Map<String, String> layout, Map<String, GuestPlatform.Image> images)
            throws LibvirtException {
        return new GuestPlatform(software(connect), layout, NetworkPolicy.NONE.words(), images);
    }

    static Map<String, String> software(Connect connect) throws LibvirtException {
        return Map.of("qemu", version(connect.getVersion()), "libvirt", version(connect.getLibVersion()));
    }

    private static String version(long packed) {
        return "%d.%d.%d".formatted(packed / 1_000_000, packed / 1_000 % 1_000, packed % 1_000);
    }

    private static Map<PciAddress, Function> functions(Connect connect) throws LibvirtException {
        var functions = new LinkedHashMap<PciAddress, Function>();
        if (connect.numOfDevices("pci") == 0) {
            return functions;
        }
        for (String name : connect.listDevices("pci")) {
            Device device = connect.deviceLookupByName(name);
            try {
                Function function = parse(device.getXMLDescription());
                functions.put(function.at(), function);
            } finally {
                device.free();
            }
        }
        return functions;
    }

    private static Function parse(String xml) {
        Element pci = Xml.children(Xml.parse(xml), "capability").getFirst();
        List<Element> groups = Xml.children(pci, "iommuGroup");
        OptionalInt group = OptionalInt.empty();
        var members = new ArrayList<PciAddress>();
        if (!groups.isEmpty()) {
            group = OptionalInt.of(Integer.parseInt(groups.getFirst().getAttribute("number")));
            for (Element member : Xml.children(groups.getFirst(), "address")) {
                members.add(address(
                        member.getAttribute("domain"),
                        member.getAttribute("bus"),
                        member.getAttribute("slot"),
                        member.getAttribute("function")));
            }
        }
        Element product = Xml.children(pci, "product").getFirst();
        Element vendor = Xml.children(pci, "vendor").getFirst();
        String model = (vendor.getTextContent().strip() + " "
                        + product.getTextContent().strip())
                .strip();
        return new Function(
                address(
                        Xml.childText(pci, "domain"),
                        Xml.childText(pci, "bus"),
                        Xml.childText(pci, "slot"),
                        Xml.childText(pci, "function")),
                hex(Xml.childText(pci, "class"), 6),
                hex(vendor.getAttribute("id"), 4),
                hex(product.getAttribute("id"), 4),
                model,
                group,
                members);
    }

    private static PciAddress address(String domain, String bus, String slot, String function) {
        return new PciAddress("%04x:%02x:%02x.%x"
                .formatted(
                        Integer.decode(domain), Integer.decode(bus), Integer.decode(slot), Integer.decode(function)));
    }

    private static String hex(String value, int digits) {
        int number = value.isEmpty() ? 0 : Integer.decode(value);
        return String.format(Locale.ROOT, "%0" + digits + "x", number);
    }

    private static Gpu gpu(Function f, Map<PciAddress, Function> all, boolean unprivileged, boolean local) {
        String model = f.model().isBlank() ? "Display device " + f.vendor() + ":" + f.device() : f.model();
        String line = Printable.line(model);
        return new Gpu(
                f.at(),
                f.vendor(),
                f.device(),
                line.substring(0, Math.min(120, line.length())),
                0,
                f.group(),
                false,
                whyNot(f, all, unprivileged, local));
    }

    private static Optional<String> whyNot(
            Function gpu, Map<PciAddress, Function> all, boolean unprivileged, boolean local) {
        if (gpu.group().isEmpty()) {
            return Optional.of("the host has no IOMMU for it: switch on VT-d or AMD-Vi in the firmware and the kernel");
        }
        if (local && bootDisplay(gpu.at())) {
            return Optional.of("it is the display that the host booted with");
        }
        for (PciAddress member : gpu.groupMembers()) {
            Function other = all.get(member);
            boolean bridge = other != null && other.pciClass().startsWith(BRIDGE_CLASS);
            boolean sameSlot = member.domain() == gpu.at().domain()
                    && member.bus() == gpu.at().bus()
                    && member.slot() == gpu.at().slot();
            if (!bridge && !sameSlot) {
                return Optional.of("its IOMMU group %d is not viable: %s is in it too"
                        .formatted(gpu.group().getAsInt(), member));
            }
        }
        if (unprivileged) {
            return Optional.of("a private, unprivileged libvirt can't pass devices through: use qemu:///system");
        }
        return Optional.empty();
    }

    private static boolean bootDisplay(PciAddress at) {
        try {
            return Files.readString(Path.of("/sys/bus/pci/devices", at.value(), "boot_vga"))
                    .strip()
                    .equals("1");
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * Returns every function that goes with a gpu into a VM: those of its IOMMU group, less bridges.
     *
     * @throws org.computehive.rental.HypervisorException if the host can't be read
     */
    static List<PciAddress> withItsGroup(Libvirt libvirt, PciAddress gpu) {
        return libvirt.call("reading the IOMMU group of " + gpu, connect -> {
            Map<PciAddress, Function> all = functions(connect);
            Function function = all.get(gpu);
            if (function == null || function.groupMembers().isEmpty()) {
                return List.of(gpu);
            }
            return function.groupMembers().stream()
                    .filter(member -> {
                        Function other = all.get(member);
                        return other == null || !other.pciClass().startsWith(BRIDGE_CLASS);
                    })
                    .toList();
        });
    }
}
