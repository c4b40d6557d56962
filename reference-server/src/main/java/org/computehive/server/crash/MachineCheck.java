package org.computehive.server.crash;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.computehive.server.crash.DatabaseCheck.Event;
import org.computehive.server.crash.DatabaseCheck.History;
import org.libvirt.LibvirtException;

/** Checks what libvirt's events say of the domains, and what is left of sessions and calendars. */
final class MachineCheck {
    private final Stage stage;
    private final Evidence evidence;
    private final Map<String, History> histories;

    MachineCheck(Stage stage, Evidence evidence, Map<String, History> histories) {
        this.stage = stage;
        this.evidence = evidence;
        this.histories = histories;
    }

    void check(Checks checks) throws LibvirtException, IOException {
        checkEvents(checks);
        checkEndings(checks);
        checks.that("no domain is left", stage.libvirt.names().isEmpty(), "left: " + stage.libvirt.names());
        List<Path> keys = list(stage.settings.folder().resolve("sessions"));
        checks.that("no session's key is left", keys.isEmpty(), "left: " + keys);
        checkCalendars(checks);
    }

    private void checkEvents(Checks checks) {
        Map<String, String> rentals = new HashMap<>();
        Map<String, Set<String>> live = new HashMap<>();
        Map<String, String> ports = new HashMap<>();
        Map<String, Integer> starts = new HashMap<>();
        for (Stage.Seen seen : stage.seen) {
            LibvirtDaemon.Change change = seen.change();
            String uuid = change.uuid().toString();
            if (change.up()) {
                String rental = seen.mark().getOrDefault("id", change.name().replaceFirst("^ch-", ""));
                rentals.put(uuid, rental);
                Set<String> others = live.computeIfAbsent(rental, key -> new HashSet<>());
                others.add(uuid);
                starts.merge(rental, 1, Integer::sum);
                checks.that(
                        "no rental has two domains",
                        others.size() == 1,
                        "rental %s has %s at %s".formatted(rental, others, change.at()));
                String port = seen.mark().getOrDefault("ssh-port", uuid);
                // The domain that was there before: its rental may live on, at another place.
                String before = ports.getOrDefault(port, "");
                ports.put(port, uuid);
                String owner = rentals.getOrDefault(before, "");
                checks.that(
                        "no gpu has two domains",
                        before.equals(uuid)
                                || !live.getOrDefault(owner, Set.of()).contains(before),
                        "guest %s was %s's when %s's came at %s".formatted(port, owner, rental, change.at()));
            } else {
                live.getOrDefault(rentals.getOrDefault(uuid, ""), new HashSet<>())
                        .remove(uuid);
            }
        }
        starts.forEach((rental, count) -> checkStarts(checks, rental, count));
    }

    /** A session starts one domain; only one whose guest never answered may be tried again. */
    private void checkStarts(Checks checks, String rental, int count) {
        History history = histories.get(rental);
        if (history == null) {
            checks.that("every domain belongs to a rental", false, rental);
            return;
        }
        boolean tried = !history.has("machine-started") && history.has("start-failed");
        checks.that(
                "no session started twice",
                count == 1 || tried || history.has("placed") || history.has("placement-failed"),
                "%d starts of %s".formatted(count, history.line()));
    }

    /** Nothing was torn down but for a reason that the test knows. */
    private void checkEndings(Checks checks) {
        for (History history : histories.values()) {
            Optional<Event> ending = history.first("ending");
            if (ending.isPresent()
                    && ending.get().payload().path("cause").asText().equals("MACHINE_LOST")) {
                checks.that(
                        "a machine counts as lost only where it is",
                        evidence.destroyedByUs(history.rental()),
                        history.line());
            }
        }
    }

    private void checkCalendars(Checks checks) throws IOException {
        Map<String, String> contents = new HashMap<>();
        for (Path file : list(stage.settings.folder().resolve("calendar"))) {
            String name = file.getFileName().toString();
            if (name.endsWith(".part")) {
                continue;
            }
            String message = name.substring(0, name.lastIndexOf('_'));
            String other = contents.putIfAbsent(message, name);
            checks.that(
                    "a calendar message has one content",
                    other == null,
                    "%s and %s differ: %s".formatted(other, name, other == null ? "" : difference(file, other)));
        }
    }

    private static String difference(Path file, String other) throws IOException {
        List<String> lines = Files.readAllLines(file);
        List<String> others = Files.readAllLines(file.resolveSibling(other));
        for (int i = 0; i < Math.min(lines.size(), others.size()); i++) {
            if (!lines.get(i).equals(others.get(i))) {
                return lines.get(i) + " / " + others.get(i);
            }
        }
        return "in length";
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }
}
