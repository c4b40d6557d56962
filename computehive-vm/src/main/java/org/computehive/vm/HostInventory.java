package org.computehive.vm;

import java.util.ArrayList;
import java.util.HashMap;
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
import org.libvirt.LibvirtException;
import org.libvirt.NodeInfo;

/** Reads what a host has from libvirt's node devices, so that it works on remote hosts too. */
final class HostInventory {
    /**
     * The address of the emulated display device: in a PCI domain that no host has, so that it is never taken for a real
     * one.
     */
    static final PciAddress EMULATED = new PciAddress("ffff:00:01.0");

    private HostInventory() {}

    /**
     * Reads it.
     *
     * @param passthrough the gpus
     * @param layout how a guest's machine is made here
     * @param images the guest images it has
     */
    static Inventory read(
            Libvirt libvirt,
            Passthrough passthrough,
            boolean kvm,
            Map<String, String> layout,
            Map<String, GuestPlatform.Image> images) {
        var gpus = new ArrayList<Gpu>();
        passthrough.survey().forEach(gpu -> gpus.add(gpu.gpu()));
        if (gpus.stream().allMatch(gpu -> gpu.unavailable().isPresent())) {
            gpus.add(emulated());
        }
        return libvirt.call("reading the host's inventory", connect -> {
            NodeInfo node = connect.nodeInfo();
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
        var rentable = new HashMap<>(images);
        rentable.keySet().removeIf(ImageScrub::isOne);
        return new GuestPlatform(software(connect), layout, NetworkPolicy.NONE.words(), rentable);
    }

    static Map<String, String> software(Connect connect) throws LibvirtException {
        return Map.of("qemu", version(connect.getVersion()), "libvirt", version(connect.getLibVersion()));
    }

    private static String version(long packed) {
        return "%d.%d.%d".formatted(packed / 1_000_000, packed / 1_000 % 1_000, packed % 1_000);
    }
}
