package org.computehive.server.crash;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * A PostgreSQL server of our own that can be frozen, killed and started again. It ends with the thread that started it.
 * Not thread-safe.
 */
final class PostgresCluster implements AutoCloseable {
    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String ACCOUNT = "postgres";
    private static final String USER = "computehive";
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final int LOOK_AGAIN_MILLIS = 50;

    private final Path folder;
    private final Path binaries;
    private final String password;
    private final int port;
    private Process server;

    private PostgresCluster(Path folder) throws IOException, InterruptedException {
        this.folder = folder;
        this.binaries = binaries();
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        this.password = HexFormat.of().formatHex(random);
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            this.port = socket.getLocalPort();
        }
        initialize();
        this.server = run();
        awaitReady();
    }

    static PostgresCluster start(Path folder) throws IOException, InterruptedException {
        return new PostgresCluster(folder);
    }

    private void initialize() throws IOException, InterruptedException {
        Files.createDirectory(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path secret = folder.resolve("password");
        Files.writeString(secret, password);
        if (Programs.root()) {
            Programs.give(folder, ACCOUNT);
            Programs.give(secret, ACCOUNT);
        }
        var words = new ArrayList<>(Programs.as(ACCOUNT, "TERM"));
        words.addAll(List.of(
                binaries.resolve("initdb").toString(),
                "--pgdata=" + data(),
                "--username=" + USER,
                "--pwfile=" + secret,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8"));
        Programs.run(words, folder);
    }

    private Process run() throws IOException {
        // SIGQUIT is PostgreSQL's immediate end.
        var words = new ArrayList<>(Programs.as(ACCOUNT, "QUIT"));
        words.addAll(List.of(binaries.resolve("postgres").toString(), "-D", data().toString()));
        for (String option : List.of(
                "listen_addresses=127.0.0.1",
                "port=" + port,
                "unix_socket_directories=",
                "max_connections=100",
                "shared_buffers=32MB")) {
            words.addAll(List.of("-c", option));
        }
        return new ProcessBuilder(words)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                .start();
    }

    private void awaitReady() throws InterruptedException, IOException {
        Instant limit = Instant.now().plus(START_LIMIT);
        while (true) {
            try (Connection connection = connect("postgres")) {
                return;
            } catch (SQLException e) {
                if (!server.isAlive() || Instant.now().isAfter(limit)) {
                    throw new IOException(
                            "PostgreSQL did not start: " + e.getMessage() + "\n" + Files.readString(log()), e);
                }
                Thread.sleep(LOOK_AGAIN_MILLIS);
            }
        }
    }

    private Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(url(database), USER, password);
    }

    /** Makes a database and returns its JDBC address. */
    String create(String database) throws SQLException {
        try (Connection connection = connect("postgres");
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + database);
        }
        return url(database);
    }

    private String url(String database) {
        return "jdbc:postgresql://127.0.0.1:%d/%s?connectTimeout=5&socketTimeout=30".formatted(port, database);
    }

    String user() {
        return USER;
    }

    String password() {
        return password;
    }

    /** Stops every process of the server's where it stands. */
    void freeze() throws IOException, InterruptedException {
        signal("STOP");
    }

    /** Lets them go on. */
    void thaw() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        for (ProcessHandle process : family()) {
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start()
                    .waitFor();
        }
    }

    private List<ProcessHandle> family() {
        return Stream.concat(server.descendants(), Stream.of(server.toHandle())).toList();
    }

    /** Kills every process of the server's with SIGKILL. */
    void crash() {
        List<ProcessHandle> family = family();
        family.forEach(ProcessHandle::destroyForcibly);
        family.forEach(process -> process.onExit().join());
    }

    /** Starts the server again after {@link #crash}; it recovers from its log. */
    void restart() throws IOException, InterruptedException {
        server = run();
        awaitReady();
    }

    private Path data() {
        return folder.resolve("data");
    }

    private Path log() {
        return folder.resolve("server.log");
    }

    private static Path binaries() throws IOException {
        if (Files.isDirectory(VERSIONS)) {
            try (Stream<Path> versions = Files.list(VERSIONS)) {
                var newest = versions.filter(version -> Files.isExecutable(version.resolve("bin/initdb")))
                        .max(Comparator.comparingInt(version -> Integer.parseInt(
                                "0" + version.getFileName().toString().replaceAll("\\D", ""))));
                if (newest.isPresent()) {
                    return newest.get().resolve("bin");
                }
            }
        }
        throw new IOException("PostgreSQL is not installed in %s: apt-get install postgresql".formatted(VERSIONS));
    }

    @Override
    public void close() {
        crash();
    }
}
