package org.computehive.server.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.computehive.rental.VmSpec.GuestAccess;

/** An sshd on loopback for the user that runs the benchmark. */
record Sshd(Process process, InetSocketAddress address) implements AutoCloseable {

    static Sshd start(String program, Path folder, GuestAccess access, String principal)
            throws IOException, InterruptedException {
        Files.createDirectories(folder);
        if (user().equals("root")) {
            Files.createDirectories(Path.of("/run/sshd")); // where sshd, started by root, separates privileges
        }
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        Path key = Files.createFile(
                folder.resolve("host"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(key, access.hostKey());
        Path certificate = Files.writeString(folder.resolve("host-cert.pub"), access.hostCertificate() + "\n");
        Path authorities = Files.writeString(folder.resolve("authorities"), access.userAuthorities() + "\n");
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
                """.formatted(port, key, certificate, authorities, principals));
        var words = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
        words.addAll(List.of(program, "-D", "-e", "-f", config.toString()));
        Process process = new ProcessBuilder(words)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            Programs.await(Programs.line(process.errorReader(), "Server listening"));
        } catch (IOException | InterruptedException e) {
            Programs.kill(process);
            throw e;
        }
        return new Sshd(process, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
    }

    private static String user() {
        return System.getProperty("user.name");
    }

    @Override
    public void close() throws InterruptedException {
        Programs.kill(process);
    }
}
