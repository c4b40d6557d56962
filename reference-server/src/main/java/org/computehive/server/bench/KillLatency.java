package org.computehive.server.bench;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How soon a hundred live connections end, by OpenSSH's client: its last byte and its exit after a revocation and after the
 * window's end. OpenSSH itself ends none, so that the peer is the limit that is promised.
 */
final class KillLatency implements Benchmark {
    private static final int SESSIONS = 100;
    private static final double EXIT_LIMIT = 0.25;
    private static final double BYTE_LIMIT = 0.1;
    private static final Duration START_LIMIT = Duration.ofSeconds(50);

    @Override
    public String name() {
        return "kill";
    }

    @Override
    public String about() {
        return "how soon live connections end, against the promised limits";
    }

    @Override
    public List<Figure> run(Consumer<String> progress) throws Exception {
        try (var stage = new JumpStage();
                var vm = new Fountain()) {
            progress.accept("%d sessions, cut by a revocation".formatted(SESSIONS));
            stage.admit("rental-revoked", vm.address(), Instant.now().plusSeconds(3600));
            Times revoked = session(stage, "rental-revoked", null);
            progress.accept("%d sessions, cut by the window's end".formatted(SESSIONS));
            Instant far = Instant.now().plusSeconds(3600);
            stage.admit("rental-expired", vm.address(), far);
            Times expired = session(stage, "rental-expired", vm.address());
            return List.of(
                    new Figure("kill/revoked-exit-p99-seconds", revoked.exit(), EXIT_LIMIT, 1),
                    new Figure("kill/revoked-last-byte-seconds", revoked.lastByte(), BYTE_LIMIT, 1),
                    new Figure("kill/expired-exit-p99-seconds", expired.exit(), EXIT_LIMIT, 1),
                    new Figure("kill/expired-last-byte-seconds", expired.lastByte(), BYTE_LIMIT, 1));
        }
    }

    /** The 99th percentile of the clients' exits and the very last byte of all, in seconds after the end. */
    private record Times(double exit, double lastByte) {}

    /** Ends at once by a revocation, or, where the VM's address is given, by moving the window's end close. */
    private static Times session(JumpStage stage, String principal, @Nullable InetSocketAddress vm) throws Exception {
        stage.certify(principal);
        var flowing = new CountDownLatch(SESSIONS);
        var over = new CountDownLatch(SESSIONS);
        long[] lastBytes = new long[SESSIONS];
        long[] exits = new long[SESSIONS];
        List<Process> clients = new ArrayList<>();
        try {
            for (int i = 0; i < SESSIONS; i++) {
                var command = new ArrayList<>(stage.ssh("ours"));
                command.addAll(List.of("-l", principal, "-W", JumpStage.TARGET + ":22", "entrance"));
                Process client = new ProcessBuilder(command)
                        .redirectInput(ProcessBuilder.Redirect.PIPE)
                        .redirectError(ProcessBuilder.Redirect.to(new File("/dev/null")))
                        .start();
                clients.add(client);
                int index = i;
                Thread.ofPlatform().daemon().start(() -> {
                    read(client, index, flowing, lastBytes, exits);
                    over.countDown();
                });
            }
            if (!flowing.await(START_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
                throw new IOException("%d of %d sessions did not begin".formatted(flowing.getCount(), SESSIONS));
            }
            Instant end = Instant.now();
            long zero = System.nanoTime();
            if (vm == null) {
                stage.gateway().revoke(principal, "the benchmark says so");
            } else {
                end = end.plusSeconds(2);
                zero += Duration.ofSeconds(2).toNanos();
                stage.admit(principal, vm, end);
            }
            if (!over.await(30, TimeUnit.SECONDS)) {
                throw new IOException("%d sessions did not end".formatted(over.getCount()));
            }
            Arrays.sort(exits);
            return new Times(
                    seconds(exits[SESSIONS * 99 / 100 - 1] - zero),
                    seconds(Arrays.stream(lastBytes).max().orElseThrow() - zero));
        } finally {
            clients.forEach(Process::destroyForcibly);
        }
    }

    /** What came before the end counts as the shortest time that a figure can have. */
    private static double seconds(long nanos) {
        return Math.max(nanos / 1e9, 1e-4);
    }

    private static void read(Process client, int index, CountDownLatch flowing, long[] lastBytes, long[] exits) {
        byte[] buffer = new byte[4096];
        try (InputStream in = client.getInputStream()) {
            boolean first = true;
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                lastBytes[index] = System.nanoTime();
                if (first) {
                    flowing.countDown();
                    first = false;
                }
            }
            client.waitFor();
        } catch (IOException e) {
            // The client is gone.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        exits[index] = System.nanoTime();
    }

    /** A VM that never stops to send: some bytes to each connection every few milliseconds. */
    private static final class Fountain implements AutoCloseable {
        private static final Duration PACE = Duration.ofMillis(20);
        private final ServerSocket server = new ServerSocket(0, SESSIONS, InetAddress.getLoopbackAddress());

        Fountain() throws IOException {
            Thread.ofVirtual().start(() -> {
                try {
                    while (true) {
                        Socket socket = server.accept();
                        Thread.ofVirtual().start(() -> send(socket));
                    }
                } catch (IOException e) {
                    // closed
                }
            });
        }

        private static void send(Socket socket) {
            byte[] bytes = new byte[100];
            try (socket) {
                while (true) {
                    socket.getOutputStream().write(bytes);
                    Thread.sleep(PACE);
                }
            } catch (IOException e) {
                // cut, as it should be
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        InetSocketAddress address() {
            return (InetSocketAddress) server.getLocalSocketAddress();
        }

        @Override
        public void close() throws IOException {
            server.close();
        }
    }
}
