package org.computehive.server.crash;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What stands in for the guests: for each gpu a server that greets as SSH servers do (RFC 4253, section 4.2), and only while
 * a domain for that gpu is up. Thread-safe.
 */
final class Guests implements AutoCloseable {
    private static final byte[] GREETING = "SSH-2.0-guest\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int WAITING = 50;

    private final List<ServerSocket> servers = new ArrayList<>();
    private final Set<Integer> up = ConcurrentHashMap.newKeySet();
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();

    private Guests() {}

    /**
     * Starts them.
     *
     * @param count how many
     * @param deaf the numbers of those that never answer
     */
    static Guests start(int count, Set<Integer> deaf) throws IOException {
        var guests = new Guests();
        for (int i = 0; i < count; i++) {
            var server = new ServerSocket(0, WAITING, InetAddress.getLoopbackAddress());
            guests.servers.add(server);
            boolean hears = !deaf.contains(i);
            guests.workers.execute(() -> guests.accept(server, hears));
        }
        return guests;
    }

    private void accept(ServerSocket server, boolean hears) {
        while (!server.isClosed()) {
            try {
                Socket visitor = server.accept();
                workers.execute(() -> greet(visitor, hears && up.contains(server.getLocalPort())));
            } catch (IOException e) {
                // Closed, or a visitor that left at once.
                continue;
            }
        }
    }

    /** One who is greeted stays as long as it likes. */
    private static void greet(Socket visitor, boolean welcome) {
        try (visitor) {
            if (welcome) {
                visitor.getOutputStream().write(GREETING);
                visitor.getInputStream().transferTo(OutputStream.nullOutputStream());
            }
        } catch (IOException e) {
            // The visitor left.
            return;
        }
    }

    List<Integer> ports() {
        return servers.stream().map(ServerSocket::getLocalPort).toList();
    }

    void up(int port) {
        up.add(port);
    }

    void down(int port) {
        up.remove(port);
    }

    @Override
    public void close() throws IOException {
        for (ServerSocket server : servers) {
            server.close();
        }
        workers.shutdownNow();
    }
}
