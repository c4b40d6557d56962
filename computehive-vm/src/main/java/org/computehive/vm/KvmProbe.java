package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether KVM boots a kernel here, by booting one. That {@code /dev/kvm} opens is not enough: in some
 * sandboxes it does and guests hang.
 */
final class KvmProbe {
    private static final Logger LOG = LoggerFactory.getLogger(KvmProbe.class);
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private KvmProbe() {}

    /**
     * Asks, or remembers the answer since the machine booted.
     *
     * @param memory a file in memory that keeps the answer
     */
    static boolean boots(GuestImage image, Account account, Path memory) {
        String question = image.kernel().or(image::base).orElseThrow().sha256();
        try {
            if (Files.exists(memory)) {
                List<String> answer = Files.readAllLines(memory);
                if (answer.size() == 2 && answer.getFirst().equals(question)) {
                    return Boolean.parseBoolean(answer.getLast());
                }
            }
            boolean boots = Files.exists(Path.of("/dev/kvm")) && boot(image, account);
            Files.writeString(memory, question + "\n" + boots + "\n");
            LOG.info("acceleration: {}", boots ? "kvm" : "tcg, since KVM does not boot a kernel for this user");
            return boots;
        } catch (IOException e) {
            LOG.warn("the answer of the KVM probe could not be kept: {}", e.getMessage());
            return false;
        }
    }

    private static boolean boot(GuestImage image, Account account) {
        var argv = new ArrayList<>(List.of(
                "qemu-system-x86_64",
                "-accel",
                "kvm",
                "-machine",
                "q35",
                "-cpu",
                "host",
                "-m",
                "256",
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-serial",
                "stdio",
                "-no-reboot",
                "-sandbox",
                "on"));
        if (image.kernel().isPresent() && image.initrd().isPresent()) {
            argv.addAll(List.of("-kernel", image.kernel().get().file().toString()));
            argv.addAll(List.of("-initrd", image.initrd().get().file().toString()));
            argv.addAll(List.of("-append", "console=ttyS0 panic=-1"));
        } else {
            String base = image.base().orElseThrow().file().toString().replace(",", ",,");
            argv.addAll(List.of("-drive", "if=virtio,format=qcow2,snapshot=on,file=" + base));
        }
        var mark = new AtomicBoolean();
        // Without a seed the guest says that it failed and powers off: proof enough that its kernel ran.
        Tool.run(account.as(argv), Map.of(), LIMIT, "qemu-system-x86", line -> {
            if (line.contains("ComputeHive:") || line.contains("Run /")) {
                mark.set(true);
            }
        });
        return mark.get();
    }
}
