package org.computehive.vm;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.market.PciAddress;
import org.computehive.rental.HypervisorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The errors that NVIDIA's driver wrote to the kernel's log since a session began (docs.nvidia.com/deploy/xid-errors).
 * Those inside a guest stay in the guest's log. Thread-safe.
 */
final class XidLog implements HealthCheck {
    private static final Logger LOG = LoggerFactory.getLogger(XidLog.class);
    private static final Pattern LINE = Pattern.compile("NVRM: Xid \\(PCI:([0-9a-fA-F:]+)[^)]*\\): (\\d+)");
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private final Consumer<Consumer<String>> log;
    private final Map<PciAddress, Set<String>> before = new ConcurrentHashMap<>();

    /** Reads a log whose lines are handed out by what is given. */
    XidLog(Consumer<Consumer<String>> log) {
        this.log = log;
    }

    /** Reads this machine's kernel log. */
    static XidLog ofKernel() {
        return new XidLog(lines -> {
            try {
                Tool.run(List.of("dmesg"), Map.of(), LIMIT, "util-linux", lines);
            } catch (HypervisorException.Lacking e) {
                LOG.warn("the kernel's log can't be read, Xid errors are not seen: {}", e.getMessage());
            }
        });
    }

    private Set<String> lines(PciAddress at) {
        var found = new HashSet<String>();
        String card = at.value().substring(0, at.value().indexOf('.'));
        log.accept(line -> {
            Matcher xid = LINE.matcher(line);
            if (xid.find() && xid.group(1).equalsIgnoreCase(card)) {
                found.add(line);
            }
        });
        return found;
    }

    @Override
    public void before(HostGpu gpu) {
        if (concerns(gpu)) {
            before.put(gpu.gpu().address(), lines(gpu.gpu().address()));
        }
    }

    private static boolean concerns(HostGpu gpu) {
        return gpu.gpu().vendorId().equals(PciFunction.NVIDIA);
    }

    @Override
    public List<String> problems(HostGpu gpu) {
        var problems = new ArrayList<String>();
        if (concerns(gpu)) {
            Set<String> now = lines(gpu.gpu().address());
            now.removeAll(before.getOrDefault(gpu.gpu().address(), Set.of()));
            for (String line : now) {
                Matcher xid = LINE.matcher(line);
                if (xid.find()) {
                    problems.add("its driver reported Xid " + xid.group(2));
                }
            }
            problems.sort(String::compareTo);
        }
        return problems;
    }
}
