package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a register keeps over restarts, crashes and damage. */
class RevocationRegisterTest {
    @TempDir
    private Path folder;

    private final List<SshPublicKey> authorities =
            List.of(HostKeyPair.generate().publicKey());

    private RevocationRegister open(Path file) {
        return RevocationRegister.open(file, authorities, InstantSource.system());
    }

    @Test
    void revocation_isKeptOnce_overARestart_andNobodyElseReadsTheFile() throws Exception {
        Path file = folder.resolve("revoked");
        try (var register = open(file)) {
            register.revokeSerial(123);
            register.revokeKeyId("r1");
            assertEquals(2, register.revokeSerial(123).version());
        }
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        try (var register = open(file)) {
            KeyRevocationList list = register.revokeKeyId("r1");
            assertEquals(2, list.version());
            assertEquals(Set.of(123L), list.serials());
            assertEquals(Set.of("r1"), list.keyIds());
        }
    }

    /** A serial cut short is another serial: the line counts only with its end. */
    @Test
    void crash_atEveryByte_losesNothingAcknowledged_andMakesNothingUp() throws Exception {
        Path file = folder.resolve("revoked");
        try (var register = open(file)) {
            register.revokeSerial(7);
        }
        int acknowledged = (int) Files.size(file);
        try (var register = open(file)) {
            register.revokeSerial(1234);
        }
        byte[] whole = Files.readAllBytes(file);
        for (int length = acknowledged; length < whole.length; length++) {
            Path torn = Files.write(folder.resolve("torn" + length), Arrays.copyOf(whole, length));
            try (var register = open(torn)) {
                assertEquals(Set.of(7L), register.list().serials());
                assertEquals(Set.of(7L, 99L), register.revokeSerial(99).serials());
            }
            try (var register = open(torn)) {
                assertEquals(Set.of(7L, 99L), register.list().serials(), "after " + length + " bytes");
            }
        }
    }

    @Test
    void file_thatIsDamagedOrOpenElsewhere_isRefused() throws Exception {
        Path damaged = Files.writeString(folder.resolve("damaged"), "serial 7\nserial x\n");
        var refusal = assertThrows(AccessException.KeyFile.class, () -> open(damaged));
        assertTrue(refusal.getMessage().contains("serial x"), refusal.getMessage());
        Path file = folder.resolve("revoked");
        try (var register = open(file)) {
            register.revokeSerial(7);
            assertThrows(AccessException.KeyFile.class, () -> open(file));
        }
    }

    @Test
    void serial_thatIsNone_isRefused() {
        try (var register = open(folder.resolve("revoked"))) {
            assertThrows(IllegalArgumentException.class, () -> register.revokeSerial(0));
            assertThrows(IllegalArgumentException.class, () -> register.revokeSerial(-1));
            assertThrows(IllegalArgumentException.class, () -> register.revokeKeyId("two\nlines"));
            assertEquals(0, register.list().version());
        }
    }
}
