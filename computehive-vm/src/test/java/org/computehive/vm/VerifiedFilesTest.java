package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A changed disk never passes for the one that was hashed; one that has not changed is not read again. */
class VerifiedFilesTest {
    private static final Duration HOUR = Duration.ofHours(1);

    @TempDir
    private Path folder;

    private Path disk;
    private FileTime written;
    /** Ahead of the file's times, so that it counts as settled. */
    private Instant now = Instant.now().plus(HOUR);

    private final VerifiedFiles files = new VerifiedFiles(() -> now, this::hashed);
    private int hashes;

    @BeforeEach
    void write() throws IOException {
        disk = Files.writeString(folder.resolve("disk.qcow2"), "the disk that was hashed");
        written = Files.getLastModifiedTime(disk);
    }

    private String hashed(Path file) throws IOException {
        hashes++;
        return ImageCatalogue.sha256(file);
    }

    @Test
    void fileThatHasNotChanged_isNotReadAgain_forADay() throws IOException {
        String first = files.sha256(disk);
        assertEquals(ImageCatalogue.sha256(disk), first);
        now = now.plus(Duration.ofHours(23));
        assertEquals(first, files.sha256(disk));
        assertEquals(1, hashes);
        now = now.plus(HOUR);
        assertEquals(first, files.sha256(disk));
        assertEquals(2, hashes, "a disk may fail without the kernel's notice");
    }

    @Test
    void changedContent_withItsTimesSetBack_isNoticed() throws IOException {
        String first = files.sha256(disk);
        try (FileChannel channel = FileChannel.open(disk, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap("THE".getBytes(StandardCharsets.US_ASCII)), 0);
        }
        Files.setLastModifiedTime(disk, written);
        assertEquals(written, Files.getLastModifiedTime(disk));
        assertNotEquals(first, files.sha256(disk));
        assertEquals(ImageCatalogue.sha256(disk), files.sha256(disk));
    }

    @Test
    void anotherFileInItsPlace_isNoticed() throws IOException {
        String first = files.sha256(disk);
        Path other = Files.writeString(folder.resolve("other"), "the disk that was hasheD");
        Files.setLastModifiedTime(other, written);
        Files.move(other, disk, StandardCopyOption.REPLACE_EXISTING);
        assertNotEquals(first, files.sha256(disk));
    }

    @Test
    void linkThatLeadsElsewhereNow_isNoticed() throws IOException {
        Path link = Files.createSymbolicLink(folder.resolve("link"), disk);
        String first = files.sha256(link);
        Path other = Files.writeString(folder.resolve("other"), "another disk altogether");
        Files.delete(link);
        Files.createSymbolicLink(link, other);
        assertNotEquals(first, files.sha256(link));
    }

    @Test
    void fileThatChangedAMomentAgo_isHashedEachTime() throws IOException {
        now = Instant.now(); // its ctime is now: a second change within the same tick could not be told
        String first = files.sha256(disk);
        assertEquals(first, files.sha256(disk));
        assertEquals(2, hashes);
    }

    @Test
    void fileThatChangesWhileItIsHashed_isHashedAgain() throws IOException {
        var changing = new VerifiedFiles(() -> now, file -> {
            String digest = hashed(file);
            Files.writeString(file, "the disk of another moment " + hashes);
            return digest;
        });
        assertNotEquals(changing.sha256(disk), changing.sha256(disk));
        assertEquals(2, hashes);
    }
}
