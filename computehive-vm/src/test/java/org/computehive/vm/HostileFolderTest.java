package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a guest that broke out of QEMU can put into the folders that its user may write. */
class HostileFolderTest {
    private static final Account SELF = new Account(System.getProperty("user.name"), true);

    @TempDir
    private Path scratch;

    @Test
    void delete_ofAFolderWithLinks_leavesWhatTheyLeadTo() throws IOException {
        Path others = Files.createDirectories(scratch.resolve("others/deep"));
        Path precious = Files.writeString(others.resolve("precious"), "of others");
        Path session = Files.createDirectories(scratch.resolve("session/a/b"));
        Files.createSymbolicLink(session.resolve("folder"), others);
        Files.createSymbolicLink(session.resolve("file"), precious);
        Files.createSymbolicLink(session.resolve("dangling"), scratch.resolve("nowhere"));

        RuntimeFolder.delete(scratch.resolve("session"));
        assertFalse(Files.exists(scratch.resolve("session")));
        assertEquals("of others", Files.readString(precious));
        RuntimeFolder.delete(scratch.resolve("session"));

        Path link = Files.createSymbolicLink(scratch.resolve("link"), scratch.resolve("others"));
        RuntimeFolder.delete(link);
        assertEquals("of others", Files.readString(precious));
    }

    @Test
    void shred_ofALink_isRefusedAndLeavesTheFile() throws IOException {
        Path disk = Files.writeString(scratch.resolve("disk"), "another's disk");
        Path link = Files.createSymbolicLink(scratch.resolve("overlay.qcow2"), disk);
        assertThrows(IOException.class, () -> Overlay.shred(link));
        assertEquals("another's disk", Files.readString(disk));
    }

    @Test
    void file_whereALinkLies_isWrittenBesideWhatItLeadsTo() throws IOException {
        Path precious = Files.writeString(scratch.resolve("precious"), "of others");
        Path path = Files.createSymbolicLink(scratch.resolve("seed"), precious);
        SELF.file(path, "seed".getBytes(StandardCharsets.US_ASCII));
        assertEquals("of others", Files.readString(precious));
        assertEquals("seed", Files.readString(path));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
    }
}
