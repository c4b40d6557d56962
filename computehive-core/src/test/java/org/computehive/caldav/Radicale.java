package org.computehive.caldav;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A real CalDAV server on loopback, with two users that have a calendar each. */
public final class Radicale implements AutoCloseable {
    private static final Path PROGRAM = Path.of("/usr/bin/radicale");

    private final Path folder;
    private final int port;
    private @Nullable Process process;

    private Radicale(Path folder, int port) {
        this.folder = folder;
        this.port = port;
    }

    /** Starts one; needs the program, or the test fails. */
    public static Radicale start(Path folder) throws Exception {
        if (!Files.isExecutable(PROGRAM)) {
            fail("radicale is not installed: run apt-get install radicale");
        }
        Files.writeString(folder.resolve("users"), "renter:renter's secret\nlender:lender's secret\n");
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        var server = new Radicale(folder, port);
        server.start();
        for (String user : List.of("renter", "lender")) {
            for (String calendar : List.of("rentals", "other")) {
                URI collection = server.collection(user, calendar);
                if (server.send(user, HttpRequest.newBuilder(collection).method("MKCALENDAR", BodyPublishers.noBody()))
                                .statusCode()
                        != 201) {
                    fail("radicale made no calendar at " + collection);
                }
            }
        }
        return server;
    }

    /** Starts it again on the same data, at the same address. */
    public void start() throws Exception {
        Process started = new ProcessBuilder(
                        PROGRAM.toString(),
                        "--config",
                        "",
                        "--server-hosts",
                        "127.0.0.1:" + port,
                        "--storage-filesystem-folder",
                        folder.resolve("collections").toString(),
                        "--auth-type",
                        "htpasswd",
                        "--auth-htpasswd-filename",
                        folder.resolve("users").toString(),
                        "--auth-htpasswd-encryption",
                        "plain",
                        "--auth-delay",
                        "0",
                        "--rights-type",
                        "owner_only",
                        "--logging-level",
                        "info")
                .redirectErrorStream(true)
                .start();
        process = started;
        var ready = new CountDownLatch(1);
        var said = new StringBuffer();
        BufferedReader out = started.inputReader();
        Thread.ofVirtual().start(() -> {
            try {
                for (String line = out.readLine(); line != null; line = out.readLine()) {
                    said.append(line).append('\n');
                    if (line.contains("Radicale server ready")) {
                        ready.countDown();
                    }
                }
            } catch (IOException e) {
                said.append(e);
            }
        });
        if (!ready.await(30, TimeUnit.SECONDS)) {
            close();
            fail("radicale did not start:\n" + said);
        }
    }

    /** Returns the address of a calendar, {@code rentals} or {@code other}, of {@code renter} or {@code lender}. */
    public URI collection(String user, String calendar) {
        return URI.create("http://127.0.0.1:%d/%s/%s/".formatted(port, user, calendar));
    }

    /** Returns a user's password. */
    public String password(String user) {
        return user + "'s secret";
    }

    /** Sends a request as a user. */
    public HttpResponse<String> send(String user, HttpRequest.Builder request) throws Exception {
        // A client each: the server closes a connection after its answer.
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                    request.header("Authorization", new CalDavCredential.Basic(user, password(user)).header())
                            .build(),
                    BodyHandlers.ofString());
        }
    }

    /** Returns what lies on its disk in a calendar, behind the server's back. */
    public List<String> files(String user, String calendar) throws IOException {
        Path place = folder.resolve("collections/collection-root").resolve(user).resolve(calendar);
        try (Stream<Path> files = Files.list(place)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".ics"))
                    .sorted()
                    .toList();
        }
    }

    @Override
    public void close() throws Exception {
        Process running = process;
        if (running != null) {
            running.destroy();
            if (!running.waitFor(10, TimeUnit.SECONDS)) {
                running.destroyForcibly().waitFor();
            }
        }
    }
}
