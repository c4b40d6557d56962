package org.computehive.server.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.computehive.access.RenterFiles;
import org.computehive.rental.SessionAccess.Grant;
import org.computehive.server.platform.FolderTree;
import org.jspecify.annotations.Nullable;

/** The renter's side: the real {@code ssh} and {@code ssh-keygen}, in a folder that is the renter's alone. */
final class OpenSsh {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final int OUTPUT_LIMIT = 64 * 1024;

    private final Path folder;
    private final String vmName;

    /** What a client printed, how many bytes of it were output, and how it ended. */
    record Result(int exit, String out, long bytes, String err) {}

    OpenSsh(Path folder, String vmName) throws IOException {
        this.folder = Files.createDirectories(
                folder.toAbsolutePath(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        this.vmName = vmName;
    }

    /** Makes the renter's key pair and returns the public half. */
    String generateKey() throws IOException, InterruptedException {
        Path key = folder.resolve("id");
        Result made = run(List.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "renter", "-f", key.toString()));
        if (made.exit() != 0) {
            throw new IOException("ssh-keygen failed: " + made.err());
        }
        return Files.readString(folder.resolve("id.pub")).strip();
    }

    /** Writes what the platform granted beside the key. */
    RenterFiles accept(Grant grant) throws IOException {
        RenterFiles files = grant.files(folder);
        write("id-cert.pub", grant.certificate() + "\n");
        write("ssh_config", files.sshConfig());
        write("known_hosts", files.knownHosts());
        return files;
    }

    private void write(String name, String text) throws IOException {
        Files.writeString(folder.resolve(name), text, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
    }

    /** Runs a command in the VM. */
    Result run(String command) throws IOException, InterruptedException {
        return run(client("-n", vmName, command));
    }

    /** Tries to run a command in the VM with a client that knows no host authority. */
    Result runBlind(String command) throws IOException, InterruptedException {
        Path blind = folder.resolve("ssh_config_blind");
        try {
            String config = Files.readString(folder.resolve("ssh_config"));
            Files.writeString(blind, config.replaceAll("UserKnownHostsFile .*", "UserKnownHostsFile /dev/null"));
            return run(List.of("ssh", "-F", blind.toString(), "-o", "BatchMode=yes", "-T", "-n", vmName, command));
        } finally {
            Files.deleteIfExists(blind);
        }
    }

    /** Asks the gateway for a connection to somewhere, as {@code ssh -W} does. */
    Result forward(String target) throws IOException, InterruptedException {
        return run(List.of(
                "ssh",
                "-F",
                folder.resolve("ssh_config").toString(),
                "-o",
                "BatchMode=yes",
                "-W",
                target,
                RenterFiles.GATEWAY_NAME));
    }

    /** Tries to enter the gateway from an address of this machine with keys that nobody certified. */
    Result guess(RenterFiles.Entrance gateway, String address, int keys) throws IOException, InterruptedException {
        Path stranger = Files.createTempDirectory(folder, "stranger");
        try {
            var argv = new ArrayList<>(List.of("ssh", "-F", "none", "-n", "-o", "BatchMode=yes", "-b", address));
            for (String option : List.of(
                    "UserKnownHostsFile=" + folder.resolve("known_hosts"),
                    "StrictHostKeyChecking=yes",
                    "HostKeyAlias=" + RenterFiles.GATEWAY_NAME,
                    "IdentitiesOnly=yes",
                    "IdentityAgent=none")) {
                argv.addAll(List.of("-o", option));
            }
            for (int i = 0; i < keys; i++) {
                String key = stranger.resolve("key-" + i).toString();
                run(List.of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key));
                argv.addAll(List.of("-i", key));
            }
            argv.addAll(List.of("-p", Integer.toString(gateway.gatewayPort()), "-l", gateway.principal()));
            argv.addAll(List.of(gateway.gatewayHost(), "true"));
            return run(argv);
        } finally {
            FolderTree.delete(stranger);
        }
    }

    /** Opens a connection that lives until somebody cuts it: a command that waits for input which never comes. */
    Process connect() throws IOException, InterruptedException {
        Path complaint = folder.resolve("live.err");
        Process live = new ProcessBuilder(client(vmName, "echo in; cat"))
                .directory(folder.toFile())
                .redirectError(complaint.toFile())
                .start();
        boolean in = false;
        try {
            var firstLine = new CompletableFuture<@Nullable String>();
            Thread.ofVirtual().start(() -> {
                try {
                    firstLine.complete(live.inputReader().readLine());
                } catch (IOException e) {
                    firstLine.completeExceptionally(e);
                }
            });
            in = "in".equals(firstLine.get(LIMIT.toSeconds(), TimeUnit.SECONDS));
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("the live connection did not open within %d s".formatted(LIMIT.toSeconds()), e);
        } finally {
            if (!in) {
                live.destroyForcibly().waitFor();
            }
        }
        String said = read(complaint);
        Files.delete(complaint);
        if (!in) {
            throw new IOException("the live connection did not open: " + said);
        }
        return live;
    }

    private List<String> client(String... arguments) {
        var argv = new ArrayList<>(
                List.of("ssh", "-F", folder.resolve("ssh_config").toString(), "-o", "BatchMode=yes", "-T"));
        argv.addAll(List.of(arguments));
        return argv;
    }

    private Result run(List<String> argv) throws IOException, InterruptedException {
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        try {
            Process process = new ProcessBuilder(argv)
                    .directory(folder.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            try {
                if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                    throw new IOException("%s did not end within %d s".formatted(argv.getFirst(), LIMIT.toSeconds()));
                }
            } finally {
                process.destroyForcibly();
            }
            return new Result(process.exitValue(), read(out), Files.size(out), read(err));
        } finally {
            Files.deleteIfExists(out);
            Files.deleteIfExists(err);
        }
    }

    private static String read(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return new String(in.readNBytes(OUTPUT_LIMIT), StandardCharsets.UTF_8).strip();
        }
    }
}
