package org.computehive.server.crash;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditVerify;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.server.crash.DatabaseCheck.Event;
import org.computehive.server.crash.DatabaseCheck.History;
import org.computehive.server.crash.DatabaseCheck.Place;

/** Verifies every replica's audit log by the stand-alone verifier, and compares them entry by entry with what is stored. */
final class AuditCheck {
    private static final int BATCH = 256;

    private final Stage stage;
    /** Where each event is, by rental and version. */
    private final Map<String, List<Place>> places = new HashMap<>();
    /** How many entries of each type are about no rental's event. */
    private final Map<String, Integer> notes = new HashMap<>();

    AuditCheck(Stage stage) {
        this.stage = stage;
    }

    void check(Checks checks, Map<String, History> histories, Evidence evidence)
            throws IOException, InterruptedException {
        for (String name : Stage.LOGS) {
            NoteKey key = NoteKey.load(stage.settings.folder().resolve("keys/audit-" + name));
            Path folder = stage.settings.of(name).audit();
            try (FileAuditLog log = FileAuditLog.open(folder, key)) {
                read(checks, histories, log);
            }
            verify(checks, folder, key.verifierKey().toString());
        }
        for (History history : histories.values()) {
            for (Event event : history.events()) {
                checkPlaces(checks, event, places.getOrDefault(key(event.rental(), event.version()), List.of()));
            }
        }
        evidence.notes()
                .forEach((type, promised) -> checks.that(
                        "what was acknowledged is in an audit log",
                        notes.getOrDefault(type, 0) >= promised,
                        "%s: %d acknowledged, %d entries".formatted(type, promised, notes.getOrDefault(type, 0))));
    }

    private static String key(String rental, long version) {
        return rental + " " + version;
    }

    /** A replica that takes over from one that was slow, not dead, may have logged an event too: in its own log. */
    private static void checkPlaces(Checks checks, Event event, List<Place> found) {
        String what = "%s, version %d of rental %s".formatted(event.kind(), event.version(), event.rental());
        checks.that("every event is in a log", !found.isEmpty(), what);
        checks.that(
                "no event is in a log twice",
                found.stream().map(Place::log).distinct().count() == found.size(),
                "%s is at %s".formatted(what, found));
        checks.that(
                "every event knows its place in a log",
                found.contains(event.place()),
                "%s says %s, but is at %s".formatted(what, event.place(), found));
    }

    private void read(Checks checks, Map<String, History> histories, FileAuditLog log) {
        long size = log.size();
        for (long from = 0; from < size; from += BATCH) {
            List<byte[]> entries = log.entries(from, Math.min(size, from + BATCH));
            for (int i = 0; i < entries.size(); i++) {
                check(checks, histories, new Place(log.origin(), OptionalLong.of(from + i)), entries.get(i));
            }
        }
    }

    private void check(Checks checks, Map<String, History> histories, Place place, byte[] leaf) {
        AuditEntry entry = AuditEntry.parse(leaf);
        if (entry.number().isEmpty()) {
            notes.merge(entry.type(), 1, Integer::sum);
            return;
        }
        String rental = entry.rental().orElseThrow();
        long version = entry.number().orElseThrow();
        History history = histories.get(rental);
        if (history == null || version < 1 || version > history.events().size()) {
            checks.that("every entry has its event", false, "entry at %s: %s".formatted(place, entry));
            return;
        }
        places.computeIfAbsent(key(rental, version), key -> new ArrayList<>()).add(place);
        Event event = history.events().get((int) version - 1);
        checks.that(
                "every event's entry commits to it",
                entry.type().equals("rental." + event.format())
                        && entry.matches(
                                event.text().getBytes(StandardCharsets.UTF_8),
                                HexFormat.of().parseHex(event.salt())),
                "the entry at %s is not version %d of %s".formatted(place, version, history.line()));
    }

    private static void verify(Checks checks, Path folder, String key) throws IOException, InterruptedException {
        List<String> words = Arrays.asList(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                AuditVerify.class.getName(),
                folder.toString(),
                "--key",
                key);
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int exit = process.waitFor();
        checks.that("the audit log verifies", exit == 0, said);
    }
}
