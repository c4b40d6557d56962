package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RevocationFeedTest {
    private static final Duration EVERY = Duration.ofMillis(20);

    @TempDir
    private Path folder;

    private final List<SshPublicKey> authorities =
            List.of(HostKeyPair.generate().publicKey());
    private final BlockingQueue<KeyRevocationList> lists = new LinkedBlockingQueue<>();

    private RevocationFeed follow(Path file) {
        return RevocationFeed.follow(file, authorities, EVERY, lists::add);
    }

    /** Returns the next list of so many revocations. */
    private KeyRevocationList next(long version) throws Exception {
        KeyRevocationList list;
        do {
            list = lists.poll(30, TimeUnit.SECONDS);
            assertNotNull(list, "no list came");
        } while (list.version() != version);
        return list;
    }

    @Test
    void follow_ofARegister_handsOnWhatItRevokes() throws Exception {
        Path file = folder.resolve("revoked");
        try (var register = RevocationRegister.open(file, authorities, InstantSource.system())) {
            register.revokeSerial(7);
            try (var feed = follow(file)) {
                assertEquals(Set.of(7L), next(1).serials());
                register.revokeKeyId("r1");
                KeyRevocationList list = next(2);
                assertEquals(Set.of("r1"), list.keyIds());
                assertEquals(authorities, list.authorities());
            }
        }
    }

    @Test
    void list_isAsOldAsItsFile_alsoWhenItIsHandedOnAgain() throws Exception {
        Instant made = Instant.parse("2030-01-01T12:00:00Z");
        Path file = Files.writeString(folder.resolve("revoked"), "serial 7\n");
        Files.setLastModifiedTime(file, FileTime.from(made));
        try (var feed = follow(file)) {
            assertEquals(made, next(1).generated());
            assertEquals(made, next(1).generated());
        }
    }

    @Test
    void file_thatIsMissingOrDamaged_givesNoList_untilItIsMended() throws Exception {
        Path file = folder.resolve("revoked");
        try (var feed = follow(file)) {
            assertTrue(lists.isEmpty(), "there is nothing to hand on");
            Files.writeString(file, "serial x\n");
            Files.writeString(folder.resolve("draft"), "serial 1\nserial 2\n");
            Files.move(
                    folder.resolve("draft"), file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            assertEquals(Set.of(1L, 2L), lists.take().serials(), "the first list is the mended one's");
        }
    }

    @Test
    void lastLineWithoutAnEnd_isLeftForTheNextLook() throws Exception {
        Path file = Files.writeString(folder.resolve("revoked"), "serial 1\nserial 2");
        try (var feed = follow(file)) {
            assertEquals(Set.of(1L), next(1).serials());
            Files.writeString(file, "3\n", StandardOpenOption.APPEND);
            assertEquals(Set.of(1L, 23L), next(2).serials());
        }
    }
}
