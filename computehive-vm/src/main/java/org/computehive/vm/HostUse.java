package org.computehive.vm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.market.PciAddress;

/**
 * Finds what on the host uses a device: programs that have its nodes open, file systems on it. Taking it away from under
 * them would hang the kernel, or them. Thread-safe.
 */
final class HostUse {
    private static final Pattern NVIDIA_MINOR = Pattern.compile("Device Minor:\\s*(\\d+)");
    private static final Pattern NUMBER = Pattern.compile("\\d+");
    private static final int MOST = 8;

    private final HostFiles files;

    HostUse(HostFiles files) {
        this.files = files;
    }

    /** Returns who uses it, in words, at most eight; empty if nobody does or the host's files can't be read. */
    List<String> of(PciAddress at) {
        var users = new LinkedHashSet<>(mounts(at));
        Set<String> nodes = nodes(at);
        if (!nodes.isEmpty()) {
            for (String process : names("/proc")) {
                if (NUMBER.matcher(process).matches() && users.size() < MOST && opens(process, nodes)) {
                    users.add("%s (process %s)".formatted(Printable.line(text("/proc/" + process + "/comm")), process));
                }
            }
        }
        return List.copyOf(users);
    }

    private Set<String> nodes(PciAddress at) {
        var nodes = new HashSet<String>();
        for (String name : names("/sys/bus/pci/devices/" + at + "/drm")) {
            nodes.add("/dev/dri/" + name);
        }
        Matcher minor = NVIDIA_MINOR.matcher(text("/proc/driver/nvidia/gpus/" + at + "/information"));
        if (minor.find()) {
            nodes.add("/dev/nvidia" + minor.group(1));
        }
        return nodes;
    }

    private boolean opens(String process, Set<String> nodes) {
        String folder = "/proc/" + process + "/fd/";
        return names(folder).stream().anyMatch(descriptor -> {
            try {
                return nodes.contains(files.link(folder + descriptor));
            } catch (IOException e) {
                return false; // closed meanwhile
            }
        });
    }

    /** A disk in a gpu's place, as in tests: what is mounted from it. */
    private List<String> mounts(PciAddress at) {
        var numbers = new HashSet<String>();
        String controllers = "/sys/bus/pci/devices/" + at + "/nvme/";
        for (String controller : names(controllers)) {
            for (String disk : names(controllers + controller)) {
                numbers.add(text(controllers + controller + "/" + disk + "/dev"));
            }
        }
        numbers.remove("");
        var found = new ArrayList<String>();
        if (!numbers.isEmpty()) {
            for (String line : text("/proc/self/mountinfo").split("\n", -1)) {
                String[] words = line.split(" ", -1);
                if (words.length > 4 && numbers.contains(words[2])) {
                    found.add("the file system at " + Printable.line(words[4]));
                }
            }
        }
        return found;
    }

    private List<String> names(String folder) {
        try {
            return files.list(folder);
        } catch (IOException e) {
            return List.of();
        }
    }

    private String text(String path) {
        try {
            return files.text(path);
        } catch (IOException e) {
            return "";
        }
    }
}
