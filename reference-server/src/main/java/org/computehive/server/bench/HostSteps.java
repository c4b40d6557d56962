package org.computehive.server.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.computehive.market.Gpu;
import org.computehive.market.MachineShape;
import org.computehive.market.PciAddress;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.schedule.Window;
import org.computehive.vm.DemoImage;

/**
 * The inventory against virsh; boot and teardown against a QEMU started by hand with the same kernel, memory, processor,
 * encrypted disk, seed and device, up to the same words on its console, and killed afterwards.
 */
final class HostSteps {
    private static final MachineShape SHAPE = new MachineShape(1, 512, 64, DemoImage.NAME);
    private static final String READY = "ComputeHive: ready";
    /** Two of each take a minute in software emulation on a busy machine. */
    private static final int BOOTS = 2;

    private static final int READINGS = 9;

    /** virsh starts a process and connects each time; ours stays connected. */
    private static final double INVENTORY_GOAL = 1;
    /** The guest's own boot is the same; libvirt, the digests of the image and the journal may add a quarter. */
    private static final double BOOT_GOAL = 1.25;
    /**
     * By hand the process is killed and the file deleted, in some hundredths of a second. Ours also proves that the process is
     * gone, forgets the key in libvirt, overwrites the disk's header and forces that to disk; ten times as long is still
     * within the time that nobody waits for.
     */
    private static final double TEARDOWN_GOAL = 10;

    private final Stage stage;
    private final Path folder;
    private final List<PciAddress> gpus;
    private final boolean kvm;

    HostSteps(Stage stage) {
        this.stage = stage;
        this.folder = stage.folder();
        var inventory = stage.hypervisor().inventory();
        this.gpus = inventory.gpus().stream()
                .filter(Gpu::emulated)
                .map(Gpu::address)
                .limit(1)
                .toList();
        this.kvm = inventory.acceleration().equals("kvm");
    }

    List<Figure> run(Consumer<String> progress) throws Exception {
        var figures = new ArrayList<Figure>();
        String virsh = Programs.find("virsh", "libvirt-clients");
        var uri = stage.libvirt().uri().toString();
        Rounds.Medians inventory = Rounds.of(
                2,
                READINGS,
                () -> Rounds.seconds(() -> stage.hypervisor().inventory()),
                () -> Rounds.seconds(() ->
                        Programs.run(folder, List.of(virsh, "-q", "-c", uri, "nodeinfo; nodedev-list --cap pci"))));
        figures.add(DemoSteps.figure("inventory-seconds", inventory, INVENTORY_GOAL));
        progress.accept("inventory read; booting %d times each (%s)".formatted(BOOTS, kvm ? "KVM" : "emulation"));
        var teardownOurs = new ArrayList<Double>();
        var teardownPeer = new ArrayList<Double>();
        Rounds.Medians boot =
                Rounds.of(0, BOOTS, () -> bootOurs(teardownOurs, progress), () -> bootByHand(teardownPeer));
        figures.add(DemoSteps.figure("boot-seconds", boot, BOOT_GOAL));
        progress.accept("teardown: ours %s s, by hand %s s".formatted(teardownOurs, teardownPeer));
        var teardown = new Rounds.Medians(median(teardownOurs), median(teardownPeer));
        figures.add(DemoSteps.figure("teardown-seconds", teardown, TEARDOWN_GOAL));
        return figures;
    }

    private static double median(List<Double> values) {
        return Rounds.median(values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    private double bootOurs(List<Double> teardown, Consumer<String> progress) throws Exception {
        RentalId id = RentalId.random();
        Window window = Stage.anHour();
        var spec = new VmSpec(id, window.end(), SHAPE, gpus, stage.access().guestAccess(id, window));
        try {
            double boot = Rounds.seconds(() -> {
                stage.hypervisor().prepare(spec);
                stage.hypervisor().start(spec);
            });
            double destroy = Rounds.seconds(() -> stage.hypervisor().destroy(id));
            double erase = Rounds.seconds(() -> stage.hypervisor().erase(id));
            teardown.add(destroy + erase);
            progress.accept(
                    "ours: booted in %.2f s, destroyed in %.3f s, erased in %.3f s".formatted(boot, destroy, erase));
            return boot;
        } finally {
            stage.hypervisor().destroy(id);
            stage.hypervisor().erase(id);
        }
    }

    private double bootByHand(List<Double> teardown) throws Exception {
        RentalId id = RentalId.random();
        GuestAccess access = stage.access().guestAccess(id, Stage.anHour());
        try (Scratch seed = Scratch.inMemory()) {
            Path disk = folder.resolve("by-hand.qcow2");
            long start = System.nanoTime();
            var byHand = new QemuByHand(SHAPE, kvm, folder);
            byHand.makeDisk(seed.folder(), disk);
            Process process = byHand.start(seed.folder(), disk, access, 0);
            try {
                Programs.await(Programs.line(process.inputReader(), READY));
                double boot = (System.nanoTime() - start) / 1e9;
                teardown.add(Rounds.seconds(() -> {
                    Programs.kill(process);
                    Files.delete(disk);
                }));
                return boot;
            } finally {
                Programs.kill(process);
                Files.deleteIfExists(disk);
            }
        }
    }
}
