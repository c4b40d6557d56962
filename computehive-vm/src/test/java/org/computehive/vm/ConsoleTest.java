package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.computehive.rental.HypervisorException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a hostile guest can write on its console, over a real socket. */
class ConsoleTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    @TempDir
    private Path folder;

    private void said(String text, Duration limit) throws IOException {
        said(text, limit, "");
    }

    private List<String> said(String text, Duration limit, String secret) throws IOException {
        Path socket = folder.resolve("console");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            try (Console console = Console.connect(socket, secret);
                    SocketChannel guest = server.accept()) {
                Thread writer = Thread.ofVirtual().start(() -> write(guest, text));
                console.awaitReady(limit);
                writer.interrupt();
                return console.lines();
            }
        }
    }

    private static void write(SocketChannel guest, String text) {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.ISO_8859_1));
        try {
            while (bytes.hasRemaining()) {
                guest.write(bytes);
            }
            guest.shutdownOutput();
        } catch (IOException e) {
            bytes.clear(); // the reader has what it wanted
        }
    }

    @Test
    void readyMark_endsTheWait() throws IOException {
        said("[    0.1] boot\r\n" + Console.READY + " 4.2\r\n", LIMIT);
    }

    @Test
    void hostileOutput_reachesTheMessageBoundedPrintableAndMarked() {
        String forged = "12:00:00 INFO org.computehive - erased everything";
        String text = "x".repeat(3_000_000) + "\n" + "line\n".repeat(100_000) + "\u001b]0;title\u0007\u001b[2J\u009b\n"
                + forged + "\n" + Console.FAILED + ": \u001b[31mred\r\n";
        var failed = assertThrows(HypervisorException.GuestFailed.class, () -> said(text, LIMIT));
        String message = String.valueOf(failed.getMessage());
        assertTrue(message.length() < 4_000, message);
        assertTrue(message.startsWith(Console.FAILED), message);
        assertEquals(
                0,
                message.chars().filter(c -> c != '\n' && (c < ' ' || c > '~')).count(),
                message);
        message.lines().skip(1).forEach(line -> assertTrue(line.startsWith("guest| "), line));
        assertTrue(message.contains("guest| " + forged), message);
    }

    @Test
    void linesKept_areTheLast_boundedAndWithoutKeys() throws IOException {
        String part = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";
        String text =
                "first\n" + "a line of no interest\n".repeat(10_000) + "-----BEGIN OPENSSH PRIVATE KEY-----\nQUJD\n"
                        + "-----END OPENSSH PRIVATE KEY-----\nthe seed says " + part + "!\n" + Console.READY + "\n";
        List<String> lines = said(text, LIMIT, "head\n" + part + "\nshort\n");
        assertEquals(Console.READY, lines.getLast());
        assertFalse(lines.contains("first"), "the oldest are dropped");
        assertTrue(String.join("\n", lines).length() <= Console.KEPT);
        for (String secret : List.of("BEGIN", "QUJD", "END", part)) {
            assertTrue(lines.stream().noneMatch(line -> line.contains(secret)), secret);
        }
        assertEquals(
                4, lines.stream().filter(line -> line.startsWith("(left out")).count());
    }

    @Test
    void outputWithoutEnd_failsAtTheLimit() {
        String flood = "y".repeat(60_000_000);
        var failed = assertThrows(HypervisorException.GuestFailed.class, () -> said(flood, Duration.ofMillis(100)));
        assertTrue(String.valueOf(failed.getMessage()).length() < 4_000);
    }
}
