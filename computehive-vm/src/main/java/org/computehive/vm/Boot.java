package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.computehive.market.PciAddress;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.VmSpec;
import org.computehive.vm.internal.CloudSeed;
import org.libvirt.Domain;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes VMs, paused, journals them and lets them run until their guests say that they are ready. */
final class Boot {
    private static final Logger LOG = LoggerFactory.getLogger(Boot.class);
    private static final int PORT_TRIES = 4;

    private final Libvirt libvirt;
    private final Places places;
    private final LibvirtHypervisor.Options options;
    private final Domains domains;
    private final SessionStore sessions;
    private final Ending ending;
    private final GuestNetworks networks;
    private final Consoles consoles;
    private final Progress progress;
    private final Capacity capacity;
    private final Processors processors;
    private final Passthrough passthrough;

    Boot(
            Libvirt libvirt,
            Places places,
            LibvirtHypervisor.Options options,
            Domains domains,
            SessionStore sessions,
            Ending ending,
            GuestNetworks networks,
            Consoles consoles,
            Progress progress,
            Capacity capacity,
            Passthrough passthrough) {
        this.libvirt = libvirt;
        this.places = places;
        this.options = options;
        this.domains = domains;
        this.sessions = sessions;
        this.ending = ending;
        this.networks = networks;
        this.consoles = consoles;
        this.progress = progress;
        this.capacity = capacity;
        this.processors = new Processors(libvirt, options.tuning().cpus());
        this.passthrough = passthrough;
    }

    /**
     * A VM whose guest is ready.
     *
     * @param mark its metadata
     * @param making how many nanoseconds libvirt and QEMU took to make it
     * @param resumed when its processors ran, by {@link System#nanoTime}
     * @param ready when its guest was ready, by the same
     */
    record Booted(SessionMark mark, long making, long resumed, long ready) {}

    private record Made(SessionMark mark, long nanos) {}

    /**
     * Boots a VM whose disk was prepared; a failure leaves what was made for {@link Ending}.
     *
     * @throws HypervisorException.GuestFailed if its guest did not become ready
     */
    Booted boot(VmSpec spec, GuestImage image, boolean kvm, Journal prepared) {
        UUID uuid = UUID.randomUUID();
        Made made = processors.taking(spec.shape().cpus(), cpus -> {
            Resources resources = capacity.resources(spec.shape().memoryMiB(), cpus);
            return create(spec, image, kvm, prepared.secret(), uuid, resources);
        });
        progress.took(Progress.Step.VM_MADE);
        Journal created = new Journal(spec.id(), Journal.Step.CREATED, prepared.secret(), ending.process(spec.id()));
        sessions.write(created);
        progress.took(Progress.Step.VM_JOURNALED);
        long resumed = run(spec);
        long ready = System.nanoTime();
        progress.took(Progress.Step.GUEST_READY);
        sessions.unseed(spec.id());
        progress.took(Progress.Step.SEED_DELETED);
        sessions.write(created.at(Journal.Step.READY));
        progress.took(Progress.Step.READY_JOURNALED);
        LOG.info("VM ready: rental={} port={}", spec.id(), made.mark().ssh().getPort());
        return new Booted(made.mark(), made.nanos(), resumed, ready);
    }

    /** Lets the processors run until the guest is ready; returns when they began to. */
    private long run(VmSpec spec) {
        try {
            Console console =
                    Console.connect(sessions.console(spec.id()), spec.access().hostKey());
            consoles.keep(spec.id(), console);
            domains.act(spec.id(), "starting the processors", Domain::resume);
            long resumed = System.nanoTime();
            progress.took(Progress.Step.VM_RESUMED);
            console.awaitReady(options.readyLimit());
            return resumed;
        } catch (IOException e) {
            throw new HypervisorException.GuestFailed("the console can't be reached: " + e, e);
        }
    }

    private Made create(VmSpec spec, GuestImage image, boolean kvm, UUID secret, UUID uuid, Resources resources) {
        for (int tries = 1; ; tries++) {
            GuestLink link = networks.open(spec.id(), spec.shape().network());
            var mark = new SessionMark(
                    spec.id(),
                    options.clock().millis(),
                    spec.expires(),
                    link.ssh(),
                    facts(spec, image, kvm, resources));
            String xml =
                    model(spec, image, secret, uuid, mark, link, kvm, resources).xml();
            try {
                long begun = System.nanoTime();
                libvirt.once("making the VM", connect -> {
                    connect.domainCreateXML(xml, Domain.CreateFlags.PAUSED).free();
                    return true;
                });
                long nanos = System.nanoTime() - begun;
                networks.join(spec.id(), link, spec.shape().network());
                return new Made(mark, nanos);
            } catch (HypervisorException.Lacking e) {
                boolean portTaken = String.valueOf(e.getMessage()).contains("host forwarding rule");
                if (!portTaken || tries == PORT_TRIES) {
                    throw e;
                }
            }
        }
    }

    /** Writes the disk that cloud-init reads, for images that have it: in memory, for the time of the boot. */
    private Optional<Path> seedDisk(VmSpec spec, GuestImage image) {
        if (image.setUp() != GuestImage.SetUp.CLOUD_INIT) {
            return Optional.empty();
        }
        Path file = places.seeds().resolve(spec.id().value()).resolve("cidata");
        try {
            return Optional.of(places.account()
                    .file(
                            file,
                            CloudSeed.disk(
                                    spec.id(), GuestLink.place(options.network().resolvers()))));
        } catch (IOException e) {
            throw new HypervisorException.Lacking("seed disk of %s can't be kept: %s".formatted(spec.id(), e), e);
        }
    }

    private Map<String, String> facts(VmSpec spec, GuestImage image, boolean kvm, Resources resources) {
        Map<String, String> software = libvirt.call("reading versions", HostInventory::software);
        var facts = new LinkedHashMap<String, String>();
        facts.put("image", image.name());
        image.parts().forEach((role, part) -> facts.put(role + " sha256", part.sha256()));
        image.version().ifPresent(version -> facts.put("kernel version", version));
        software.forEach((name, version) -> facts.put(name + " version", version));
        facts.putAll(DomainModel.layout(kvm, resources, options.network().bandwidth()));
        facts.put("network", spec.shape().network().words());
        facts.put(
                "gpus",
                spec.gpus().stream()
                        .map(gpu -> gpu.equals(HostInventory.EMULATED) ? gpu + " (emulated)" : gpu.value())
                        .reduce((one, two) -> one + ", " + two)
                        .orElse("none"));
        return facts;
    }

    private DomainModel model(
            VmSpec spec,
            GuestImage image,
            UUID secret,
            UUID uuid,
            SessionMark mark,
            GuestLink link,
            boolean kvm,
            Resources resources) {
        boolean display = spec.gpus().contains(HostInventory.EMULATED);
        List<PciAddress> devices = passthrough.claim(spec.gpus().stream()
                .filter(gpu -> !gpu.equals(HostInventory.EMULATED))
                .toList());
        return new DomainModel(
                mark,
                link,
                uuid,
                kvm,
                spec.shape().cpus(),
                spec.shape().memoryMiB(),
                image.kernel().map(GuestImage.Part::file),
                image.initrd().map(GuestImage.Part::file),
                "console=ttyS0 quiet panic=-1" + (kvm ? "" : " mitigations=off no5lvl no_timer_check"),
                sessions.overlay(spec.id()),
                image.base().map(GuestImage.Part::file),
                secret,
                sessions.console(spec.id()),
                sessions.seed(spec),
                seedDisk(spec, image),
                display,
                devices,
                resources,
                places.guestLabel(),
                Optional.empty());
    }
}
