package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateKeyFileTest {
    @TempDir
    private Path folder;

    static String text(SoftwareSigner signer) {
        try {
            Path folder = Files.createTempDirectory("computehive-key");
            Path file = folder.resolve("key");
            signer.save(file);
            String text = Files.readString(file);
            Files.delete(file);
            Files.delete(folder);
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void save_thenLoad_givesTheSameKeyInAnOwnerOnlyFile() throws IOException {
        var signer = SoftwareSigner.generate();
        Path file = folder.resolve("ca");
        signer.save(file);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(signer.publicKey(), SoftwareSigner.load(file).publicKey());
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void save_overAnExistingFile_isRefusedAndKeepsIt() throws IOException {
        Path file = folder.resolve("ca");
        SoftwareSigner.generate().save(file);
        String before = Files.readString(file);
        var refusal = assertThrows(
                AccessException.KeyFile.class, () -> SoftwareSigner.generate().save(file));
        assertTrue(refusal.getMessage().contains("never overwritten"));
        assertEquals(before, Files.readString(file));
    }

    @Test
    void load_fileThatOthersCanRead_isRefused() throws IOException {
        Path file = folder.resolve("ca");
        SoftwareSigner.generate().save(file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        var refusal = assertThrows(AccessException.KeyFile.class, () -> SoftwareSigner.load(file));
        assertTrue(refusal.getMessage().contains("rw-r-----"));
        assertTrue(refusal.getMessage().contains("chmod 600"));
    }

    @Test
    void load_junkOrMissing_isRefusedWithoutEcho() throws IOException {
        Path file = folder.resolve("ca");
        assertThrows(AccessException.KeyFile.class, () -> SoftwareSigner.load(file));
        var junk = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n";
        Files.writeString(file, junk);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        var refusal = assertThrows(AccessException.KeyFile.class, () -> SoftwareSigner.load(file));
        assertFalse(refusal.getMessage().contains("c2VjcmV0"));
        Files.write(file, new byte[20_000]);
        assertTrue(assertThrows(AccessException.KeyFile.class, () -> SoftwareSigner.load(file))
                .getMessage()
                .contains("20000 bytes"));
    }

    @Test
    void loadOrGenerate_byManyAtOnce_agreesOnOneKey() throws Exception {
        Path file = folder.resolve("ca");
        Callable<SshPublicKey> task = () -> SoftwareSigner.loadOrGenerate(file).publicKey();
        try (var threads = Executors.newFixedThreadPool(8)) {
            var keys = threads.invokeAll(Collections.nCopies(8, task)).stream()
                    .map(future -> future.resultNow())
                    .collect(Collectors.toSet());
            assertEquals(1, keys.size());
        }
    }

    @Test
    void save_withAPassphrase_isReadWithItAlone() throws IOException {
        var signer = SoftwareSigner.generate();
        Path file = folder.resolve("ca");
        signer.save(file, "correct horse");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(
                signer.publicKey(), SoftwareSigner.load(file, "correct horse").publicKey());
        assertThrows(AccessException.KeyFile.class, () -> SoftwareSigner.load(file, "battery staple"));
        assertThrows(AccessException.KeyFile.class, () -> SoftwareSigner.load(file));
        assertThrows(IllegalArgumentException.class, () -> signer.save(folder.resolve("short"), "horse"));
        assertEquals(
                signer.publicKey(),
                SoftwareSigner.loadOrGenerate(file, "correct horse").publicKey());
    }

    @Test
    void load_unencryptedFileWithAPassphrase_isRefused() {
        Path file = folder.resolve("ca");
        SoftwareSigner.generate().save(file);
        var refusal = assertThrows(AccessException.KeyFile.class, () -> SoftwareSigner.load(file, "correct horse"));
        assertTrue(refusal.getMessage().contains("ssh-keygen -p"), refusal.getMessage());
    }
}
