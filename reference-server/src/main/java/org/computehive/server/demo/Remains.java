package org.computehive.server.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalId;

/** What is left of a session: by the facts that the engine has put in the audit log, and by a look of the demo's own. */
final class Remains {
    /** What must have been observed before a session counts as ended. */
    private static final Map<String, Pattern> PROVED = proved();

    private final Scene scene;

    Remains(Scene scene) {
        this.scene = scene;
    }

    private static Map<String, Pattern> proved() {
        var facts = new LinkedHashMap<String, Pattern>();
        facts.put("vm", Pattern.compile("gone"));
        facts.put("process", Pattern.compile("\\d+ gone"));
        facts.put("key", Pattern.compile("undefined in libvirt"));
        facts.put("seed", Pattern.compile("deleted from memory|none found"));
        facts.put("disk header", Pattern.compile("[1-9]\\d* bytes overwritten"));
        facts.put("disk", Pattern.compile("deleted"));
        return facts;
    }

    /** What of a session lies or runs on this machine. */
    record Seen(List<Long> processes, List<Path> files) {
        boolean nothing() {
            return processes.isEmpty() && files.isEmpty();
        }

        @Override
        public String toString() {
            return "%d process%s, %d files"
                    .formatted(processes.size(), processes.size() == 1 ? "" : "es", files.size());
        }
    }

    /** Looks for processes that mention the VM, and for files named after the rental. */
    Seen look(RentalId id) throws IOException {
        List<Long> processes = ProcessHandle.allProcesses()
                .map(ProcessHandle::pid)
                .filter(pid -> commandLine(pid).contains("guest=" + id.vmName()))
                .toList();
        Path folder = scene.platform.layout().vms();
        var files = new ArrayList<Path>();
        // libvirt may remove a file of its own while we look.
        Files.walkFileTree(folder, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (folder.relativize(file).toString().contains(id.value())) {
                    files.add(file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }
        });
        return new Seen(processes, files);
    }

    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    /** Shows the facts of the teardown, and checks that each that matters was observed, and that nothing is found. */
    void check(Rental ended, Seen before) throws IOException {
        var facts = new TreeMap<String, String>();
        scene.engine.history(ended.id(), scene.renter.account()).forEach(recorded -> {
            switch (recorded.event()) {
                case RentalEvent.MachineDestroyed e -> facts.putAll(e.facts());
                case RentalEvent.DiskErased e -> facts.putAll(e.facts());
                case RentalEvent.TurnedOver e -> e.gpus().forEach(gpu -> facts.put("device " + gpu.gpu(), gpu.why()));
                default -> {}
            }
        });
        scene.display.facts(facts);
        List<String> missing = PROVED.entrySet().stream()
                .filter(fact -> !fact.getValue()
                        .matcher(facts.getOrDefault(fact.getKey(), ""))
                        .matches())
                .map(Map.Entry::getKey)
                .toList();
        scene.checks.that(
                "the teardown is proved: process, key, seed, header, disk",
                missing.isEmpty(),
                missing.isEmpty() ? facts.size() + " facts in the audit log" : "not observed: " + missing);
        Seen after = look(ended.id());
        scene.checks.that(
                "a look of our own finds no process and no file of it",
                !before.nothing() && after.nothing(),
                "%s before, %s now".formatted(before, after));
    }
}
