package org.computehive.vm;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.computehive.market.Gpu;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.Inventory;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.VmSpec;
import org.computehive.vm.LibvirtHypervisor.Acceleration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What a host has, and whether a VM fits it. Thread-safe. */
final class Capacity {
    private static final Logger LOG = LoggerFactory.getLogger(Capacity.class);

    private final Libvirt libvirt;
    private final Places places;
    private final ImageCatalogue images;
    private final Acceleration acceleration;
    private final Tuning tuning;
    private final HostNetwork.Bandwidth bandwidth;
    private final boolean privileged;
    private final Passthrough passthrough;
    private final AtomicReference<@Nullable Boolean> kvmBoots = new AtomicReference<>();

    Capacity(
            Libvirt libvirt,
            Places places,
            ImageCatalogue images,
            LibvirtHypervisor.Options options,
            boolean privileged,
            Passthrough passthrough) {
        this.libvirt = libvirt;
        this.places = places;
        this.images = images;
        this.acceleration = options.acceleration();
        this.tuning = options.tuning();
        this.bandwidth = options.network().bandwidth();
        this.privileged = privileged;
        this.passthrough = passthrough;
    }

    Inventory inventory() {
        boolean kvm = accelerated();
        var layout = DomainModel.layout(
                kvm, Resources.of(tuning, MemoryLocking.promised(tuning.lock(), privileged), List.of()), bandwidth);
        return HostInventory.read(libvirt, passthrough, kvm, layout, images.platforms());
    }

    /**
     * Returns what of this host a VM gets.
     *
     * @param cpus the processors that it has to itself
     * @throws HypervisorException.Lacking if its memory must be locked and may not be
     */
    Resources resources(int memoryMiB, List<Integer> cpus) {
        boolean locked = MemoryLocking.decide(tuning.lock(), privileged, memoryMiB);
        return Resources.of(tuning, locked, cpus);
    }

    /** Returns whether VMs use the processor's own virtualisation. */
    boolean accelerated() {
        return switch (acceleration) {
            case KVM -> true;
            case TCG -> false;
            case PROBE -> libvirt.local() && probe();
        };
    }

    /** Boots a kernel once with KVM and remembers the answer; software emulation while there is no image to boot. */
    private boolean probe() {
        Boolean known = kvmBoots.get();
        if (known != null) {
            return known;
        }
        for (String name : images.names()) {
            try {
                boolean boots = KvmProbe.boots(
                        image(name), places.account(), places.images().resolve("kvm-boots"));
                kvmBoots.set(boots);
                return boots;
            } catch (HypervisorException.Refused e) {
                LOG.warn("KVM is probed with another image: {}", e.getMessage());
            }
        }
        return false;
    }

    /** Returns an image, verified now, with files that the guests' user reaches. */
    GuestImage image(String name) {
        return Staging.reachable(images.verified(name), places);
    }

    /**
     * Checks that a VM can run here.
     *
     * @throws HypervisorException.Refused if the host is remote or a device can't be had
     * @throws HypervisorException.Lacking if its memory does not fit
     */
    void check(VmSpec spec) {
        if (!libvirt.local()) {
            throw new HypervisorException.Refused(
                    "VMs can't be started over %s: their disks are made on the host, run this there"
                            .formatted(libvirt.uri()),
                    null);
        }
        Inventory inventory = inventory();
        if (spec.shape().memoryMiB() > inventory.memoryMiB()) {
            throw new HypervisorException.Lacking(
                    "VM of %d MiB does not fit: guests may use %d MiB on this host"
                            .formatted(spec.shape().memoryMiB(), inventory.memoryMiB()),
                    null);
        }
        for (PciAddress address : spec.gpus()) {
            Gpu gpu = inventory.gpus().stream()
                    .filter(candidate -> candidate.address().equals(address))
                    .findFirst()
                    .orElseThrow(() -> new HypervisorException.Refused(
                            "gpu %s is not on this host: read the inventory again".formatted(address), null));
            gpu.unavailable().ifPresent(why -> {
                throw new HypervisorException.Refused(
                        "gpu %s can't be passed through: %s".formatted(address, why), null);
            });
        }
    }
}
