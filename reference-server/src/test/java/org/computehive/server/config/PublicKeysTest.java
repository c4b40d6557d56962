package org.computehive.server.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PublicKeysTest {
    @TempDir
    Path folder;

    private Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("keys"), content);
    }

    private String refusal(Path file) {
        var refused = assertThrows(ConfigurationException.class, () -> PublicKeys.read("a.key", file));
        String message = String.valueOf(refused.getMessage());
        assertTrue(message.startsWith("a.key: " + file), message);
        return message;
    }

    @Test
    void keys_areReadWithTheNumbersOfTheirLines() throws IOException {
        Path keys = file("# one\n\n  ssh-ed25519 A a \r\n#ssh-ed25519 B\nssh-ed25519 C".getBytes(UTF_8));
        assertEquals(
                List.of(new PublicKeys.Line(3, "ssh-ed25519 A a"), new PublicKeys.Line(5, "ssh-ed25519 C")),
                PublicKeys.read("a.key", keys));
    }

    @Test
    void fileAtItsLimit_isRead_andOneByteMoreIsRefused() throws IOException {
        byte[] content = "#".repeat(PublicKeys.MOST_BYTES).getBytes(UTF_8);
        assertEquals(List.of(), PublicKeys.read("a.key", file(content)));
        assertTrue(refusal(file((new String(content, UTF_8) + "#").getBytes(UTF_8)))
                .contains("more than 65536 bytes"));
    }

    @Test
    void fileWithoutAnEnd_isNotReadToIt() {
        assertTrue(refusal(Path.of("/dev/zero")).contains("more than 65536 bytes"));
    }

    @Test
    void whatIsNoText_orNotThere_isRefused() throws IOException {
        assertTrue(refusal(file(new byte[] {'a', (byte) 0xff, '\n'})).contains("no text in UTF-8"));
        assertTrue(refusal(folder.resolve("none")).contains("can't be read"));
        assertTrue(refusal(folder).contains("can't be read"));
    }
}
