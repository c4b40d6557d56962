package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelVersionsTest {
    private static final FileTime THEN = FileTime.from(Instant.parse("2026-01-01T00:00:00Z"));

    @TempDir
    private Path folder;

    private final KernelVersions versions = new KernelVersions();

    private Path kernel(String version) throws Exception {
        byte[] image = new byte[0x400];
        System.arraycopy(new byte[] {0x7f, 'E', 'L', 'F'}, 0, image, 0, 4);
        byte[] banner = ("Linux version " + version + " (somebody)").getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(banner, 0, image, 0x300, banner.length);
        return Files.setLastModifiedTime(Files.write(folder.resolve("kernel"), image), THEN);
    }

    @Test
    void file_thatLooksTheSame_isNotReadAgain() throws Exception {
        assertEquals(Optional.of("6.1.0"), versions.of(kernel("6.1.0")));
        assertEquals(Optional.of("6.1.0"), versions.of(kernel("6.2.0")));
    }

    @Test
    void file_thatWasChanged_isReadAgain() throws Exception {
        versions.of(kernel("6.1.0"));
        Path changed = Files.setLastModifiedTime(kernel("6.2.0"), FileTime.from(Instant.parse("2026-01-02T00:00:00Z")));
        assertEquals(Optional.of("6.2.0"), versions.of(changed));
        Files.delete(changed);
        assertEquals(Optional.empty(), versions.of(changed));
    }

    @Test
    void file_thatWasReplacedByAnother_isReadAgain() throws Exception {
        Path old = kernel("6.1.0");
        versions.of(old);
        Path kept = Files.move(old, folder.resolve("old"));
        assertEquals(Optional.of("6.2.0"), versions.of(kernel("6.2.0")));
        assertEquals(Optional.of("6.1.0"), versions.of(kept));
    }
}
