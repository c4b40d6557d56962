package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.computehive.market.MachineShape;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A session on a disk image that knows nothing of us, as a distribution's stock cloud image: its boot loader, kernel,
 * systemd, cloud-init and OpenSSH set it up. It takes minutes under software emulation, and root to build the image.
 */
@Tag("cloud-image")
class CloudImageIT {
    private static final String NAME = "debian-cloud";
    private static final Duration BUILD_LIMIT = Duration.ofMinutes(15);

    @TempDir
    private Path scratch;

    private Path state;

    @BeforeEach
    void makeState() throws IOException {
        assertTrue(Account.root(), "the image is built by root: run this test as root");
        state = TestHost.state();
    }

    @AfterEach
    void deleteState() throws IOException {
        RuntimeFolder.delete(state);
    }

    /** Returns a disk that is built once per checkout and form of its script. */
    private Path disk() throws IOException {
        Path script = scratch.resolve("cloud-image.sh");
        try (InputStream in = CloudImageIT.class.getResourceAsStream("cloud-image.sh")) {
            assertTrue(in != null, "the script is on the class path");
            Files.copy(in, script);
        }
        Path kept = Path.of("target", "cloud-image", ImageCatalogue.sha256(script), "disk.qcow2")
                .toAbsolutePath();
        if (!Files.exists(kept)) {
            Path out = Files.createTempDirectory(state, "building-");
            Tool.Outcome built = Tool.run(
                    List.of("sh", script.toString(), out.toString(), "/etc/apt/sources.list.d/debian.sources"),
                    Map.of("TMPDIR", out.toString()),
                    BUILD_LIMIT,
                    "mmdebstrap, syslinux, syslinux-common, mtools, dosfstools and fdisk",
                    System.out::println);
            assertTrue(built.succeeded(), built::toString);
            Files.createDirectories(kept.getParent());
            Files.move(out.resolve("disk.qcow2"), kept, StandardCopyOption.REPLACE_EXISTING);
        }
        return kept;
    }

    private void keygen(String... arguments) {
        var argv = new ArrayList<>(List.of("env", "-C", scratch.toString(), "ssh-keygen", "-q"));
        argv.addAll(List.of(arguments));
        Tool.Outcome outcome = Tool.run(argv, Duration.ofSeconds(20), "openssh-client");
        assertTrue(outcome.succeeded(), outcome::toString);
    }

    @Test
    void stockImage_isSetUpByCloudInit_andItsSeedHoldsNoSecret() throws Exception {
        Path source = Files.createDirectory(scratch.resolve("source"));
        Path disk = disk();
        Files.createSymbolicLink(source.resolve("disk.qcow2"), disk);
        Path manifest = Files.writeString(
                source.resolve(ImageCatalogue.MANIFEST),
                "name=%s\nsetup=cloud-init\nbase=disk.qcow2\nbase.sha256=%s\n"
                        .formatted(NAME, ImageCatalogue.sha256(disk)));
        keygen("-t", "ed25519", "-N", "", "-C", "", "-f", "signer");
        keygen("-Y", "sign", "-n", ImageManifest.PURPOSE, "-f", "signer", manifest.toString());
        var rules = new ImageRules(List.of(Files.readString(scratch.resolve("signer.pub"))), 4_096);
        ImageCatalogue images = ImageCatalogue.in(state.resolve("images"), rules);
        images.add(NAME, ImageSource.folder(source));

        RentalId id = RentalId.random();
        var keys = new TestHost.Keys(scratch.resolve("keys"), id);
        var shape = new MachineShape(2, 1_024, 2_048, NAME);
        var spec = new VmSpec(id, Instant.now().plusSeconds(3_600), shape, List.of(), keys.access());
        var options = new LibvirtHypervisor.Options(
                LibvirtHypervisor.Acceleration.PROBE, Duration.ofMinutes(9), InstantSource.system());
        try (PrivateLibvirt libvirt = PrivateLibvirt.open(state.resolve("libvirt"));
                LibvirtHypervisor hypervisor = LibvirtHypervisor.privateSession(libvirt, images, options)) {
            long begin = System.nanoTime();
            RunningVm vm = hypervisor.start(spec);
            System.out.printf(
                    "figures: stock cloud image ready in %d s%n", (System.nanoTime() - begin) / 1_000_000_000);
            assertEquals(ImageCatalogue.sha256(disk), vm.facts().get("base sha256"));
            int port = vm.ssh().getPort();
            Tool.Outcome session = keys.ssh(
                    "user",
                    "renter",
                    port,
                    "id -un; hostname; sudo -n id -un; "
                            + "ip -4 -o address show scope global | grep -o '10.0.2.15/24'; "
                            + "lsblk -bno SIZE /dev/vda | head -n 1; sudo -n grep -c PRIVATE /dev/vdb; "
                            + "sudo -n grep -ac PRIVATE /var/lib/cloud/instance/user-data.txt; "
                            + "sudo -n sshd -T | grep -x -e 'passwordauthentication no' -e 'authorizedkeysfile none' -e 'permitrootlogin no'");
            assertEquals(
                    List.of(
                            "renter",
                            id.vmName(),
                            "root",
                            "10.0.2.15/24",
                            Long.toString(2_048L << 20),
                            "0",
                            "0",
                            "permitrootlogin no",
                            "passwordauthentication no",
                            "authorizedkeysfile none"),
                    session.lastLines().lines().toList());
            Tool.Outcome status = keys.ssh("user", "renter", port, "sudo -n cloud-init status --wait --long");
            assertTrue(
                    status.lastLines().lines().anyMatch("status: done"::equals),
                    () -> status.lastLines()
                            + keys.ssh("user", "renter", port, "sudo -n grep -e WARN -e ERROR /var/log/cloud-init.log")
                                    .lastLines());
            assertFalse(keys.ssh("stranger", "renter", port, "id").succeeded(), "another rental's principal");
            assertFalse(keys.ssh("user", "root", port, "id").succeeded(), "root");
            assertFalse(keys.ssh("user", "debian", port, "id").succeeded(), "the image's own user");
            Path seeds = libvirt.places().seeds();
            assertFalse(Files.exists(seeds.resolve(id.value())), "no seed is left");
            hypervisor.destroy(id);
            hypervisor.erase(id);
        }
    }
}
