package org.computehive.vm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.Turnover;
import org.computehive.rental.HypervisorException;
import org.libvirt.Connect;
import org.libvirt.Device;
import org.libvirt.LibvirtException;

/**
 * What happens to gpus between two sessions: reset, comparison with what they were before their first tenant, scrub, health
 * check. A gpu for which one of these can't be done, or fails, is quarantined. Thread-safe.
 */
final class GpuTurnover {
    private final Libvirt libvirt;
    private final Passthrough passthrough;
    private final Sysfs sysfs;
    private final List<GpuScrub> scrubs;
    private final List<HealthCheck> checks;

    GpuTurnover(
            Libvirt libvirt, Passthrough passthrough, Sysfs sysfs, List<GpuScrub> scrubs, List<HealthCheck> checks) {
        this.libvirt = libvirt;
        this.passthrough = passthrough;
        this.sysfs = sysfs;
        this.scrubs = List.copyOf(scrubs);
        this.checks = List.copyOf(checks);
    }

    /**
     * Turns gpus over.
     *
     * @throws HypervisorException.NotGone if a VM still has one: call again
     * @throws HypervisorException.Unreachable if the host can't be reached: call again
     */
    List<Turnover> of(List<PciAddress> gpus) {
        var results = new ArrayList<Turnover>();
        for (PciAddress gpu : gpus) {
            results.add(
                    gpu.equals(HostInventory.EMULATED)
                            ? new Turnover(gpu, true, "emulated: it was part of the VM's process and ended with it")
                            : turnOver(gpu));
        }
        return List.copyOf(results);
    }

    private Turnover turnOver(PciAddress at) {
        try {
            HostGpu gpu = passthrough.find(at);
            awaitNobody(gpu);
            var done = new ArrayList<String>();
            done.add(reset(gpu));
            done.add(compare(gpu));
            done.add(scrub(gpu));
            done.add(reset(gpu) + " again");
            done.add(check(gpu));
            return new Turnover(at, true, String.join("; ", done));
        } catch (HypervisorException.Unreachable | HypervisorException.NotGone e) {
            throw e;
        } catch (HypervisorException e) {
            return new Turnover(at, false, "quarantined: " + e.getMessage());
        }
    }

    private void awaitNobody(HostGpu gpu) {
        ScrubGuest.end(libvirt, gpu.gpu().address());
        Map<PciAddress, String> users = passthrough.users();
        for (PciAddress function : gpu.functions()) {
            String user = users.get(function);
            if (user != null) {
                throw new HypervisorException.NotGone(
                        "gpu %s can't be turned over: %s"
                                .formatted(gpu.gpu().address(), new Obstacle.InUse(user, function).message()),
                        null);
            }
        }
    }

    /**
     * Resets every function that can be reset, while no driver but VFIO has any; then each goes back to its driver.
     *
     * @return what was done, in words
     */
    private String reset(HostGpu gpu) {
        PciAddress at = gpu.gpu().address();
        var detached = new ArrayList<PciAddress>();
        try {
            Map<PciAddress, PciFunction> now = passthrough.functions();
            for (PciAddress function : gpu.functions()) {
                if (!Optional.ofNullable(now.get(function))
                        .map(PciFunction::isDetached)
                        .orElse(false)) {
                    detached.add(function);
                    onDevice("taking %s from its driver", function, Device::detach);
                }
            }
            for (PciAddress function : gpu.functions()) {
                if (!sysfs.readable()) {
                    onDevice("resetting %s", function, Device::reset);
                } else if (function.equals(at) || !sysfs.resetMethods(function).isEmpty()) {
                    sysfs.reset(function);
                }
            }
            return "reset (%s)"
                    .formatted(sysfs.readable() ? sysfs.resetMethods(at).getFirst() : "by libvirt");
        } catch (IOException e) {
            throw new HypervisorException.Lacking("gpu %s could not be reset: %s".formatted(at, e.getMessage()), e);
        } finally {
            detached.forEach(function -> onDevice("giving %s back to its driver", function, Device::reAttach));
        }
    }

    private interface Act {
        int on(Device device) throws LibvirtException;
    }

    private void onDevice(String what, PciAddress function, Act act) {
        libvirt.call(what.formatted(function), connect -> act(connect, function, act));
    }

    private static int act(Connect connect, PciAddress function, Act act) throws LibvirtException {
        Device device = connect.deviceLookupByName(PciFunction.nodeName(function));
        try {
            return act.on(device);
        } finally {
            device.free();
        }
    }

    private String compare(HostGpu gpu) {
        if (!sysfs.readable()) {
            throw new HypervisorException.Lacking(
                    "its configuration space and firmware can't be compared over %s: run this on its host"
                            .formatted(libvirt.uri()),
                    null);
        }
        if (!passthrough.seenBefore(gpu)) {
            throw new HypervisorException.Lacking("it is not known what it was before its tenant", null);
        }
        List<String> changes = passthrough.changes(gpu);
        if (!changes.isEmpty()) {
            throw new HypervisorException.Lacking(
                    "it is not what it was before its first tenant: " + passthrough.remedy(gpu, changes), null);
        }
        return "configuration space and firmware as before its first tenant";
    }

    private String scrub(HostGpu gpu) {
        GpuScrub scrub = scrubs.stream()
                .filter(candidate -> candidate.handles(gpu))
                .findFirst()
                .orElseThrow(() -> new HypervisorException.Lacking(
                        "it was reset, but a reset leaves the last tenant's bytes and there is no scrub for a device of vendor %s with driver %s: bind NVIDIA's driver on the host, or put an image named scrub-%s into the catalogue"
                                .formatted(
                                        gpu.gpu().vendorId(),
                                        gpu.driver().orElse("none"),
                                        gpu.gpu().vendorId()),
                        null));
        long bytes = overwrite(scrub, gpu);
        return "%d bytes overwritten by %s".formatted(bytes, scrub.name());
    }

    /** Others may have written the scrub: whatever it throws leaves the gpu unclean. */
    private static long overwrite(GpuScrub scrub, HostGpu gpu) {
        try {
            return scrub.scrub(gpu);
        } catch (HypervisorException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new HypervisorException.Lacking("its scrub ended in " + e, e);
        }
    }

    private String check(HostGpu gpu) {
        List<String> problems =
                checks.stream().flatMap(check -> check.problems(gpu).stream()).toList();
        if (!problems.isEmpty()) {
            throw new HypervisorException.Lacking("it is not well: " + String.join("; ", problems), null);
        }
        return "healthy";
    }
}
