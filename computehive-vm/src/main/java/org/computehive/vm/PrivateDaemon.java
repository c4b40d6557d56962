package org.computehive.vm;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.computehive.rental.HypervisorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The process of a private libvirt: started, found again, ended. Calls must not overlap.
 *
 * <p>It runs below {@code tini} where that is installed. libvirt waits until a QEMU that it ended has been collected, and
 * QEMU is a child of the nearest process that collects: without one of our own that is process 1, which in some containers
 * and sandboxes looks only every other second.
 */
final class PrivateDaemon {
    private static final Logger LOG = LoggerFactory.getLogger(PrivateDaemon.class);
    private static final String IDLE_SECONDS = "120";
    private static final Duration START_LIMIT = Duration.ofSeconds(30);
    private static final Duration END_LIMIT = Duration.ofSeconds(15);
    private static final long LOOK_NANOS = 10_000_000;
    private static final Path COLLECTOR = Path.of("/usr/bin/tini");

    private final Path program;
    private final Path runtime;
    private final Account account;

    PrivateDaemon(Path program, Path runtime, Account account) {
        this.program = program;
        this.runtime = runtime;
        this.account = account;
    }

    private Path pidFile() {
        return runtime.resolve("run/libvirtd.pid");
    }

    private Path output() {
        return runtime.resolve("run/libvirtd.out");
    }

    private Path socket() {
        return runtime.resolve("run/libvirt/libvirt-sock");
    }

    boolean runs() {
        return process().isPresent();
    }

    private Optional<ProcessHandle> process() {
        return Processes.read(pidFile())
                .flatMap(ProcessHandle::of)
                .filter(process -> Processes.mentions(process, pidFile().toString()));
    }

    /**
     * Starts it, unless it runs already.
     *
     * @throws HypervisorException.Unreachable if it doesn't come up
     */
    void ensureRunning() {
        if (runs()) {
            LOG.debug("private libvirt found running: folder={}", runtime);
            return;
        }
        if (Files.isExecutable(COLLECTOR)) {
            startCollected();
        } else {
            startAlone();
        }
        LOG.info("private libvirt started: folder={} user={}", runtime, account.name());
    }

    private List<String> environment() {
        var words = new ArrayList<>(List.of("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"));
        words.add("HOME=" + runtime);
        words.add("XDG_RUNTIME_DIR=" + runtime.resolve("run"));
        words.add("XDG_CONFIG_HOME=" + runtime.resolve("config"));
        words.add("XDG_CACHE_HOME=" + runtime.resolve("cache"));
        words.add("XDG_DATA_HOME=" + runtime.resolve("data"));
        return words;
    }

    private List<String> libvirtd() {
        return List.of(
                program.toString(),
                "--timeout",
                IDLE_SECONDS,
                "--pid-file",
                pidFile().toString());
    }

    private void startAlone() {
        List<String> words = environment();
        words.addAll(libvirtd());
        words.add("--daemon");
        Tool.Outcome outcome = Tool.run(unlimited(account.as(words)), START_LIMIT, "libvirt-daemon and util-linux");
        if (!outcome.succeeded()) {
            throw failed("exit " + outcome.exit(), outcome.lastLines());
        }
    }

    /** Lets guests' memory be locked, where we may. */
    private static List<String> unlimited(List<String> argv) {
        if (!MemoryLocking.mayRaise()) {
            return argv;
        }
        var words = new ArrayList<>(List.of("prlimit", "--memlock=unlimited:unlimited"));
        words.addAll(argv);
        return words;
    }

    /** In a session of its own, so that nobody's Ctrl-C ends it. */
    private void startCollected() {
        List<String> words = environment();
        words.addAll(List.of(COLLECTOR.toString(), "-s", "--"));
        words.addAll(libvirtd());
        var argv = new ArrayList<>(List.of("setsid"));
        argv.addAll(unlimited(account.as(words)));
        Process started;
        try {
            started = new ProcessBuilder(argv)
                    .directory(Path.of("/").toFile())
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(output().toFile())
                    .start();
        } catch (IOException e) {
            throw failed(String.valueOf(e.getMessage()), "install util-linux");
        }
        long end = System.nanoTime() + START_LIMIT.toNanos();
        // That its socket is there does not yet say that anybody listens.
        while (!listens()) {
            if (!started.isAlive() || System.nanoTime() > end) {
                started.destroyForcibly();
                throw failed("it ended or took longer than " + START_LIMIT.toSeconds() + " s", said());
            }
            LockSupport.parkNanos(LOOK_NANOS);
        }
    }

    private boolean listens() {
        try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            return runs() && channel.connect(UnixDomainSocketAddress.of(socket()));
        } catch (IOException e) {
            return false;
        }
    }

    private String said() {
        try {
            String text = Files.readString(output(), StandardCharsets.ISO_8859_1);
            return Printable.line(text.substring(Math.max(0, text.length() - 400)));
        } catch (IOException e) {
            return "it said nothing";
        }
    }

    private static HypervisorException.Unreachable failed(String how, String said) {
        return new HypervisorException.Unreachable(
                "the private libvirt daemon did not start (%s): %s".formatted(how, said), null);
    }

    /** Asks it to end, and makes it. */
    void end() {
        process().ifPresent(daemon -> {
            daemon.destroy();
            Processes.awaitEnd(daemon, END_LIMIT);
        });
        kill();
    }

    /** Ends it at once, also one that was cut off while it started and has not written its number yet. */
    void kill() {
        for (ProcessHandle daemon : Processes.mentioning("", pidFile().toString())) {
            if (!Processes.awaitEnd(daemon, Duration.ofMillis(500))) {
                daemon.destroyForcibly();
                Processes.awaitEnd(daemon, END_LIMIT);
            }
        }
    }
}
