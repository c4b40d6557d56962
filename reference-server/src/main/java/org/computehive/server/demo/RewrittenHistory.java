package org.computehive.server.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.server.platform.FolderTree;
import org.computehive.server.platform.LocalPlatform;

/** The audit log as its own operator could forge it: an entry in its middle says something else, and the true key signs. */
final class RewrittenHistory implements AutoCloseable {
    private final Path folder;
    private final FileAuditLog log;

    private RewrittenHistory(Path folder, FileAuditLog log) {
        this.folder = folder;
        this.log = log;
    }

    static RewrittenHistory of(LocalPlatform platform) throws IOException {
        Path folder = Files.createTempDirectory("computehive-rewritten-");
        try {
            FileAuditLog log = FileAuditLog.open(
                    folder,
                    NoteKey.loadOrGenerate(platform.layout().keys().resolve("audit-log"), LocalPlatform.LOG_NAME));
            log.append(entries(platform));
            log.publish();
            return new RewrittenHistory(folder, log);
        } catch (RuntimeException e) {
            FolderTree.delete(folder);
            throw e;
        }
    }

    private static List<byte[]> entries(LocalPlatform platform) {
        var entries = new ArrayList<>(
                platform.auditLog().entries(0, platform.auditLog().size()));
        int middle = entries.size() / 2;
        AuditEntry was = AuditEntry.parse(entries.get(middle));
        entries.set(
                middle,
                AuditEntry.commit(
                                was.type(),
                                was.time(),
                                "it was otherwise".getBytes(StandardCharsets.UTF_8),
                                AuditEntry.newSalt())
                        .bytes());
        return entries;
    }

    /** Returns where its files lie. */
    Path folder() {
        return folder;
    }

    /** Returns the log. */
    FileAuditLog log() {
        return log;
    }

    @Override
    public void close() throws IOException {
        log.close();
        FolderTree.delete(folder);
    }
}
