package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NoteTest {
    private static final String NAME = "rent.example.org/audit";

    /** The key and note of the documentation of Go's golang.org/x/mod/sumdb/note. */
    private static final String GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    private static final String GO_NOTE = """
            If you think cryptography is the answer to your problem,
            then you don't know what your problem is.

            — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
            """;

    @TempDir
    private Path folder;

    @Test
    void open_ofGosExample_givesItsText() {
        VerifierKey key = VerifierKey.parse(GO_KEY);
        assertEquals(GO_KEY, key.toString());
        assertTrue(Note.open(GO_NOTE, key).endsWith("then you don't know what your problem is.\n"));
    }

    @Test
    void open_ofANoteWithAnyCharacterChanged_isRefused() {
        VerifierKey key = VerifierKey.parse(GO_KEY);
        for (int i = 0; i < GO_NOTE.length(); i++) {
            StringBuilder changed = new StringBuilder(GO_NOTE);
            changed.setCharAt(i, (char) (GO_NOTE.charAt(i) ^ 1));
            assertThrows(IllegalArgumentException.class, () -> Note.open(changed.toString(), key), "character " + i);
        }
    }

    @Test
    void sign_checkedByTheJdksEd25519_holds() throws Exception {
        NoteKey key = NoteKey.generate(NAME);
        String note = new Checkpoint(NAME, 7, new byte[32]).sign(key);
        String[] lines = note.split("\n");
        assertEquals(NAME, lines[0]);
        assertEquals("7", lines[1]);
        assertEquals("", lines[3]);
        byte[] blob = Base64.getDecoder().decode(lines[4].substring(("\u2014 " + NAME + " ").length()));
        byte[] spki = HexFormat.of()
                .parseHex("302a300506032b6570032100" + HexFormat.of().formatHex(key.publicKey()));
        Signature jdk = Signature.getInstance("Ed25519");
        jdk.initVerify(KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(spki)));
        jdk.update(note.substring(0, note.indexOf("\n\n") + 1).getBytes(UTF_8));
        assertTrue(jdk.verify(Arrays.copyOfRange(blob, 4, blob.length)));
        assertEquals(7, Checkpoint.open(note, key.verifierKey()).size());
    }

    @Test
    void open_withAWitnessSignatureToo_ignoresTheOther() {
        NoteKey key = NoteKey.generate(NAME);
        String note = new Checkpoint(NAME, 7, new byte[32]).sign(key);
        String witness = Note.sign(Note.text(note), NoteKey.generate("witness.example"));
        String both = note + witness.substring(Note.text(note).length() + 1);
        assertEquals(7, Checkpoint.open(both, key.verifierKey()).size());
        assertThrows(IllegalArgumentException.class, () -> Checkpoint.open(witness, key.verifierKey()));
    }

    @Test
    void open_ofAnotherLogsCheckpoint_isRefused() {
        NoteKey key = NoteKey.generate(NAME);
        String note = new Checkpoint("other.example", 7, new byte[32]).sign(key);
        assertThrows(IllegalArgumentException.class, () -> Checkpoint.open(note, key.verifierKey()));
    }

    @Test
    void verifierKey_thatIsMalformed_isRefused() {
        String good = NoteKey.generate(NAME).toString();
        assertEquals(good, VerifierKey.parse(good).toString());
        for (String bad : new String[] {
            "",
            "a+b",
            "x" + good,
            good + "A",
            good.replace("+A", "+B"),
            "a b+00000000+AAAA",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
        }) {
            assertThrows(IllegalArgumentException.class, () -> VerifierKey.parse(bad), bad);
        }
    }

    @Test
    void save_thenLoad_givesTheSameKeyInAFileForTheOwnerOnly() throws Exception {
        Path file = folder.resolve("note.key");
        NoteKey key = NoteKey.loadOrGenerate(file, NAME);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        NoteKey again = NoteKey.loadOrGenerate(file, NAME);
        assertEquals(key.verifierKey(), again.verifierKey());
        assertArrayEquals(key.sign(new byte[3]), again.sign(new byte[3]));
        assertThrows(AuditLogException.class, () -> NoteKey.loadOrGenerate(file, "other"));
        assertThrows(AuditLogException.class, () -> key.save(file));
    }

    @Test
    void load_ofAFileThatOthersMayRead_isRefused() throws Exception {
        Path file = folder.resolve("note.key");
        NoteKey.generate(NAME).save(file);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThrows(AuditLogException.class, () -> NoteKey.load(file));
    }

    @Test
    void load_ofADamagedFile_isRefusedWithoutShowingIt() throws Exception {
        Path file = folder.resolve("note.key");
        NoteKey key = NoteKey.generate(NAME);
        key.save(file);
        String text = Files.readString(file);
        Files.writeString(file, text.replace("PRIVATE", "PRIVATF"));
        String secret = text.strip().split("\\+", 5)[4];
        AuditLogException refusal = assertThrows(AuditLogException.class, () -> NoteKey.load(file));
        assertFalse(refusal.getMessage().contains(secret));
        assertFalse(key.toString().contains(secret));
    }
}
