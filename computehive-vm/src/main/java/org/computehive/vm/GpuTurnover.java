package org.computehive.vm;

import java.util.ArrayList;
import java.util.List;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.Turnover;
import org.computehive.rental.HypervisorException;
import org.libvirt.Device;

/** What happens to devices between two sessions. */
final class GpuTurnover {
    private final Libvirt libvirt;

    GpuTurnover(Libvirt libvirt) {
        this.libvirt = libvirt;
    }

    List<Turnover> of(List<PciAddress> gpus) {
        var results = new ArrayList<Turnover>();
        for (PciAddress gpu : gpus) {
            results.add(
                    gpu.equals(HostInventory.EMULATED)
                            ? new Turnover(gpu, true, "emulated: it was part of the VM's process and ended with it")
                            : reset(gpu));
        }
        return List.copyOf(results);
    }

    private Turnover reset(PciAddress gpu) {
        String name = "pci_" + gpu.value().replace(':', '_').replace('.', '_');
        try {
            libvirt.call("resetting " + gpu, connect -> {
                Device device = connect.deviceLookupByName(name);
                try {
                    return device.reset();
                } finally {
                    device.free();
                }
            });
        } catch (HypervisorException e) {
            return new Turnover(gpu, false, "quarantined: " + e.getMessage());
        }
        return new Turnover(
                gpu,
                false,
                "quarantined: it was reset, but a reset leaves the last tenant's bytes and no scrub is available for this device; an operator must release it");
    }
}
