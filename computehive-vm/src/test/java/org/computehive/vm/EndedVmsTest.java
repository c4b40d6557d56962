package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EndedVmsTest {
    private final RentalId one = RentalId.random();
    private final RentalId two = RentalId.random();

    @TempDir
    private Path state;

    private Path folder;
    private EndedVms ended;

    @BeforeEach
    void open() {
        folder = state.resolve("ended");
        ended = new EndedVms(folder);
    }

    @Test
    void noted_isToldByTheNextProcess_untilForgotten() throws Exception {
        Instant first = Instant.parse("2026-01-02T03:04:05.678901234Z");
        ended.note(one, first);
        ended.note(two, first.plusSeconds(1));
        ended.note(one, first.plusSeconds(2));
        var next = new EndedVms(folder);
        assertEquals(Optional.of(first.plusSeconds(2)), next.of(one), "the later note counts");
        next.forget(one);
        assertEquals(Optional.empty(), next.of(one));
        assertEquals(Optional.of(first.plusSeconds(1)), next.of(two));
        assertTrue(Files.exists(folder));
        next.forget(two);
        assertFalse(Files.exists(folder), "nothing is left");
    }

    @Test
    void neverNoted_isEmpty_andForgettingItSucceeds() throws Exception {
        assertEquals(Optional.empty(), ended.of(one));
        ended.forget(one);
        assertFalse(Files.exists(folder));
    }

    @Test
    void cutOffOrDamagedNotes_areNone() throws Exception {
        Files.createDirectory(folder);
        Files.writeString(folder.resolve(one.value() + ".new"), "2026-01-02T03:04:05Z");
        assertEquals(Optional.empty(), ended.of(one));
        for (String damaged :
                new String[] {"", "2026-01-", "\u0000".repeat(20), "2026-01-02T03:04:05Z".repeat(1_000)}) {
            Files.writeString(folder.resolve(one.value()), damaged);
            assertEquals(Optional.empty(), ended.of(one));
        }
        ended.forget(one);
        assertFalse(Files.exists(folder));
    }
}
