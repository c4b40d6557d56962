package org.computehive.store;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A real PostgreSQL server for tests, of the newest version that the system has: a cluster of its own in a temporary
 * directory, on a free loopback port, with fsync on and a random password; gone when closed or when the JVM ends. Started
 * as root it runs as the user {@code postgres}. Thread-safe.
 */
public final class PostgresServer implements AutoCloseable {
    private static final Path VERSIONS = Path.of("/usr/lib/postgresql");
    private static final String USER = "computehive";
    private static final int START_SECONDS = 60;

    private final Path binaries;
    private final Path directory;
    private final String password;
    private final int port;
    private final Thread atExit;
    private final AtomicInteger databases = new AtomicInteger();

    private PostgresServer(Path binaries, Path directory, String password, int port) {
        this.binaries = binaries;
        this.directory = directory;
        this.password = password;
        this.port = port;
        this.atExit = new Thread(this::stop);
    }

    /**
     * Starts a server.
     *
     * @throws AssertionError if PostgreSQL is not installed
     * @throws IllegalStateException if it doesn't start; the message holds its log
     */
    public static PostgresServer start() throws IOException {
        Path binaries = binaries();
        Path directory = Files.createTempDirectory("computehive-postgres");
        if (isRoot()) {
            UserPrincipal postgres =
                    directory.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("postgres");
            Files.setOwner(directory, postgres);
        }
        byte[] random = new byte[16];
        new SecureRandom().nextBytes(random);
        var server = new PostgresServer(binaries, directory, HexFormat.of().formatHex(random), freePort());
        Runtime.getRuntime().addShutdownHook(server.atExit);
        boolean started = false;
        try {
            server.initialize();
            server.run();
            started = true;
            return server;
        } finally {
            if (!started) {
                server.close();
            }
        }
    }

    private void initialize() throws IOException {
        Path passwordFile = directory.resolve("password");
        Files.createFile(
                passwordFile, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(passwordFile, password);
        Files.setOwner(passwordFile, Files.getOwner(directory));
        command(
                "initdb",
                "--pgdata=" + data(),
                "--username=" + USER,
                "--pwfile=" + passwordFile,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C.UTF-8");
    }

    private void run() throws IOException {
        String options = "-c listen_addresses=127.0.0.1 -c port=%d -c unix_socket_directories='' -c max_connections=200"
                .formatted(port);
        command(
                "pg_ctl",
                "start",
                "--wait",
                "--timeout=" + START_SECONDS,
                "--pgdata=" + data(),
                "--log=" + directory.resolve("server.log"),
                "--options=" + options);
    }

    /** Creates an empty database. Returns its JDBC address, without user and password. */
    public String createDatabase() throws SQLException {
        String name = "test" + databases.incrementAndGet();
        try (Connection connection = DriverManager.getConnection(url("postgres"), USER, password);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + name);
        }
        return url(name);
    }

    /** Runs one of the server's client programs, such as {@code pg_dump}, with the password in its environment. */
    void client(String program, String... arguments) throws IOException {
        command(program, arguments);
    }

    /** Returns a new path at which the client programs can write, gone with the server. */
    Path file(String name) {
        return directory.resolve(name);
    }

    /** Returns an address as the client programs want it. */
    String libpq(String jdbc) {
        return "postgresql://%s@127.0.0.1:%d/%s".formatted(USER, port, jdbc.substring(jdbc.lastIndexOf('/') + 1));
    }

    private String url(String database) {
        return "jdbc:postgresql://127.0.0.1:%d/%s".formatted(port, database);
    }

    /** Returns the user that owns every database. */
    public String user() {
        return USER;
    }

    /** Returns the user's password. */
    public String password() {
        return password;
    }

    /** Stops the server at once and deletes everything. */
    @Override
    public void close() {
        stop();
        Runtime.getRuntime().removeShutdownHook(atExit);
    }

    private void stop() {
        try {
            if (Files.exists(data().resolve("postmaster.pid"))) {
                command("pg_ctl", "stop", "--mode=immediate", "--pgdata=" + data());
            }
            delete(directory);
        } catch (IOException e) {
            throw new IllegalStateException("PostgreSQL in %s could not be cleared away".formatted(directory), e);
        }
    }

    private Path data() {
        return directory.resolve("data");
    }

    private void command(String program, String... arguments) throws IOException {
        var line = new ArrayList<String>();
        if (isRoot()) {
            line.addAll(List.of("runuser", "-u", "postgres", "--"));
        }
        line.add(binaries.resolve(program).toString());
        line.addAll(List.of(arguments));
        // To a file, not a pipe: the server inherits it and would keep a pipe open.
        Path output = Files.createTempFile(directory, program, ".out");
        var process = new ProcessBuilder(line)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile());
        process.environment().put("PGPASSWORD", password);
        try {
            Process running = process.start();
            if (!running.waitFor(2L * START_SECONDS, TimeUnit.SECONDS) || running.exitValue() != 0) {
                running.destroyForcibly();
                throw new IllegalStateException("%s failed: %s %s".formatted(program, Files.readString(output), log()));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while %s ran".formatted(program), e);
        }
    }

    private String log() throws IOException {
        Path log = directory.resolve("server.log");
        return Files.exists(log) ? Files.readString(log) : "";
    }

    private static Path binaries() throws IOException {
        if (Files.isDirectory(VERSIONS)) {
            try (Stream<Path> versions = Files.list(VERSIONS)) {
                var newest = versions.filter(version -> Files.isExecutable(version.resolve("bin/initdb")))
                        .max(Comparator.comparingInt(PostgresServer::number));
                if (newest.isPresent()) {
                    return newest.get().resolve("bin");
                }
            }
        }
        throw new AssertionError("PostgreSQL is not installed in %s: apt-get install postgresql".formatted(VERSIONS));
    }

    private static int number(Path version) {
        String name = version.getFileName().toString();
        return name.matches("[0-9]{1,4}") ? Integer.parseInt(name) : 0;
    }

    private static boolean isRoot() {
        return System.getProperty("user.name").equals("root");
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException e) throws IOException {
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
