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
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
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
        String aPackage = switch (name) {
            case "sshd" -> "openssh-server";
            case "softhsm2-util" -> "softhsm2";
            default -> "openssh-client";
        };
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
        private final BlockingQueue<String> log = new LinkedBlockingQueue<>();

        Sshd(
                Path folder,
                HostKeyPair hostKey,
                HostCertificate certificate,
                SshPublicKey userAuthority,
                String principal)
                throws Exception {
            makeRunFolder();
            int port = freePort();
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
            follow();
        }

        /** The same with the guest's own configuration, for everything but where it listens and who runs it. */
        private Sshd(Path config, int port) throws Exception {
            address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
            process = start(List.of("sshd", "-D", "-e", "-f", config.toString()));
            follow();
        }

        static Sshd asInTheGuest(
                Path folder,
                HostKeyPair hostKey,
                HostCertificate certificate,
                SshPublicKey userAuthority,
                String principal)
                throws Exception {
            makeRunFolder();
            String me = System.getProperty("user.name");
            int port = freePort();
            secret(folder.resolve("host"), hostKey.privateKeyText());
            Files.writeString(folder.resolve("host-cert.pub"), certificate.line() + "\n");
            Files.writeString(folder.resolve("authorities"), userAuthority.line() + "\n");
            Files.createFile(folder.resolve("revoked"));
            Files.writeString(
                    Files.createDirectory(folder.resolve("principals")).resolve(me), principal + "\n");
            Path guests = Path.of("../computehive-vm/src/main/resources/org/computehive/vm/demo/sshd_config");
            // Of several values sshd takes the first; only AllowUsers adds up.
            String config = """
                    Port %d
                    ListenAddress 127.0.0.1
                    StrictModes no
                    PermitRootLogin prohibit-password
                    AllowUsers %s
                    """.formatted(port, me)
                    + Files.readString(guests).replace("Port 22\n", "").replace("/run/ssh/", folder + "/");
            return new Sshd(Files.writeString(folder.resolve("sshd_config"), config), port);
        }

        private static void makeRunFolder() throws IOException {
            if (Files.isWritable(Path.of("/run")) && "root".equals(System.getProperty("user.name"))) {
                Files.createDirectories(Path.of("/run/sshd")); // where sshd, started by root, separates privileges
            }
        }

        private static int freePort() throws IOException {
            try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            }
        }

        private void follow() throws Exception {
            var listening = new CompletableFuture<String>();
            Thread.ofVirtual().start(() -> {
                process.errorReader().lines().forEach(line -> {
                    log.add(line);
                    if (line.contains("Server listening")) {
                        listening.complete(line);
                    }
                });
                listening.completeExceptionally(new IllegalStateException("sshd ended: " + log));
            });
            listening.get(10, TimeUnit.SECONDS);
        }

        /** What it logged and nobody took yet. */
        BlockingQueue<String> log() {
            return log;
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
