package org.computehive.vm;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.computehive.rental.HypervisorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The guest's serial console, read from QEMU's socket for as long as it is open.
 *
 * <p>Nothing of it is ever written to a file; its last lines are kept in memory, {@value #KEPT} characters at most, without
 * private keys: lines that hold one, or a part of one that the guest was given, are left out.
 */
final class Console implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Console.class);
    static final String READY = "ComputeHive: ready";
    static final String FAILED = "ComputeHive: failed";
    /** Stands before each of the guest's lines, so that none passes for one of ours. */
    private static final String MARGIN = "guest| ";

    static final int KEPT = 65_536;
    private static final String LEFT_OUT = "(left out: a secret)";
    private static final int LINES_SHOWN = 12;
    private static final int LINE_LIMIT = 240;
    /** Shorter lines of a key, such as its last, say nothing of it and may be words. */
    private static final int SHORTEST_SECRET = 16;

    private final SocketChannel channel;
    private final ArrayDeque<String> last = new ArrayDeque<>();
    private final StringBuilder line = new StringBuilder();
    private final List<String> secrets;
    private int kept;
    private boolean inKey;

    private Console(SocketChannel channel, List<String> secrets) {
        this.channel = channel;
        this.secrets = secrets;
    }

    /** Connects to a VM whose guest knows no secret. */
    static Console connect(Path socket) throws IOException {
        return connect(socket, "");
    }

    /**
     * Connects.
     *
     * @param secret what the guest was given and must not be seen in its lines
     */
    static Console connect(Path socket, String secret) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            List<String> secrets = secret.lines()
                    .map(String::strip)
                    .filter(part -> part.length() >= SHORTEST_SECRET)
                    .toList();
            return new Console(channel, secrets);
        } catch (IOException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Waits for the guest's ready mark.
     *
     * @throws HypervisorException.GuestFailed if the guest says that it failed, ends, or says nothing in time
     */
    void awaitReady(Duration limit) {
        var mark = new CompletableFuture<String>();
        Thread.ofVirtual().name("console").start(() -> read(mark));
        try {
            String end = mark.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!end.startsWith(READY)) {
                throw failed(end);
            }
        } catch (TimeoutException e) {
            throw failed("the guest was not ready within %d s".formatted(limit.toSeconds()));
        } catch (ExecutionException e) {
            throw failed("the console broke: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            // Says nothing of the guest: whoever takes the rental up again starts it anew.
            throw new HypervisorException.Unreachable("interrupted while the guest booted: call again", e);
        }
    }

    private void read(CompletableFuture<String> mark) {
        ByteBuffer buffer = ByteBuffer.allocate(4_096);
        try {
            while (channel.read(buffer) >= 0) {
                buffer.flip();
                String text = StandardCharsets.US_ASCII.decode(buffer).toString();
                buffer.clear();
                for (char c : text.toCharArray()) {
                    take(c, mark);
                }
            }
            mark.complete("the guest ended by itself");
        } catch (IOException e) {
            mark.complete("the console was closed");
        }
    }

    private void take(char c, CompletableFuture<String> mark) {
        if (c != '\n') {
            if (c >= ' ' && c < 0x7f && line.length() < LINE_LIMIT) {
                line.append(c);
            }
            return;
        }
        String text = line.toString();
        line.setLength(0);
        keep(text);
        for (String word : new String[] {READY, FAILED}) {
            int at = text.indexOf(word);
            if (at >= 0) {
                mark.complete(text.substring(at));
            }
        }
    }

    private void keep(String text) {
        boolean begins = text.contains("-----BEGIN") && text.contains("PRIVATE KEY");
        inKey |= begins;
        boolean secret = inKey || secrets.stream().anyMatch(text::contains);
        inKey &= !text.contains("-----END");
        synchronized (last) {
            String shown = secret ? LEFT_OUT : text;
            last.addLast(shown);
            kept += shown.length() + 1;
            while (kept > KEPT) {
                kept -= last.removeFirst().length() + 1;
            }
        }
    }

    /** Returns the last lines, the oldest first. */
    List<String> lines() {
        synchronized (last) {
            return List.copyOf(last);
        }
    }

    private HypervisorException.GuestFailed failed(String why) {
        synchronized (last) {
            return new HypervisorException.GuestFailed(
                    "%s; the last lines of its console:%n%s"
                            .formatted(
                                    Printable.line(why),
                                    last.stream()
                                            .skip(Math.max(0, last.size() - LINES_SHOWN))
                                            .map(MARGIN::concat)
                                            .collect(joining("\n"))),
                    null);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("a console is gone already", e);
        }
    }
}
