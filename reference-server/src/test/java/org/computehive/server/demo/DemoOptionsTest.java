package org.computehive.server.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the demo refuses before it starts anything. */
class DemoOptionsTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "--bogus, --bogus is not an option",
        "--window, --window needs a value",
        "--window 5, --window 5 is not a whole number from 30 to 3600",
        "--window ten, --window ten is not a whole number from 30 to 3600",
        "--gateway-port 65536, --gateway-port 65536 is not a whole number from 0 to 65535",
        "--hypervisor nonsense, --hypervisor nonsense has no scheme",
        "--hypervisor qemu:///a%, is not a URI",
        "--folder --until-end, --folder needs a value"
    })
    void parse_whatMakesNoSense_isRefusedWithTheLimit(String line, String message) {
        var refused = assertThrows(
                DemoOptions.UsageException.class, () -> DemoOptions.parse(List.of(line.split(" ")), Instant.EPOCH));
        assertTrue(refused.getMessage().contains(message), refused::getMessage);
    }

    @Test
    void parse_nothing_takesAFolderNamedByTheTime() throws Exception {
        DemoOptions options = DemoOptions.parse(List.of(), Instant.EPOCH);
        assertEquals("demo-19700101-000000", options.folder().getFileName().toString());
    }

    @Test
    void parse_fast_waitsLessUnlessToldHowLong() throws Exception {
        DemoOptions usual = DemoOptions.parse(List.of(), Instant.EPOCH);
        DemoOptions fast = DemoOptions.parse(List.of("--fast"), Instant.EPOCH);
        assertTrue(fast.notice().compareTo(usual.notice()) < 0);
        assertTrue(fast.window().compareTo(usual.window()) < 0);
        DemoOptions told = DemoOptions.parse(List.of("--window", "300", "--fast"), Instant.EPOCH);
        assertEquals(300, told.window().toSeconds());
    }

    @Test
    void check_folderOfAnEarlierDemo_isRefused() throws Exception {
        Files.writeString(folder.resolve("audit-key.txt"), "old");
        assertRefused("is not empty", "--folder", folder.toString());
    }

    @Test
    void check_folderThatCannotBeMade_isRefused() throws Exception {
        assertRefused("--folder can't be used", "--folder", "/proc/computehive-demo");
    }

    @Test
    void check_publicKeyThatIsNone_isRefusedWithTheReason() throws Exception {
        assertKeyRefused("junk\n", "not accepted as a public key");
        assertKeyRefused("-----BEGIN OPENSSH PRIVATE KEY-----\nsecret\n", "private key");
    }

    @Test
    void check_publicKeyThatIsNotThere_isRefused() throws Exception {
        assertRefused("there is no such file", "--public-key", "absent.pub", "--folder", folder.toString());
    }

    private void assertKeyRefused(String text, String message) throws Exception {
        Path key = Files.writeString(Files.createTempFile("key", ".pub"), text);
        try {
            String said = assertRefused(message, "--public-key", key.toString(), "--folder", folder.toString());
            assertTrue(!said.contains("secret"), said);
        } finally {
            Files.delete(key);
        }
    }

    private static String assertRefused(String message, String... arguments)
            throws DemoOptions.UsageException, IOException {
        DemoOptions options = DemoOptions.parse(List.of(arguments), Instant.EPOCH);
        String said =
                assertThrows(DemoFailure.class, () -> Preflight.check(options)).getMessage();
        assertTrue(said.contains(message), said);
        return said;
    }
}
