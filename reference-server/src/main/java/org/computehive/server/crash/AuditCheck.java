package org.computehive.server.crash;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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

/** Verifies an audit log by the stand-alone verifier, and compares it entry by entry with the stored events. */
final class AuditCheck {
    private static final int BATCH = 256;

    private final Stage stage;

    AuditCheck(Stage stage) {
        this.stage = stage;
    }

    void check(Checks checks, Map<String, History> histories) throws IOException, InterruptedException {
        Map<String, Integer> times = new HashMap<>();
        for (String name : List.of("a", "b")) {
            NoteKey key = NoteKey.load(stage.settings.folder().resolve("keys/audit-" + name));
            Path folder = stage.settings.folder().resolve("audit-" + name);
            try (FileAuditLog log = FileAuditLog.open(folder, key)) {
                read(checks, histories, times, log);
            }
            verify(checks, folder, key.verifierKey().toString());
        }
        for (History history : histories.values()) {
            for (Event event : history.events()) {
                int count = times.getOrDefault(event.rental() + " " + event.version(), 0);
                checks.that(
                        "every event is in the log once",
                        count == 1,
                        "%s, version %d of rental %s: %d times"
                                .formatted(event.kind(), event.version(), event.rental(), count));
            }
        }
    }

    private static void read(
            Checks checks, Map<String, History> histories, Map<String, Integer> times, FileAuditLog log) {
        long size = log.size();
        for (long from = 0; from < size; from += BATCH) {
            List<byte[]> entries = log.entries(from, Math.min(size, from + BATCH));
            for (int i = 0; i < entries.size(); i++) {
                check(checks, histories, times, log.origin(), from + i, entries.get(i));
            }
        }
    }

    private static void check(
            Checks checks,
            Map<String, History> histories,
            Map<String, Integer> times,
            String log,
            long index,
            byte[] leaf) {
        AuditEntry entry = AuditEntry.parse(leaf);
        if (entry.rental().isEmpty()) {
            return;
        }
        long version = entry.number().orElseThrow();
        times.merge(entry.rental().get() + " " + version, 1, Integer::sum);
        History history = histories.get(entry.rental().get());
        if (history == null || version < 1 || version > history.events().size()) {
            checks.that("every entry has its event", false, "entry %d: %s".formatted(index, entry));
            return;
        }
        Event event = history.events().get((int) version - 1);
        checks.that(
                "every event's entry commits to it",
                entry.type().equals("rental." + event.format())
                        && entry.matches(
                                event.text().getBytes(StandardCharsets.UTF_8),
                                HexFormat.of().parseHex(event.salt())),
                "entry %d is not version %d of %s".formatted(index, version, history.line()));
        checks.that(
                "every event knows its place in the log",
                event.place().equals(new DatabaseCheck.Place(log, OptionalLong.of(index))),
                "entry %d of %s, version %d of %s says %s"
                        .formatted(index, log, version, history.rental(), event.place()));
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
