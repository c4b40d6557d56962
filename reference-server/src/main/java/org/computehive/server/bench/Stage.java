package org.computehive.server.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Consumer;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.EvmEscrow;
import org.computehive.rental.SshAccess;
import org.computehive.schedule.Window;
import org.computehive.server.platform.DevChain;
import org.computehive.server.platform.FolderTree;
import org.computehive.vm.DemoImage;
import org.computehive.vm.ImageCatalogue;
import org.computehive.vm.LibvirtHypervisor;
import org.computehive.vm.PrivateLibvirt;

/** The demo's parts, opened for a benchmark; closed last opened first, also when the process is told to end. */
final class Stage implements AutoCloseable {
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Thread interrupted = new Thread(this::closeAll, "bench-clean-up");
    private final Path folder;
    private final DevChain chain;
    private final EvmEscrow escrow;
    private final SshAccess access;
    private final PrivateLibvirt libvirt;
    private final LibvirtHypervisor hypervisor;

    private Stage(Consumer<String> progress) throws Exception {
        Runtime.getRuntime().addShutdownHook(interrupted);
        try {
            folder = open(Scratch.onDisk()).folder();
            chain = open(DevChain.start(AnvilNode.find(Path.of("").toAbsolutePath()), 0, folder));
            escrow = open(chain.connect());
            access = open(
                    SshAccess.open(folder.resolve("keys"), SshAccess.Settings.loopback(0), InstantSource.system()));
            ImageCatalogue images = DemoImage.ensure(ImageCatalogue.defaultFolder(), progress);
            Path vms = PrivateLibvirt.defaultState().resolve("bench");
            opened.push(() -> FolderTree.delete(vms));
            libvirt = open(PrivateLibvirt.open(vms));
            hypervisor = open(LibvirtHypervisor.privateSession(libvirt, images, LibvirtHypervisor.Options.defaults()));
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    static Stage open(Consumer<String> progress) throws Exception {
        return new Stage(progress);
    }

    private synchronized <T extends AutoCloseable> T open(T part) {
        opened.push(part);
        return part;
    }

    Path folder() {
        return folder;
    }

    DevChain chain() {
        return chain;
    }

    EvmEscrow escrow() {
        return escrow;
    }

    SshAccess access() {
        return access;
    }

    PrivateLibvirt libvirt() {
        return libvirt;
    }

    LibvirtHypervisor hypervisor() {
        return hypervisor;
    }

    /** Returns an hour that began just now. */
    static Window anHour() {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        return Window.of(now.minusSeconds(1), Duration.ofHours(1));
    }

    @Override
    public void close() {
        closeAll();
        try {
            Runtime.getRuntime().removeShutdownHook(interrupted);
        } catch (IllegalStateException ignored) {
            // The process is ending already, and the hook has done the same.
        }
    }

    private synchronized void closeAll() {
        while (!opened.isEmpty()) {
            AutoCloseable part = opened.pop();
            try {
                part.close();
            } catch (Exception e) {
                System.err.printf(
                        "bench: could not close %s: %s%n", part.getClass().getSimpleName(), e.getMessage());
            }
        }
    }
}
