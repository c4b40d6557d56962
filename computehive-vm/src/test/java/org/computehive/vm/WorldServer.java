package org.computehive.vm;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * Tells everyone who connects from where it came, and its own output who did; the first line says that it listens. At port
 * {@value #BULK_PORT} there is more to read.
 */
final class WorldServer {
    static final int BULK_PORT = 9000;
    static final int BULK_BYTES = 1_000_000;

    private WorldServer() {}

    /** Arguments: ports. */
    public static void main(String[] ports) throws IOException {
        for (String port : ports) {
            var server = new ServerSocket(Integer.parseInt(port));
            Thread.ofPlatform().start(() -> serve(server));
        }
        System.out.println("listening");
    }

    static void serve(ServerSocket server) {
        try (server) {
            while (true) {
                try (Socket socket = server.accept()) {
                    String peer = socket.getInetAddress().getHostAddress();
                    String line = "seen %s at %s port %d%n"
                            .formatted(peer, socket.getLocalAddress().getHostAddress(), socket.getLocalPort());
                    System.out.print(line);
                    System.out.flush();
                    socket.getOutputStream().write(line.getBytes(StandardCharsets.US_ASCII));
                    if (socket.getLocalPort() == BULK_PORT) {
                        socket.getOutputStream().write(new byte[BULK_BYTES]);
                    }
                }
            }
        } catch (IOException e) {
            System.out.println("ended: " + e.getMessage());
        }
    }
}
