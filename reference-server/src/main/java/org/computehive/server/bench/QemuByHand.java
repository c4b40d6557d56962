package org.computehive.server.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.computehive.market.MachineShape;
import org.computehive.rental.VmSpec.GuestAccess;
import org.computehive.vm.DemoImage;
import org.computehive.vm.ImageCatalogue;

/**
 * A VM as a person would start it: QEMU with the same kernel, memory, processor, encrypted disk, seed and device.
 *
 * @param shape its size
 * @param kvm whether it has the processor's own virtualisation
 * @param folder where programs are run
 */
record QemuByHand(MachineShape shape, boolean kvm, Path folder) {
    private static final int DISK_TRIES = 10;
    private static final String CLOCK = "Unable to get accurate CPU usage";

    /** Starts it; its console is the process's output. Port 0 is any. */
    Process start(Path seed, Path disk, GuestAccess access, int port) throws IOException {
        return new ProcessBuilder(arguments(seed, disk, access, port))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Makes its encrypted disk and leaves the key with the seed. */
    void makeDisk(Path seed, Path disk) throws IOException, InterruptedException {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        Files.write(seed.resolve("key"), Base64.getEncoder().encode(key));
        String options = "encrypt.format=luks,encrypt.key-secret=s0,encrypt.iter-time=10";
        List<String> command = List.of(
                Programs.find("qemu-img", "qemu-utils"),
                "create",
                "-q",
                "--object",
                "secret,id=s0,format=raw,file=" + seed.resolve("key"),
                "-f",
                "qcow2",
                "-o",
                options,
                disk.toString(),
                shape.diskMiB() + "M");
        for (int attempt = 1; ; attempt++) {
            try {
                Programs.run(folder, command);
                return;
            } catch (IOException e) {
                // On a busy machine qemu-img can't time its key derivation; asking again helps.
                if (attempt == DISK_TRIES || !String.valueOf(e.getMessage()).contains(CLOCK)) {
                    throw e;
                }
                Files.deleteIfExists(disk);
            }
        }
    }

    private List<String> arguments(Path seed, Path disk, GuestAccess access, int port) throws IOException {
        Path image = ImageCatalogue.defaultFolder().resolve(DemoImage.NAME);
        // Should this process die, the kernel ends QEMU too.
        var words = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
        words.add(Programs.find("qemu-system-x86_64", "qemu-system-x86"));
        words.addAll(List.of("-machine", "q35,accel=" + (kvm ? "kvm" : "tcg"), "-cpu", kvm ? "host" : "max"));
        words.addAll(List.of("-smp", "" + shape.cpus(), "-m", shape.memoryMiB() + "M", "-nodefaults"));
        words.addAll(List.of("-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"));
        words.addAll(List.of("-kernel", image.resolve("kernel").toString()));
        words.addAll(List.of("-initrd", image.resolve("initrd").toString()));
        words.addAll(List.of(
                "-append", "console=ttyS0 quiet panic=-1" + (kvm ? "" : " mitigations=off no5lvl no_timer_check")));
        words.addAll(List.of("-object", "secret,id=s0,format=raw,file=" + seed.resolve("key")));
        words.addAll(List.of(
                "-drive",
                "file=%s,format=qcow2,encrypt.format=luks,encrypt.key-secret=s0,if=virtio,cache=writeback"
                        .formatted(disk)));
        words.addAll(List.of("-netdev", "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:%d-:22".formatted(port)));
        words.addAll(List.of("-device", "virtio-net-pci,netdev=n0,romfile=", "-device", "virtio-rng-pci"));
        words.addAll(List.of("-device", "bochs-display"));
        Map<String, String> entries = Map.of(
                "name",
                access.principal().replaceFirst("^rental-", "ch-"),
                "host",
                access.hostKey(),
                "host-cert",
                access.hostCertificate(),
                "authorities",
                access.userAuthorities(),
                "principal",
                access.principal());
        for (Map.Entry<String, String> entry : entries.entrySet()) {
            Path file = Files.writeString(seed.resolve(entry.getKey()), entry.getValue() + "\n");
            words.addAll(List.of("-fw_cfg", "name=opt/computehive/%s,file=%s".formatted(entry.getKey(), file)));
        }
        return words;
    }
}
