package org.computehive.access;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The real OpenSSH programs. */
final class OpenSsh {
    private OpenSsh() {}

    record Result(int exit, String out, String err) {
        @Override
        public String toString() {
            return "exit " + exit + "\n" + out + "\n" + err;
        }
    }

    static String program(String name) {
        for (String folder : List.of("/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin")) {
            Path path = Path.of(folder, name);
            if (Files.isExecutable(path)) {
                return path.toString();
            }
        }
        String aPackage = name.equals("sshd") ? "openssh-server" : "openssh-client";
        return fail("%s is not installed: run apt-get install %s".formatted(name, aPackage));
    }

    static Process start(List<String> command) throws IOException {
        var full = new ArrayList<>(command);
        full.set(0, program(command.get(0)));
        var process = new ProcessBuilder(full).start();
        process.getOutputStream().close();
        return process;
    }

    static Result run(String... command) throws Exception {
        return result(start(List.of(command)));
    }

    static Result result(Process process) throws Exception {
        try {
            CompletableFuture<String> err = text(process.errorReader());
            CompletableFuture<String> out = text(process.inputReader());
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                return fail("the command did not end: " + process.info().commandLine());
            }
            return new Result(process.exitValue(), out.get(5, TimeUnit.SECONDS), err.get(5, TimeUnit.SECONDS));
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    /** Each stream gets a thread of its own: the common pool may have just one. */
    private static CompletableFuture<String> text(BufferedReader reader) {
        var text = new CompletableFuture<String>();
        Thread.ofVirtual().start(() -> {
            try {
                text.complete(reader.lines().map(line -> line + "\n").collect(Collectors.joining()));
            } catch (RuntimeException e) {
                text.completeExceptionally(e);
            }
        });
        return text;
    }

    static Path secret(Path file, String text) throws IOException {
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        return Files.writeString(file, text);
    }

    /** A VM's SSH server: an unprivileged sshd on loopback, for the user that runs the test. */
    static final class Sshd implements AutoCloseable {
        private final Process process;
        private final InetSocketAddress address;

        Sshd(
                Path folder,
                HostKeyPair hostKey,
                HostCertificate certificate,
                SshPublicKey userAuthority,
                String principal)
                throws Exception {
            if (Files.isWritable(Path.of("/run")) && "root".equals(System.getProperty("user.name"))) {
                Files.createDirectories(Path.of("/run/sshd")); // where sshd, started by root, separates privileges
            }
            int port;
            try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                port = free.getLocalPort();
            }
            address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
            Path key = secret(folder.resolve("host_key"), hostKey.privateKeyText());
            Path cert = Files.writeString(folder.resolve("host_key-cert.pub"), certificate.line() + "\n");
            Path trusted = Files.writeString(folder.resolve("user_ca.pub"), userAuthority.line() + "\n");
            Path principals = Files.writeString(folder.resolve("principals"), principal + "\n");
            Path config = Files.writeString(
                    folder.resolve("sshd_config"), """
                    ListenAddress 127.0.0.1:%d
                    HostKey %s
                    HostCertificate %s
                    TrustedUserCAKeys %s
                    AuthorizedPrincipalsFile %s
                    AuthorizedKeysFile none
                    PasswordAuthentication no
                    KbdInteractiveAuthentication no
                    PidFile none
                    StrictModes no
                    UsePAM no
                    LogLevel VERBOSE
                    """.formatted(port, key, cert, trusted, principals));
            process = start(List.of("sshd", "-D", "-e", "-f", config.toString()));
            var listening = new CompletableFuture<String>();
            Thread.ofVirtual().start(() -> {
                var log = new StringBuilder();
                process.errorReader().lines().forEach(line -> {
                    log.append(line).append('\n');
                    if (line.contains("Server listening")) {
                        listening.complete(line);
                    }
                });
                listening.completeExceptionally(new IllegalStateException("sshd ended:\n" + log));
            });
            listening.get(10, TimeUnit.SECONDS);
        }

        InetSocketAddress address() {
            return address;
        }

        @Override
        public void close() throws Exception {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            process.waitFor(5, TimeUnit.SECONDS);
        }
    }
}
