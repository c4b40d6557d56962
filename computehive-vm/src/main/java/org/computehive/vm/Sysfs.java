package org.computehive.vm;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.computehive.market.PciAddress;

/**
 * What a host's kernel says of its PCI functions (docs.kernel.org/PCI/sysfs-pci.html, ABI/testing/sysfs-bus-pci).
 * Thread-safe.
 */
final class Sysfs {
    private static final String DEVICES = "/sys/bus/pci/devices/";
    private static final int CONFIG_LIMIT = 4096;
    private static final int ROM_LIMIT = 16 << 20;

    private final HostFiles files;

    Sysfs(HostFiles files) {
        this.files = files;
    }

    boolean readable() {
        return files.reachable();
    }

    private static String path(PciAddress at, String name) {
        return DEVICES + at.value() + "/" + name;
    }

    private Optional<String> attribute(PciAddress at, String name) {
        try {
            return Optional.of(files.text(path(at, name)));
        } catch (IOException e) {
            return Optional.empty(); // older kernels and simpler devices lack some
        }
    }

    /** Returns whether it is the display that the host booted with. */
    boolean bootDisplay(PciAddress at) {
        return attribute(at, "boot_vga").filter("1"::equals).isPresent();
    }

    /** Returns how the kernel can reset it, the preferred way first. */
    List<String> resetMethods(PciAddress at) {
        return attribute(at, "reset_method")
                .filter(text -> !text.isEmpty())
                .map(text -> List.of(text.split("\\s+")))
                .orElse(List.of());
    }

    /** Returns the size of its largest window in MiB. */
    long apertureMiB(PciAddress at) {
        long largest = 0;
        for (String line : attribute(at, "resource").orElse("").split("\n", -1)) {
            String[] words = line.strip().split("\\s+");
            if (words.length == 3) {
                long start = Long.decode(words[0]);
                long end = Long.decode(words[1]);
                largest = Math.max(largest, end > start ? end - start + 1 : 0);
            }
        }
        return largest >> 20;
    }

    /** Returns how many lanes connect it now. */
    OptionalInt linkWidth(PciAddress at) {
        return number(attribute(at, "current_link_width"));
    }

    /** Returns how many errors that cost data its link has had since the host booted. */
    OptionalInt fatalErrors(PciAddress at) {
        int sum = 0;
        boolean known = false;
        for (String name : List.of("aer_dev_fatal", "aer_dev_nonfatal")) {
            for (String line : attribute(at, name).orElse("").split("\n", -1)) {
                if (line.startsWith("TOTAL_ERR_")) {
                    OptionalInt count = number(Optional.of(line.substring(line.indexOf(' ') + 1)));
                    known |= count.isPresent();
                    sum += count.orElse(0);
                }
            }
        }
        return known ? OptionalInt.of(sum) : OptionalInt.empty();
    }

    private static OptionalInt number(Optional<String> text) {
        try {
            return text.isPresent() ? OptionalInt.of(Integer.parseInt(text.get().strip())) : OptionalInt.empty();
        } catch (NumberFormatException e) {
            return OptionalInt.empty();
        }
    }

    /** Returns its configuration space; all of it only for root. */
    byte[] config(PciAddress at) throws IOException {
        return files.read(path(at, "config"), CONFIG_LIMIT);
    }

    /** Returns its firmware (VBIOS); empty if it has none. */
    Optional<byte[]> rom(PciAddress at) throws IOException {
        String rom = path(at, "rom");
        try {
            files.write(rom, "1");
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        try {
            return Optional.of(files.read(rom, ROM_LIMIT));
        } finally {
            files.write(rom, "0");
        }
    }

    /** Resets one function in the way that the kernel prefers. */
    void reset(PciAddress at) throws IOException {
        files.write(path(at, "reset"), "1");
    }
}
