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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.computehive.rental.HypervisorException;

/**
 * The guest's serial console, read from QEMU's socket until the guest says that it is ready.
 *
 * <p>Nothing of it is ever written to a file; only the last lines are kept in memory, for the message of a failure.
 */
final class Console implements AutoCloseable {
    static final String READY = "ComputeHive: ready";
    static final String FAILED = "ComputeHive: failed";
    /** Stands before each of the guest's lines, so that none passes for one of ours. */
    private static final String MARGIN = "guest| ";

    private static final int LINES_KEPT = 12;
    private static final int LINE_LIMIT = 240;

    private final SocketChannel channel;
    private final ArrayDeque<String> last = new ArrayDeque<>();
    private final StringBuilder line = new StringBuilder();

    private Console(SocketChannel channel) {
        this.channel = channel;
    }

    static Console connect(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
            return new Console(channel);
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
        Thread.ofPlatform().name("console").daemon().start(() -> read(mark));
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
        synchronized (last) {
            last.addLast(text);
            if (last.size() > LINES_KEPT) {
                last.removeFirst();
            }
        }
        for (String word : new String[] {READY, FAILED}) {
            int at = text.indexOf(word);
            if (at >= 0) {
                mark.complete(text.substring(at));
            }
        }
    }

    private HypervisorException.GuestFailed failed(String why) {
        synchronized (last) {
            return new HypervisorException.GuestFailed(
                    "%s; the last lines of its console:%n%s"
                            .formatted(
                                    Printable.line(why),
                                    last.stream().map(MARGIN::concat).collect(joining("\n"))),
                    null);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // It is gone either way.
            line.setLength(0);
        }
    }
}
