package org.computehive.chain;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A chain for development and tests: Foundry's anvil, on the loopback interface. Its coins are worth nothing.
 *
 * <p>It ends with this object, and on Linux also with this process, even by {@code kill -9}: the kernel signals it when
 * the thread that started it dies ({@code setpriv --pdeathsig}). What it writes lies in a folder of its own, which
 * {@link #close} removes, and so does this process where it ends in order: by its last thread, {@code SIGTERM} or
 * {@code Ctrl-C}. Only a {@code kill -9} leaves the folder. Thread-safe.
 */
public final class AnvilNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AnvilNode.class);
    private static final String PROPERTY = "computehive.anvil";
    private static final String VARIABLE = "COMPUTEHIVE_ANVIL";
    private static final String LISTENING = "Listening on ";
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration STOP_LIMIT = Duration.ofSeconds(5);
    private static final long STATE_LIMIT_BYTES = 1L << 30;
    private static final int SHOWN_LINES = 10;

    private final AnvilOptions options;
    private final CompletableFuture<Integer> exit = new CompletableFuture<>();
    private final CompletableFuture<Process> process = new CompletableFuture<>();
    private final CompletableFuture<URI> address = new CompletableFuture<>();
    private final Deque<String> complaints = new ArrayDeque<>();
    private final Thread shutdown = new Thread(this::end, "computehive-anvil-shutdown");
    private final Object lifecycle = new Object();
    private @Nullable Path directory;
    private boolean ended;

    private AnvilNode(AnvilOptions options) {
        this.options = options;
    }

    /**
     * Starts a node, and returns once it answers.
     *
     * @throws IllegalStateException if it could not; the message says why, such as a busy port
     */
    public static AnvilNode start(AnvilOptions options) {
        var node = new AnvilNode(options);
        try {
            node.launch();
            return node;
        } catch (RuntimeException e) {
            node.close();
            throw e;
        }
    }

    /**
     * Finds the program: the system property {@code computehive.anvil}, else the environment's {@code COMPUTEHIVE_ANVIL},
     * else what npm installed under {@code computehive-chain/src/main/solidity} of a source tree.
     *
     * @param root the source tree's root
     * @throws IllegalStateException if there is none; the message says how to install it
     */
    public static Path find(Path root) {
        String named = System.getProperty(PROPERTY, System.getenv().getOrDefault(VARIABLE, ""));
        Path path = named.isEmpty()
                ? root.resolve("computehive-chain/src/main/solidity/node_modules/@foundry-rs")
                        .resolve("anvil-" + platform())
                        .resolve("bin/anvil")
                : Path.of(named);
        if (!Files.isExecutable(path)) {
            throw new IllegalStateException(
                    "no chain node at %s: run ./computehive, which installs it, or 'npm ci' in computehive-chain/src/main/solidity, or set %s to an anvil program"
                            .formatted(path, VARIABLE));
        }
        return path;
    }

    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch");
        return (system.startsWith("mac") ? "darwin" : "linux") + "-"
                + (processor.equals("aarch64") ? "arm64" : "amd64");
    }

    private void launch() {
        Runtime.getRuntime().addShutdownHook(shutdown);
        // The kernel's parent-death signal follows the death of the *thread* that started a process: this one waits.
        Thread.ofPlatform().name("computehive-anvil").daemon().start(this::run);
        try {
            URI url = address.get(START_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            LOG.info("a development chain listens at {}", url);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the chain node did not start: " + e.getMessage(), e);
        } catch (TimeoutException e) {
            throw new IllegalStateException("%s did not listen within %s".formatted(options.program(), START_LIMIT), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the chain node started", e);
        }
    }

    private void run() {
        int code = -1;
        try {
            Process started = begin();
            started.getOutputStream().close();
            Thread errors = Thread.ofPlatform().daemon().start(() -> readErrors(started));
            Thread.ofPlatform().daemon().start(() -> readOutput(started));
            code = started.waitFor();
            errors.join(STOP_LIMIT);
            address.completeExceptionally(new IOException(
                    "%s ended with code %d before it listened: %s".formatted(options.program(), code, complaints())));
        } catch (IOException e) {
            process.completeExceptionally(e);
            address.completeExceptionally(e);
        } catch (InterruptedException e) {
            LOG.debug("nobody waits for the chain node any more", e);
        } finally {
            exit.complete(code);
        }
    }

    /** Makes the folder and starts the program in it, unless this has ended already: nothing may begin after the end. */
    private Process begin() throws IOException {
        synchronized (lifecycle) {
            if (ended) {
                throw new IOException("it was closed while it started");
            }
            String prefix = "computehive-anvil-";
            Path parent = options.folder();
            Path made = parent == null
                    ? Files.createTempDirectory(prefix)
                    : Files.createTempDirectory(parent.toAbsolutePath(), prefix);
            directory = made;
            var builder = new ProcessBuilder(command()).directory(made.toFile());
            builder.environment().put("HOME", made.toString());
            builder.environment().put("TMPDIR", made.toString());
            Process started = builder.start();
            process.complete(started);
            return started;
        }
    }

    private List<String> command() {
        var command = new ArrayList<String>();
        Path setpriv = onPath("setpriv");
        if (setpriv != null) {
            command.addAll(List.of(setpriv.toString(), "--pdeathsig", "TERM", "--"));
        } else {
            LOG.warn("there is no setpriv (util-linux): a kill -9 of this process would leave the chain node running");
        }
        command.addAll(List.of(
                options.program().toAbsolutePath().toString(),
                "--host",
                "127.0.0.1",
                "--port",
                Integer.toString(options.port()),
                "--chain-id",
                Long.toString(options.chainId()),
                "--accounts",
                Integer.toString(options.unlocked())));
        if (options.blockTime() != null) {
            command.addAll(
                    List.of("--block-time", Long.toString(options.blockTime().toSeconds()), "--mixed-mining"));
        }
        if (options.state() != null) {
            command.addAll(
                    List.of("--load-state", options.state().toAbsolutePath().toString()));
        }
        return command;
    }

    private static @Nullable Path onPath(String program) {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
            Path path = Path.of(folder, program);
            if (!folder.isEmpty() && Files.isExecutable(path)) {
                return path;
            }
        }
        return null;
    }

    private void readOutput(Process started) {
        try (BufferedReader out = started.inputReader()) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.startsWith(LISTENING)) {
                    address.complete(URI.create(
                            "http://" + line.substring(LISTENING.length()).strip()));
                }
            }
        } catch (IOException e) {
            LOG.debug("the chain node's output ended", e);
        }
    }

    private void readErrors(Process started) {
        try (BufferedReader err = started.errorReader()) {
            for (String line = err.readLine(); line != null; line = err.readLine()) {
                synchronized (complaints) {
                    complaints.addLast(line);
                    if (complaints.size() > SHOWN_LINES) {
                        complaints.removeFirst();
                    }
                }
            }
        } catch (IOException e) {
            LOG.debug("the chain node's error output ended", e);
        }
    }

    private String complaints() {
        synchronized (complaints) {
            return complaints.isEmpty() ? "it said nothing" : String.join(" / ", complaints);
        }
    }

    /** Returns where the node listens. */
    public URI url() {
        return address.join();
    }

    /** Returns the node's process id. */
    public long pid() {
        return process.join().pid();
    }

    /** Completes with the exit code when the node has ended, by whatever cause. */
    public CompletableFuture<Integer> onExit() {
        return exit.copy();
    }

    /** Returns a new wallet with 10,000 coins of this chain. */
    public EvmWallet fundedWallet() {
        EvmWallet wallet = EvmWallet.random();
        fund(wallet, new Amount(BigInteger.TEN.pow(22)));
        return wallet;
    }

    /**
     * Returns the accounts that the node itself signs for ({@code eth_signTypedData_v4}) and sends for ({@code
     * eth_sendTransaction}), as a wallet would: as many as its options say.
     */
    public List<Account> unlockedAccounts() {
        var accounts = new ArrayList<Account>();
        call("eth_accounts").forEach(account -> accounts.add(new Account(account.asText())));
        return List.copyOf(accounts);
    }

    /** Sets a wallet's native coin, in wei. */
    public void fund(EvmWallet wallet, Amount wei) {
        call("anvil_setBalance", wallet.account().address(), Chain.hex(wei.units()));
    }

    /** Moves the chain's clock forward and makes a block there. */
    public void advance(Duration time) {
        call("evm_increaseTime", time.toSeconds());
        call("evm_mine");
    }

    /**
     * Writes all that the chain knows to a file, in one step: for {@link AnvilOptions#withState}.
     *
     * @throws UncheckedIOException if the file can't be written; one that was there stays
     */
    public void dumpState(Path file) {
        String packed = call("anvil_dumpState").asText();
        Path folder = file.toAbsolutePath().getParent();
        try (InputStream in =
                new GZIPInputStream(new ByteArrayInputStream(HexFormat.of().parseHex(packed, 2, packed.length())))) {
            Path part = Files.createTempFile(folder, "chain-", ".part");
            try {
                byte[] state = in.readNBytes((int) STATE_LIMIT_BYTES);
                Files.write(part, state);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("can't write the chain's state to " + file, e);
        }
    }

    com.fasterxml.jackson.databind.JsonNode call(String method, Object... params) {
        try (var rpc = new JsonRpc(List.of(url()), START_LIMIT, caller -> {})) {
            return rpc.call(method, params);
        }
    }

    /** Ends the node and removes its folder, and returns when both are done. May be repeated. */
    @Override
    public void close() {
        end();
        try {
            Runtime.getRuntime().removeShutdownHook(shutdown);
        } catch (IllegalStateException e) {
            LOG.debug("already shutting down", e);
        }
    }

    /**
     * Leaves it to the caller to close this when the process is told to end, so that the node still answers until then;
     * where the process dies without, the node ends with it all the same.
     */
    public void leaveToOwner() {
        Runtime.getRuntime().removeShutdownHook(shutdown);
    }

    private void end() {
        synchronized (lifecycle) {
            ended = true;
            kill();
            if (directory != null) {
                remove(directory);
            }
        }
    }

    private static void remove(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (NoSuchFileException e) {
            LOG.debug("{} is gone already", folder, e);
        } catch (IOException | UncheckedIOException e) {
            LOG.warn("can't remove {}: remove it by hand", folder, e);
        }
    }

    private void kill() {
        Process running = process.isCompletedExceptionally() ? null : process.getNow(null);
        if (running == null) {
            return;
        }
        running.destroy();
        try {
            if (!running.waitFor(STOP_LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                running.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            running.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
