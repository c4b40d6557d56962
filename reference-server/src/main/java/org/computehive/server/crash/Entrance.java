package org.computehive.server.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.computehive.access.HostKeyPair;

/** The renter's OpenSSH client before an engine's gateway. Thread-safe. */
final class Entrance {
    private static final int MOST_SECONDS = 20;

    private final Path folder;
    private final String publicKey;

    /**
     * What a renter enters by.
     *
     * @param principal the user that it is at the gateway
     * @param vm the machine that it asks for
     * @param certificate one line
     * @param notAfter the certificate's end
     */
    record Pass(String principal, String vm, String certificate, Instant notAfter) {}

    /** How a gateway answers. */
    enum Answer {
        LET_IN,
        REFUSED,
        /** No gateway, or one that was killed before it could say. */
        NONE
    }

    /**
     * Makes the renter's key.
     *
     * @param folder a new folder for it and the certificates
     */
    Entrance(Path folder) throws IOException {
        this.folder = Files.createDirectory(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        HostKeyPair key = HostKeyPair.generate();
        this.publicKey = key.publicKey().line();
        Path secret = Files.createFile(
                folder.resolve("id"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(secret, key.privateKeyText());
    }

    /** Returns the renter's public key, one line. */
    String publicKey() {
        return publicKey;
    }

    /** Tries to get to the machine through the gateway on a loopback port. */
    Answer knock(Pass pass, int port) {
        Path certificate = folder.resolve(pass.principal() + "-cert.pub");
        try {
            Files.writeString(certificate, pass.certificate() + "\n");
            return answer(new ProcessBuilder(words(pass, certificate, port))
                    .redirectErrorStream(true)
                    .start());
        } catch (IOException e) {
            throw new UncheckedIOException("OpenSSH's client could not be run: apt-get install openssh-client", e);
        }
    }

    private List<String> words(Pass pass, Path certificate, int port) {
        return List.of(
                "ssh",
                "-F",
                "none",
                "-i",
                folder.resolve("id").toString(),
                "-o",
                "CertificateFile=" + certificate,
                "-o",
                "IdentitiesOnly=yes",
                "-o",
                "BatchMode=yes",
                "-o",
                "StrictHostKeyChecking=no",
                "-o",
                "UserKnownHostsFile=/dev/null",
                "-o",
                "LogLevel=ERROR",
                "-p",
                Integer.toString(port),
                "-W",
                pass.vm() + ":22",
                pass.principal() + "@127.0.0.1");
    }

    /** Its input stays open: the machine greets first. */
    private static Answer answer(Process client) throws IOException {
        var limit = CompletableFuture.runAsync(
                client::destroyForcibly, CompletableFuture.delayedExecutor(MOST_SECONDS, TimeUnit.SECONDS));
        try {
            byte[] greeting = client.getInputStream().readNBytes(4);
            if (new String(greeting, StandardCharsets.US_ASCII).equals("SSH-")) {
                return Answer.LET_IN;
            }
            String said = new String(greeting, StandardCharsets.UTF_8)
                    + new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (said.contains("open failed")) {
                return Answer.LET_IN;
            }
            return said.contains("Permission denied") ? Answer.REFUSED : Answer.NONE;
        } finally {
            limit.cancel(false);
            client.destroyForcibly();
        }
    }
}
