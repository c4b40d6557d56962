package org.computehive.vm;

import java.util.List;
import java.util.OptionalInt;
import java.util.StringJoiner;
import javax.xml.stream.XMLStreamException;

/**
 * What of its host one VM gets.
 *
 * @param locked whether its memory is locked
 * @param hugePageKiB the size of its memory's huge pages
 * @param numaNode the one node that its memory comes from
 * @param cpus one processor of the host's for each of its virtual ones; empty for any
 * @param disk the most that it may ask of its disk
 */
record Resources(
        boolean locked, OptionalInt hugePageKiB, OptionalInt numaNode, List<Integer> cpus, Tuning.DiskLimits disk) {
    Resources {
        cpus = List.copyOf(cpus);
    }

    /** Returns what a tuning gives to a VM with these processors. */
    static Resources of(Tuning tuning, boolean locked, List<Integer> cpus) {
        return new Resources(locked, tuning.hugePageKiB(), tuning.numaNode(), cpus, tuning.disk());
    }

    /** Returns how the memory is made, in words for a renter. */
    String memory() {
        var words = new StringJoiner(", ").add("one node, not shared");
        if (locked) {
            words.add("locked");
        }
        hugePageKiB.ifPresent(size -> words.add("huge pages of " + size + " KiB"));
        return words.toString();
    }

    void memoryBacking(Xml backing) throws XMLStreamException {
        if (hugePageKiB.isPresent()) {
            String size = Integer.toString(hugePageKiB.getAsInt());
            backing.element("hugepages", List.of(), pages -> pages.element("page", "size", size, "unit", "KiB"));
        }
        backing.element("nosharepages");
        if (locked) {
            backing.element("locked");
        }
    }

    /** Writes which processors and which node's memory it has. */
    void placement(Xml domain) throws XMLStreamException {
        if (!cpus.isEmpty()) {
            domain.element("cputune", List.of(), this::pins);
        }
        if (numaNode.isPresent()) {
            String node = Integer.toString(numaNode.getAsInt());
            domain.element("numatune", List.of(), tune -> tune.element("memory", "mode", "strict", "nodeset", node));
        }
    }

    private void pins(Xml tune) throws XMLStreamException {
        var all = new StringJoiner(",");
        for (int cpu = 0; cpu < cpus.size(); cpu++) {
            String host = Integer.toString(cpus.get(cpu));
            tune.element("vcpupin", "vcpu", Integer.toString(cpu), "cpuset", host);
            all.add(host);
        }
        tune.element("emulatorpin", "cpuset", all.toString());
    }

    void diskLimits(Xml diskElement) throws XMLStreamException {
        if (disk.equals(Tuning.DiskLimits.none())) {
            return;
        }
        diskElement.element("iotune", List.of(), tune -> {
            if (disk.bytesPerSecond().isPresent()) {
                tune.text("total_bytes_sec", Long.toString(disk.bytesPerSecond().getAsLong()));
            }
            if (disk.operationsPerSecond().isPresent()) {
                tune.text(
                        "total_iops_sec",
                        Long.toString(disk.operationsPerSecond().getAsLong()));
            }
        });
    }
}
