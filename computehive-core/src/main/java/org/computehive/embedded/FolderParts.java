package org.computehive.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.OptionalInt;
import java.util.function.Function;
import org.computehive.audit.AuditLog;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.market.Account;
import org.computehive.rental.EmbeddedParts.Parts;
import org.computehive.rental.Escrow;
import org.computehive.rental.Notifier;
import org.computehive.rental.PriceAdvisor;
import org.computehive.rental.RentalStore;
import org.computehive.rental.SessionAccess;
import org.computehive.rental.SshAccess;
import org.computehive.rental.SuggestionHistory;
import org.computehive.reputation.StoredReputations;
import org.computehive.store.JdbcStore;

/**
 * Parts in a folder: rentals in {@code rentals.db} (SQLite), the audit log in {@code audit}, keys in {@code keys}, calendar
 * messages in {@code calendar}, suggestions to lenders in {@code suggestions.jsonl}; a gateway on this machine's loopback address.
 */
record FolderParts(Path folder, InstantSource clock) implements Parts {
    private static final int ANY_PORT = 0;

    @Override
    public RentalStore store() {
        made(folder);
        return JdbcStore.sqlite(folder.resolve("rentals.db"), clock);
    }

    @Override
    public Escrow escrow() {
        throw new IllegalStateException(
                "folder %s keeps rentals for good, but play money ends with the process: set an escrow on the builder, such as EvmEscrow of computehive-chain"
                        .formatted(folder));
    }

    @Override
    public SessionAccess access() {
        return SshAccess.open(made(folder.resolve("keys")), SshAccess.Settings.loopback(ANY_PORT), clock);
    }

    @Override
    public AuditLog auditLog() {
        NoteKey key = NoteKey.loadOrGenerate(made(folder.resolve("keys")).resolve("audit-log"), MemoryParts.LOG_NAME);
        return FileAuditLog.open(made(folder.resolve("audit")), key);
    }

    @Override
    public Notifier notifier() {
        return new CalendarFolder(made(folder.resolve("calendar")));
    }

    @Override
    public Function<Account, OptionalInt> reputation(RentalStore store) {
        return new StoredReputations(store, clock)::scoreOfLender;
    }

    @Override
    public SuggestionHistory suggestions() {
        return SuggestionHistory.inFile(made(folder).resolve("suggestions.jsonl"));
    }

    @Override
    public PriceAdvisor priceAdvisor() {
        return new FoundAdvisor();
    }

    private static Path made(Path folder) {
        try {
            return Files.createDirectories(
                    folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "folder %s could not be made: check rights and free space".formatted(folder), e);
        }
    }
}
