package org.computehive.server.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.computehive.market.Gpu;
import org.computehive.market.MachineShape;
import org.computehive.market.PciAddress;
import org.computehive.rental.RentalId;
import org.computehive.rental.SessionAccess.Grant;
import org.computehive.rental.VmSpec;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.schedule.Window;
import org.computehive.vm.DemoImage;
import org.computehive.vm.StartTimes;

/**
 * Where the time of a session's start and end goes: our own part of it beside its guest's boot; the same VM by hand and
 * through libvirt, up to the end of a first SSH command, with the encrypted disk made ahead; and the end of the teardown
 * after QEMU's own.
 */
final class VmStart implements Benchmark {
    private static final MachineShape SHAPE = new MachineShape(1, 512, 64, DemoImage.NAME);
    private static final String READY = "ComputeHive: ready";
    private static final int STARTS = 3;
    private static final int ACTIVATIONS = 5;
    private static final long LOOK_NANOS = 1_000_000;

    /** A tenth of the guest's boot, or this, whichever is longer. */
    private static final double OUR_SECONDS = 0.3;

    private static final double OUR_SHARE = 0.1;
    /** What a first command may take by hand and through libvirt under software emulation. */
    private static final double BY_HAND_SECONDS = 8;

    private static final double LIBVIRT_SECONDS = 10;
    /** How long after QEMU's end nothing of a session may be left. */
    private static final double TEARDOWN_SECONDS = 1;

    @Override
    public String name() {
        return "vm-start";
    }

    @Override
    public String about() {
        return "our part of a VM's start and end, beside its guest's boot and the same VM by hand";
    }

    private record Start(double ours, double boot, double firstCommand, double teardown) {}

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        try (Stage stage = Stage.open(progress)) {
            progress.accept("from a banner to ACTIVE, in an engine with its files on disk");
            double activation = BannerToActive.median(stage.folder().resolve("engine"), ACTIVATIONS);
            var starts = new ArrayList<Start>();
            Rounds.Medians commands = Rounds.of(
                    0,
                    STARTS,
                    () -> {
                        Start start = throughLibvirt(stage, progress);
                        starts.add(start);
                        return start.firstCommand();
                    },
                    () -> byHand(stage, progress));
            double boot = median(starts, Start::boot);
            double ours = median(starts, Start::ours) + activation;
            progress.accept("from a banner to ACTIVE: %.3f s".formatted(activation));
            double share = Math.max(OUR_SHARE, OUR_SECONDS / boot);
            return List.of(
                    new Figure(name() + "/our-part-beside-guest-boot-seconds", ours, boot, share),
                    new Figure(
                            name() + "/ssh-command-by-hand-beside-limit-seconds", commands.peer(), BY_HAND_SECONDS, 1),
                    new Figure(
                            name() + "/ssh-command-through-libvirt-beside-limit-seconds",
                            commands.ours(),
                            LIBVIRT_SECONDS,
                            1),
                    new Figure(
                            name() + "/ssh-command-through-libvirt-beside-by-hand-seconds",
                            commands.ours(),
                            commands.peer(),
                            LIBVIRT_SECONDS / BY_HAND_SECONDS),
                    new Figure(
                            name() + "/teardown-after-qemu-beside-limit-seconds",
                            median(starts, Start::teardown),
                            TEARDOWN_SECONDS,
                            1));
        }
    }

    private static double median(List<Start> starts, java.util.function.ToDoubleFunction<Start> part) {
        return Rounds.median(starts.stream().mapToDouble(part).toArray());
    }

    private static Start throughLibvirt(Stage stage, Consumer<String> progress) throws Exception {
        RentalId id = RentalId.random();
        Window window = Stage.anHour();
        List<PciAddress> gpus = stage.hypervisor().inventory().gpus().stream()
                .filter(Gpu::emulated)
                .map(Gpu::address)
                .limit(1)
                .toList();
        var spec = new VmSpec(id, window.end(), SHAPE, gpus, stage.access().guestAccess(id, window));
        var client = new Client(stage, id, window);
        try {
            stage.hypervisor().prepare(spec);
            double command = Rounds.seconds(
                    () -> client.login(stage.hypervisor().start(spec).ssh().getPort()));
            StartTimes times = stage.hypervisor().startTimes(id).orElseThrow();
            double teardown = teardown(stage, id);
            progress.accept(
                    "through libvirt: ours %.3f s before (%.3f s of it libvirt and QEMU making the VM) and %.3f s after, the guest's boot %.2f s, a command done after %.2f s, torn down %.3f s after QEMU"
                            .formatted(
                                    seconds(times.untilFirstInstruction()),
                                    seconds(times.making()),
                                    seconds(times.afterReady()),
                                    seconds(times.guestBoot()),
                                    command,
                                    teardown));
            return new Start(seconds(times.ours()), seconds(times.guestBoot()), command, teardown);
        } finally {
            stage.hypervisor().destroy(id);
            stage.hypervisor().erase(id);
        }
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    /** Returns how long after QEMU's own end the rest of the teardown was done. */
    private static double teardown(Stage stage, RentalId id) throws Exception {
        long qemu = processOf(id);
        var ended = new CompletableFuture<Long>();
        Thread.ofPlatform().daemon().start(() -> {
            while (runs(qemu)) {
                LockSupport.parkNanos(LOOK_NANOS);
            }
            ended.complete(System.nanoTime());
        });
        stage.hypervisor().destroy(id);
        stage.hypervisor().erase(id);
        return (System.nanoTime() - ended.get()) / 1e9;
    }

    private static long processOf(RentalId id) throws IOException {
        for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
            Path arguments = Path.of("/proc/%d/cmdline".formatted(process.pid()));
            if (Files.isReadable(arguments) && text(arguments).contains("guest=" + id.vmName())) {
                return process.pid();
            }
        }
        throw new IOException("no QEMU runs for " + id);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return ""; // it ended meanwhile
        }
    }

    /** One that ended and was not collected yet doesn't run. */
    private static boolean runs(long pid) {
        String stat = text(Path.of("/proc/%d/stat".formatted(pid)));
        return !stat.isEmpty() && stat.charAt(stat.lastIndexOf(')') + 2) != 'Z';
    }

    private static double byHand(Stage stage, Consumer<String> progress) throws Exception {
        RentalId id = RentalId.random();
        Window window = Stage.anHour();
        GuestAccess access = stage.access().guestAccess(id, window);
        boolean kvm = stage.hypervisor().inventory().acceleration().equals("kvm");
        var qemu = new QemuByHand(SHAPE, kvm, stage.folder());
        var client = new Client(stage, id, window);
        try (Scratch seed = Scratch.inMemory()) {
            Path disk = stage.folder().resolve("by-hand.qcow2");
            qemu.makeDisk(seed.folder(), disk);
            int port = freePort();
            long begin = System.nanoTime();
            Process process = qemu.start(seed.folder(), disk, access, port);
            try {
                Programs.await(Programs.line(process.inputReader(), READY));
                client.login(port);
                double command = (System.nanoTime() - begin) / 1e9;
                progress.accept("by hand: a command done after %.2f s".formatted(command));
                return command;
            } finally {
                Programs.kill(process);
                Files.deleteIfExists(disk);
            }
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** A renter's OpenSSH client with its key and certificate, straight to the VM's port. */
    private static final class Client {
        private final Path folder;
        private final RentalId id;
        private final String ssh = Programs.find("ssh", "openssh-client");

        Client(Stage stage, RentalId id, Window window) throws Exception {
            this.id = id;
            this.folder = Files.createDirectories(stage.folder().resolve(id.value()));
            String keygen = Programs.find("ssh-keygen", "openssh-client");
            Programs.run(folder, List.of(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "renter", "-f", "id"));
            Grant grant = stage.access()
                    .issue(
                            id,
                            window,
                            Files.readString(folder.resolve("id.pub")).strip());
            Files.writeString(folder.resolve("id-cert.pub"), grant.certificate() + "\n");
            Files.writeString(
                    folder.resolve("known_hosts"),
                    "@cert-authority * " + grant.hostAuthorities().getFirst().line() + "\n");
        }

        void login(int port) throws IOException, InterruptedException {
            var words = new ArrayList<>(List.of(ssh, "-F", "none", "-T", "-n", "-i", "id", "-p", "" + port));
            for (String option : List.of(
                    "BatchMode=yes",
                    "IdentitiesOnly=yes",
                    "IdentityAgent=none",
                    "StrictHostKeyChecking=yes",
                    "UserKnownHostsFile=known_hosts",
                    "GlobalKnownHostsFile=/dev/null",
                    "HostKeyAlias=" + id.vmName())) {
                words.addAll(List.of("-o", option));
            }
            words.addAll(List.of("renter@127.0.0.1", "true"));
            Programs.run(folder, words);
        }
    }
}
