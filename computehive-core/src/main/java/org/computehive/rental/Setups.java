package org.computehive.rental;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.computehive.manifest.Setup;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.GuestPlatform;
import org.computehive.market.Host;
import org.computehive.market.MachineShape;
import org.computehive.market.NetworkPolicy;

/** What a VM will run on as far as its host says, and what it runs on as far as its hypervisor saw. Stateless. */
final class Setups {
    private static final String DIGEST = " sha256";
    private static final String VERSION = " version";

    private Setups() {}

    static Setup promised(Host host, Collection<GpuId> gpus, MachineShape shape) {
        GuestPlatform platform = host.platform();
        Optional<GuestPlatform.Image> image = platform.image(shape.image());
        var software = new TreeMap<>(platform.software());
        image.ifPresent(known -> software.putAll(known.software()));
        return storable(new Setup(
                new Setup.Image(
                        shape.image(),
                        new TreeMap<>(image.map(GuestPlatform.Image::sha256).orElse(Map.of()))),
                new Setup.Machine(shape.cpus(), shape.memoryMiB(), shape.diskMiB(), new TreeMap<>(platform.layout())),
                devices(host, gpus),
                software,
                shape.network().equals(NetworkPolicy.NONE)
                        ? platform.network()
                        : shape.network().words()));
    }

    /**
     * Reads a VM's facts, as {@link Hypervisor.RunningVm} names them.
     *
     * @param host where it runs, for its devices
     */
    static Setup observed(Host host, Collection<GpuId> gpus, MachineShape shape, Map<String, String> facts) {
        var digests = new TreeMap<String, String>();
        var software = new TreeMap<String, String>();
        var layout = new TreeMap<String, String>();
        facts.forEach((name, value) -> {
            if (name.endsWith(DIGEST)) {
                digests.put(name.substring(0, name.length() - DIGEST.length()), value);
            } else if (name.endsWith(VERSION)) {
                software.put(name.substring(0, name.length() - VERSION.length()), value);
            } else if (!name.equals("image") && !name.equals("network") && !name.equals("gpus")) {
                layout.put(name, value);
            }
        });
        return storable(new Setup(
                new Setup.Image(facts.getOrDefault("image", shape.image()), digests),
                new Setup.Machine(shape.cpus(), shape.memoryMiB(), shape.diskMiB(), layout),
                devices(host, gpus),
                software,
                facts.getOrDefault("network", "")));
    }

    /** Refuses here what could not be written into an event. */
    private static Setup storable(Setup setup) {
        String unused = setup.json();
        return setup;
    }

    private static List<Setup.Device> devices(Host host, Collection<GpuId> gpus) {
        return host.gpus().stream()
                .filter(gpu -> gpus.contains(new GpuId(host.id(), gpu.address())))
                .map(Setups::device)
                .toList();
    }

    private static Setup.Device device(Gpu gpu) {
        return new Setup.Device(gpu.model(), gpu.vendorId() + ":" + gpu.deviceId(), gpu.memoryMiB(), gpu.emulated());
    }
}
