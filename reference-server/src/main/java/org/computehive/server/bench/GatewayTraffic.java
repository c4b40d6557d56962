package org.computehive.server.bench;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Our gateway beside OpenSSH's sshd as the jump host, with the same cipher, client and VM: bytes, processor time for them,
 * and new connections.
 *
 * <p>Ours runs in this process, whose processor time is counted whole. What the clients and the sshd behind use falls on
 * both sides alike; on two cores they compete with what is measured.
 */
final class GatewayTraffic implements Benchmark {
    private static final int MEBIBYTES = 256;
    /** As many packets as it takes until the compiler is done with the ciphers: a gateway runs for days. */
    private static final int WARM_UP = 4;

    private static final int LOGIN_WARM_UP = 2;
    private static final int ROUNDS = 3;
    private static final int CONNECTIONS = 40;
    private static final int AT_ONCE = 4;

    @Override
    public String name() {
        return "gateway";
    }

    @Override
    public String about() {
        return "bytes and connections through the gateway, against OpenSSH as the jump host";
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        try (var stage = new JumpStage()) {
            progress.accept("%d MiB up, %d rounds after %d to warm up".formatted(MEBIBYTES, ROUNDS, WARM_UP));
            List<Double> ourCpu = new ArrayList<>();
            List<Double> peerCpu = new ArrayList<>();
            Rounds.Medians seconds = Rounds.of(
                    WARM_UP, ROUNDS, () -> upload(stage, "ours", ourCpu), () -> upload(stage, "peer", peerCpu));
            progress.accept("%d connections a round, %d at once".formatted(CONNECTIONS, AT_ONCE));
            Rounds.Medians logins =
                    Rounds.of(LOGIN_WARM_UP, ROUNDS, () -> connect(stage, "ours"), () -> connect(stage, "peer"));
            return List.of(
                    new Figure(
                            "gateway/mebibytes-per-second", MEBIBYTES / seconds.ours(), MEBIBYTES / seconds.peer(), 1),
                    new Figure("gateway/cpu-seconds", median(ourCpu), median(peerCpu), 2),
                    new Figure(
                            "gateway/connections-per-second",
                            CONNECTIONS / logins.ours(),
                            CONNECTIONS / logins.peer(),
                            1.5));
        }
    }

    private static double median(List<Double> values) {
        return Rounds.median(values.subList(WARM_UP, values.size()).stream()
                .mapToDouble(Double::doubleValue)
                .toArray());
    }

    private static double upload(JumpStage stage, String config, List<Double> cpu) throws Exception {
        var command = new ArrayList<>(
                List.of("sh", "-c", "head -c \"$1\" /dev/zero | \"$2\" -F \"$3\" target 'cat >/dev/null'", "sh"));
        command.add(Long.toString((long) MEBIBYTES << 20));
        command.addAll(List.of(stage.ssh(config).get(0), stage.ssh(config).get(2)));
        double before = stage.cpu(config);
        double seconds = Rounds.seconds(() -> Programs.run(stage.folder(), command));
        cpu.add(Math.max(stage.cpu(config) - before, 1e-3));
        return seconds;
    }

    /** Opens connections to the VM through the jump host and closes them once the VM's server has greeted. */
    private static double connect(JumpStage stage, String config) throws Exception {
        var command = new ArrayList<>(stage.ssh(config));
        command.addAll(List.of("-W", stage.way(config), "entrance"));
        return Rounds.seconds(() -> {
            List<Process> running = new ArrayList<>();
            for (int i = 0; i < CONNECTIONS; i++) {
                if (running.size() == AT_ONCE) {
                    end(running.removeFirst());
                }
                running.add(new ProcessBuilder(command)
                        .redirectInput(new File("/dev/null"))
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start());
            }
            for (Process process : running) {
                end(process);
            }
        });
    }

    private static void end(Process process) throws IOException, InterruptedException {
        String greeting = process.inputReader().readLine();
        if (greeting == null || !greeting.startsWith("SSH-2.0-")) {
            throw new IOException("a connection through the jump host got no greeting: " + greeting);
        }
        process.destroyForcibly().waitFor();
    }
}
