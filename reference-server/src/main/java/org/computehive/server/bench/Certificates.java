package org.computehive.server.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.computehive.access.CertificateAuthority;
import org.computehive.access.SoftwareSigner;
import org.computehive.access.SshPublicKey;
import org.computehive.access.UserCertificateRequest;

/**
 * How fast the certificate authority issues renters' certificates, against {@code ssh-keygen -s} on a batch of keys.
 *
 * <p>Both sign Ed25519 with Ed25519, on one thread, with the same validity and extensions. ssh-keygen reads each key from a
 * file and writes each certificate to one, which it can't do otherwise: the files lie in memory. Ours parses each key's line
 * and returns the certificate's, as the API does.
 *
 * <p>The goal is five times as many: ssh-keygen starts once for the whole batch, so what is compared is the work for each
 * key. By processor time it is 5 too; the wall clock would count the other programs on a busy machine.
 */
final class Certificates implements Benchmark {
    private static final int BATCH = 1_000;
    private static final int CERTIFICATE_BYTES = 320;
    private static final int BATCHES_BESIDE = 10;
    private static final int WARM_UP = 3;
    private static final int ROUNDS = 5;
    /** A server runs for days: its code is compiled before it is measured. */
    private static final int COMPILED_AFTER = 20;

    private static final double GOAL = 5;
    /** Of what Bouncy Castle signs if it does nothing else. */
    private static final double RAW_GOAL = 0.7;

    @Override
    public String name() {
        return "certificates";
    }

    @Override
    public String about() {
        return "certificates issued, against ssh-keygen -s in batch";
    }

    /** One round of one side. */
    private record Cost(double wallSeconds, double cpuSeconds) {}

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        String keygen = Programs.find("ssh-keygen", "openssh-client");
        try (Scratch scratch = Scratch.inMemory()) {
            Path folder = scratch.folder();
            Programs.run(folder, generate(keygen, folder.resolve("authority")));
            Programs.run(folder, generate(keygen, folder.resolve("renter")));
            String key = Files.readString(folder.resolve("renter.pub"));
            List<String> command = new ArrayList<>(List.of(keygen, "-q", "-s", "authority", "-I", "r1"));
            command.addAll(List.of("-n", "rental-r1", "-V", "+1h", "-z", "+1"));
            command.addAll(List.of("-O", "clear", "-O", "permit-pty", "-O", "permit-port-forwarding"));
            for (int i = 0; i < BATCH; i++) {
                Files.writeString(folder.resolve("k%d.pub".formatted(i)), key);
                command.add("k%d.pub".formatted(i));
            }
            var authority = new CertificateAuthority(
                    SoftwareSigner.generate(), SoftwareSigner.generate(), InstantSource.system());
            progress.accept("%d certificates a round, %d rounds after %d to warm up".formatted(BATCH, ROUNDS, WARM_UP));
            for (int i = 0; i < COMPILED_AFTER; i++) {
                issue(authority, key);
            }
            List<Cost> ours = new ArrayList<>();
            List<Cost> peer = new ArrayList<>();
            List<Cost> raw = new ArrayList<>();
            SoftwareSigner signer = SoftwareSigner.generate();
            Rounds.of(WARM_UP, ROUNDS, () -> add(ours, issue(authority, key)), () -> add(peer, batch(folder, command)));
            List<Cost> beside = new ArrayList<>();
            Rounds.of(
                    WARM_UP,
                    ROUNDS,
                    () -> add(beside, often(() -> issue(authority, key))),
                    () -> add(raw, often(() -> sign(signer))));
            progress.accept("ours %s".formatted(ours));
            progress.accept("ssh-keygen %s".formatted(peer));
            return List.of(
                    figure("issued-per-cpu-second", ours, peer, Cost::cpuSeconds),
                    figure("issued-per-second", ours, peer, Cost::wallSeconds),
                    new Figure(
                            name() + "/of-raw-signing-per-cpu-second",
                            rate(beside, Cost::cpuSeconds),
                            rate(raw, Cost::cpuSeconds),
                            RAW_GOAL));
        }
    }

    private static List<String> generate(String keygen, Path file) {
        return List.of(keygen, "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", file.toString());
    }

    private static double add(List<Cost> costs, Cost cost) {
        costs.add(cost);
        return cost.wallSeconds();
    }

    private Figure figure(String what, List<Cost> ours, List<Cost> peer, ToDoubleFunction<Cost> seconds) {
        return new Figure(name() + "/" + what, rate(ours, seconds), rate(peer, seconds), GOAL);
    }

    private static double rate(List<Cost> costs, ToDoubleFunction<Cost> seconds) {
        return BATCH
                / Rounds.median(costs.subList(WARM_UP, costs.size()).stream()
                        .mapToDouble(seconds)
                        .toArray());
    }

    private static Cost issue(CertificateAuthority authority, String key) throws Exception {
        Instant start = Instant.now();
        Instant end = start.plus(Duration.ofHours(1));
        double cpu = CpuTime.ours();
        double wall = Rounds.seconds(() -> {
            for (int i = 0; i < BATCH; i++) {
                String line = authority
                        .issue(new UserCertificateRequest("r1", "rental-r1", SshPublicKey.parse(key), start, end))
                        .line();
                if (line.isEmpty()) {
                    throw new IllegalStateException("an empty certificate was issued");
                }
            }
        });
        return new Cost(wall, Math.max(CpuTime.ours() - cpu, 1 / 1e6));
    }

    /** Measures several batches as one: a single one is short beside the ticks in which the kernel counts. */
    private static Cost often(Callable<Cost> batch) throws Exception {
        double wall = 0;
        double cpu = 0;
        for (int i = 0; i < BATCHES_BESIDE; i++) {
            Cost cost = batch.call();
            wall += cost.wallSeconds() / BATCHES_BESIDE;
            cpu += cost.cpuSeconds() / BATCHES_BESIDE;
        }
        return new Cost(wall, cpu);
    }

    /** Signs as many messages of a certificate's length, and does nothing else. */
    private static Cost sign(SoftwareSigner signer) throws Exception {
        byte[] message = new byte[CERTIFICATE_BYTES];
        double cpu = CpuTime.ours();
        double wall = Rounds.seconds(() -> {
            for (int i = 0; i < BATCH; i++) {
                signer.sign(message);
            }
        });
        return new Cost(wall, Math.max(CpuTime.ours() - cpu, 1 / 1e6));
    }

    private static Cost batch(Path folder, List<String> command) throws Exception {
        double cpu = CpuTime.programs();
        double wall = Rounds.seconds(() -> Programs.run(folder, command));
        double used = CpuTime.programs() - cpu;
        for (int i = 0; i < BATCH; i++) {
            if (!Files.deleteIfExists(folder.resolve("k%d-cert.pub".formatted(i)))) {
                throw new IOException("ssh-keygen left no certificate for key " + i);
            }
        }
        if (used <= 0) {
            throw new IllegalStateException("the kernel counted no processor time for ssh-keygen: enlarge the batch");
        }
        return new Cost(wall, used);
    }
}
