package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
    private final RentalId id = RentalId.random();
    private final Journal journal = new Journal(id, Journal.Step.CREATED, UUID.randomUUID(), OptionalLong.of(42));

    @TempDir
    private Path folder;

    @Test
    void writtenJournal_isReadBack() throws IOException {
        journal.write(folder);
        assertEquals(Optional.of(journal), Journal.read(folder, id));
        journal.at(Journal.Step.READY).write(folder);
        assertEquals(Journal.Step.READY, Journal.read(folder, id).orElseThrow().step());
        assertEquals(List.of(id), Journal.all(folder));
    }

    @Test
    void damagedJournal_isNone() throws IOException {
        Files.writeString(folder.resolve(id + ".properties"), "step=NONSENSE\n");
        assertEquals(Optional.empty(), Journal.read(folder, id));
    }

    @Test
    void deletedJournal_isGone() throws IOException {
        journal.write(folder);
        assertTrue(Journal.delete(folder, id));
        assertFalse(Journal.delete(folder, id));
        assertEquals(List.of(), Journal.all(folder));
    }
}
