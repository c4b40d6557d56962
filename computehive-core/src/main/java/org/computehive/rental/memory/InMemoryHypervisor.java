package org.computehive.rental.memory;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GuestPlatform;
import org.computehive.market.PciAddress;
import org.computehive.rental.Challenge;
import org.computehive.rental.Evidence;
import org.computehive.rental.GuestRelease;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;

/**
 * A host that remembers which VMs it would run.
 *
 * <p>It obeys the port's contract and starts nothing: the SSH address of a VM is a loopback port that nobody listens
 * on. Controllers made by {@link #another()} see the same host, as a second process would. Thread-safe.
 */
public final class InMemoryHypervisor implements Hypervisor {
    /** The address of the first emulated display device. */
    public static final PciAddress GPU = new PciAddress("ffff:00:01.0");

    private static final int FIRST_PORT = 20_000;
    private static final String VERSION = "in memory, starts no VM";

    private final Machine machine;
    private boolean closed;

    private InMemoryHypervisor(Machine machine) {
        this.machine = machine;
    }

    /**
     * Returns a controller of a new host.
     *
     * @param images the images it knows
     */
    public static InMemoryHypervisor withImages(String... images) {
        return withGpus(1, images);
    }

    /**
     * Returns a controller of a new host with several emulated display devices.
     *
     * @param gpus how many, 1 to 64
     * @param images the images it knows
     */
    public static InMemoryHypervisor withGpus(int gpus, String... images) {
        if (gpus < 1 || gpus > 64) {
            throw new IllegalArgumentException("gpu count %d is out of range: 1 to 64".formatted(gpus));
        }
        return new InMemoryHypervisor(new Machine(
                Set.of(images),
                IntStream.rangeClosed(1, gpus)
                        .mapToObj(number -> new PciAddress("ffff:00:%02x.0".formatted(number)))
                        .toList()));
    }

    /**
     * Returns a controller of a new host that claims to run confidential guests. What its guests show is signed by no
     * hardware: the documents are empty.
     *
     * @param images the images it knows
     */
    public static InMemoryHypervisor confidential(String... images) {
        InMemoryHypervisor host = withGpus(1, images);
        host.machine.assurance = Assurance.CONFIDENTIAL;
        return host;
    }

    /** Returns a second controller of the same host, such as a restarted process has. */
    public InMemoryHypervisor another() {
        return new InMemoryHypervisor(machine);
    }

    /** Makes the host refuse an image from now on, as one whose files no longer have their digests. */
    public void spoil(String image) {
        synchronized (machine) {
            machine.spoiled.add(image);
        }
    }

    /** Cuts the host off from everybody who asks it, or puts it back; its VMs run on meanwhile. */
    public void setReachable(boolean reachable) {
        synchronized (machine) {
            machine.reachable = reachable;
        }
    }

    /** Ends a rental's VM as a crash would: its disk stays. */
    public void crash(RentalId id) {
        synchronized (machine) {
            machine.vms.remove(id);
            machine.guests.remove(id);
        }
    }

    /** Ends a rental's VM as its renter does who turns it off. */
    public void turnOff(RentalId id, Instant at) {
        synchronized (machine) {
            machine.vms.remove(id);
            machine.guests.remove(id);
            machine.turnedOff.put(id, at);
        }
    }

    /** Ends every VM as a platform does that stops, and takes the VMs with it. */
    public void endByPlatform(Instant at) {
        synchronized (machine) {
            machine.vms.keySet().forEach(id -> machine.endedByPlatform.put(id, at));
            machine.vms.clear();
            machine.guests.clear();
        }
    }

    /** Makes the next {@link #start} fail with an exception; nothing is left behind then. */
    public void failNextStart(HypervisorException failure) {
        synchronized (machine) {
            machine.nextStart = Optional.of(failure);
        }
    }

    @Override
    public Inventory inventory() {
        open();
        List<Gpu> gpus = machine.gpus.stream()
                .map(address -> new Gpu(
                        address,
                        "1234",
                        "1111",
                        "Emulated display device",
                        16,
                        OptionalInt.empty(),
                        true,
                        Optional.empty()))
                .toList();
        return new Inventory(8, 16_384, gpus, "none", machine.assurance, platform());
    }

    private GuestPlatform platform() {
        var image = new GuestPlatform.Image(Map.of(), Map.of());
        return new GuestPlatform(
                Map.of("hypervisor", VERSION),
                Map.of(),
                "no guest, no network",
                machine.images.stream().collect(Collectors.toMap(Function.identity(), name -> image)));
    }

    @Override
    public Optional<Instant> endedByPlatform(RentalId id) {
        open();
        synchronized (machine) {
            return Optional.ofNullable(machine.endedByPlatform.get(id));
        }
    }

    @Override
    public Optional<Instant> guestTurnedOff(RentalId id) {
        open();
        synchronized (machine) {
            return Optional.ofNullable(machine.turnedOff.get(id));
        }
    }

    @Override
    public void prepare(VmSpec spec) {
        open();
        synchronized (machine) {
            check(spec);
            machine.disks.add(spec.id());
        }
    }

    @Override
    public RunningVm start(VmSpec spec) {
        open();
        synchronized (machine) {
            RunningVm running = machine.vms.get(spec.id());
            if (running != null) {
                return running;
            }
            check(spec);
            if (spec.access().isConfidential()) {
                throw new HypervisorException.Refused(
                        "rental %s is confidential: its guest must be attested first".formatted(spec.id()), null);
            }
            if (machine.nextStart.isPresent()) {
                HypervisorException failure = machine.nextStart.get();
                machine.nextStart = Optional.empty();
                machine.disks.remove(spec.id());
                throw failure;
            }
            return run(spec);
        }
    }

    private RunningVm run(VmSpec spec) {
        machine.disks.add(spec.id());
        var vm = new RunningVm(
                spec.id(),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), FIRST_PORT + machine.started++),
                spec.expires(),
                Map.of(
                        "image",
                        spec.shape().image(),
                        "hypervisor version",
                        VERSION,
                        "network",
                        "no guest, no network"));
        machine.vms.put(spec.id(), vm);
        return vm;
    }

    @Override
    public Evidence attest(VmSpec spec, Challenge challenge) {
        open();
        synchronized (machine) {
            if (machine.assurance != Assurance.CONFIDENTIAL) {
                throw new HypervisorException.Refused("this host runs no confidential guests", null);
            }
            check(spec);
            if (!machine.vms.containsKey(spec.id())) {
                run(spec);
            }
            return machine.guests
                    .computeIfAbsent(spec.id(), id -> new ConfidentialGuest())
                    .answer(challenge);
        }
    }

    @Override
    public RunningVm release(RentalId id, String sealed) {
        open();
        synchronized (machine) {
            RunningVm vm = machine.vms.get(id);
            ConfidentialGuest guest = machine.guests.get(id);
            if (vm == null || guest == null) {
                throw new HypervisorException.Refused("no confidential VM %s runs here".formatted(id.vmName()), null);
            }
            guest.take(sealed);
            return vm;
        }
    }

    /** Returns what a confidential guest was given, as it knows it itself; empty if it was given nothing. */
    public Optional<GuestRelease> released(RentalId id) {
        synchronized (machine) {
            return Optional.ofNullable(machine.guests.get(id)).flatMap(ConfidentialGuest::release);
        }
    }

    @Override
    public RunningVm expire(RentalId id, Instant expires) {
        open();
        synchronized (machine) {
            RunningVm moved = machine.vms.computeIfPresent(
                    id, (key, vm) -> new RunningVm(vm.id(), vm.ssh(), expires, vm.facts()));
            if (moved == null) {
                throw new HypervisorException.Refused("no VM %s runs here".formatted(id.vmName()), null);
            }
            return moved;
        }
    }

    @Override
    public Teardown destroy(RentalId id) {
        open();
        synchronized (machine) {
            machine.guests.remove(id);
            return new Teardown(Map.of("vm", machine.vms.remove(id) == null ? "none found" : "gone"));
        }
    }

    @Override
    public Teardown erase(RentalId id) {
        open();
        synchronized (machine) {
            if (machine.vms.containsKey(id)) {
                throw new HypervisorException.NotGone(
                        "VM %s still runs: destroy it before its disk is erased".formatted(id.vmName()), null);
            }
            machine.endedByPlatform.remove(id);
            machine.turnedOff.remove(id);
            return new Teardown(Map.of("disk", machine.disks.remove(id) ? "gone" : "none found"));
        }
    }

    @Override
    public List<Turnover> turnOver(RentalId id, List<PciAddress> gpus) {
        open();
        var results = new ArrayList<Turnover>();
        for (PciAddress gpu : gpus) {
            results.add(
                    machine.gpus.contains(gpu)
                            ? new Turnover(gpu, true, "emulated: nothing of it outlives the VM")
                            : new Turnover(gpu, false, "quarantined: this host has no such device"));
        }
        return List.copyOf(results);
    }

    @Override
    public List<RunningVm> list() {
        open();
        synchronized (machine) {
            return List.copyOf(machine.vms.values());
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
    }

    private synchronized void open() {
        if (closed) {
            throw new HypervisorException.Unreachable("this hypervisor is closed: open another", null);
        }
        synchronized (machine) {
            if (!machine.reachable) {
                throw new HypervisorException.Unreachable("the host does not answer: try again", null);
            }
        }
    }

    private void check(VmSpec spec) {
        String image = spec.shape().image();
        if (!machine.images.contains(image)) {
            throw new HypervisorException.Refused(
                    "image %s is not in the catalogue, which has %s".formatted(image, machine.images), null);
        }
        if (machine.spoiled.contains(image)) {
            throw new HypervisorException.Refused(
                    "image %s does not have its SHA-256: fetch or build it again".formatted(image), null);
        }
        for (PciAddress gpu : spec.gpus()) {
            if (!machine.gpus.contains(gpu)) {
                throw new HypervisorException.Refused("gpu %s is not on this host".formatted(gpu), null);
            }
        }
    }

    /** What outlives a controller. */
    private static final class Machine {
        private final Set<String> images;
        private final List<PciAddress> gpus;
        private final Set<String> spoiled = new HashSet<>();
        private final Map<RentalId, RunningVm> vms = new LinkedHashMap<>();
        private final Set<RentalId> disks = new HashSet<>();
        private final Map<RentalId, Instant> endedByPlatform = new HashMap<>();
        private final Map<RentalId, Instant> turnedOff = new HashMap<>();
        private final Map<RentalId, ConfidentialGuest> guests = new HashMap<>();
        private Assurance assurance = Assurance.ISOLATED;
        private boolean reachable = true;
        private Optional<HypervisorException> nextStart = Optional.empty();
        private int started;

        private Machine(Set<String> images, List<PciAddress> gpus) {
            this.images = images;
            this.gpus = gpus;
        }
    }
}
