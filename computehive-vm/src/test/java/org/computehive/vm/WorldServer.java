package org.computehive.vm;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** Tells everyone who connects from where it came, and its own output who did; the first line says that it listens. */
final class WorldServer {
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
                }
            }
        } catch (IOException e) {
            System.out.println("ended: " + e.getMessage());
        }
    }
}
