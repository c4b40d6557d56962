package org.computehive.vm;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.market.PciAddress;
import org.w3c.dom.Element;

/**
 * A PCI function, as libvirt's node devices describe it (libvirt.org/formatnode.html).
 *
 * @param at where it sits
 * @param pciClass class, subclass and interface: six hexadecimal digits
 * @param vendor its vendor's id, four hexadecimal digits
 * @param device its own id, four hexadecimal digits
 * @param model vendor and product by name, as far as the host knows them; may be empty
 * @param driver what it is bound to
 * @param numaNode the memory node it is next to
 * @param group its IOMMU group, where the host has an IOMMU
 * @param groupMembers all functions of that group, itself too
 */
record PciFunction(
        PciAddress at,
        String pciClass,
        String vendor,
        String device,
        String model,
        Optional<String> driver,
        OptionalInt numaNode,
        OptionalInt group,
        List<PciAddress> groupMembers) {
    static final String NVIDIA = "10de";
    private static final String VFIO = "vfio-pci";
    private static final String PCI_BRIDGE = "0604";
    private static final String OTHER_BRIDGE = "0680";
    /** Sound, USB, and the controller of a USB-C socket: what cards bring along beside their gpu. */
    private static final List<String> COMPANIONS = List.of("0403", "0c03", "0c80");

    PciFunction {
        groupMembers = List.copyOf(groupMembers);
    }

    /** Reads libvirt's description of a device of capability {@code pci}. */
    static PciFunction parse(String xml) {
        Element root = Xml.parse(xml);
        Element pci = Xml.children(root, "capability").getFirst();
        OptionalInt group = OptionalInt.empty();
        var members = new ArrayList<PciAddress>();
        for (Element iommu : Xml.children(pci, "iommuGroup")) {
            group = OptionalInt.of(Integer.parseInt(iommu.getAttribute("number")));
            for (Element member : Xml.children(iommu, "address")) {
                members.add(address(member));
            }
        }
        Element product = Xml.children(pci, "product").getFirst();
        Element vendor = Xml.children(pci, "vendor").getFirst();
        return new PciFunction(
                address(
                        Xml.childText(pci, "domain"),
                        Xml.childText(pci, "bus"),
                        Xml.childText(pci, "slot"),
                        Xml.childText(pci, "function")),
                hex(Xml.childText(pci, "class"), 6),
                hex(vendor.getAttribute("id"), 4),
                hex(product.getAttribute("id"), 4),
                Printable.line((vendor.getTextContent().strip() + " "
                                + product.getTextContent().strip())
                        .strip()),
                Xml.children(root, "driver").stream()
                        .map(driver -> Xml.childText(driver, "name"))
                        .filter(name -> !name.isEmpty())
                        .findFirst(),
                Xml.children(pci, "numa").stream()
                        .mapToInt(numa -> Integer.parseInt(numa.getAttribute("node")))
                        .findFirst(),
                group,
                members);
    }

    /** Reads an element {@code address} of libvirt's. */
    static PciAddress address(Element address) {
        return address(
                address.getAttribute("domain"),
                address.getAttribute("bus"),
                address.getAttribute("slot"),
                address.getAttribute("function"));
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

    /** Returns libvirt's name of a function. */
    static String nodeName(PciAddress at) {
        return "pci_" + at.value().replace(':', '_').replace('.', '_');
    }

    /** Whether it is a bridge to another bus: it stays with the host, also where it is in a device's IOMMU group. */
    boolean isBridge() {
        return pciClass.startsWith(PCI_BRIDGE);
    }

    /** Whether it is of one of these classes, each the first digits. */
    boolean isOf(List<String> classes) {
        return classes.stream().anyMatch(pciClass::startsWith);
    }

    /** Whether it connects gpus with each other and belongs to all of them, so to none of their tenants. */
    boolean isNvSwitch() {
        return vendor.equals(NVIDIA) && pciClass.startsWith(OTHER_BRIDGE);
    }

    /** Whether a card brings it beside its gpu. */
    boolean isCompanion() {
        return isOf(COMPANIONS);
    }

    /** Whether it is bound to the driver that hands devices to VMs. */
    boolean isDetached() {
        return driver.filter(VFIO::equals).isPresent();
    }

    boolean sameCard(PciFunction other) {
        return at.domain() == other.at.domain() && at.bus() == other.at.bus() && at.slot() == other.at.slot();
    }

    /** Returns a name for people: its model where that is known. */
    String name() {
        return model.isBlank() ? "device %s:%s of class %s".formatted(vendor, device, pciClass.substring(0, 4)) : model;
    }
}
