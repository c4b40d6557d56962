package org.computehive.vm;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.zip.GZIPOutputStream;

/**
 * A host with an IOMMU, libvirt and PCI devices to spare: a QEMU under software emulation, built from Debian packages. Disks
 * stand in for gpus, since their memory can be looked at.
 *
 * <p>{@code 01:00.0} a disk with firmware; {@code 02:00.0} a disk with a sound function beside it; {@code 03:00.0} and
 * {@code 03:00.1} two disks that share an IOMMU group; {@code 00:07.0} the boot display; {@code 00:02.0} the host's own disk.
 */
final class GpuHost implements AutoCloseable {
    private static final List<String> INPUTS = List.of("build.sh", "init", "guest.S");
    private static final String READY = "gpu host: ready";
    private static final String END = "__END__";
    private static final Duration BUILD_LIMIT = Duration.ofMinutes(10);
    private static final int SPARE_DISKS = 4;
    private static final int SPARE_BYTES = 1 << 20;
    private static final int LINES_KEPT = 30;
    /** For the host's shell: longer than any command of a test waits. */
    private static final Duration ANSWER_LIMIT = Duration.ofMinutes(2);

    private final Process process;
    private final Path work;
    private final URI uri;
    private final Socket shell;
    private final BufferedReader answers;
    private final Thread killer;

    private GpuHost(Process process, Path work, URI uri, Socket shell) throws IOException {
        this.process = process;
        this.work = work;
        this.uri = uri;
        this.shell = shell;
        shell.setSoTimeout(Math.toIntExact(ANSWER_LIMIT.toMillis()));
        this.answers = new BufferedReader(new InputStreamReader(shell.getInputStream(), StandardCharsets.UTF_8));
        this.killer = new Thread(process::destroyForcibly, "gpu-host-killer");
        Runtime.getRuntime().addShutdownHook(killer);
    }

    /** Builds it where it isn't there, kept between runs, and boots it. */
    static GpuHost boot() throws IOException {
        Path image = image();
        Path work = Files.createTempDirectory(Path.of("/var/tmp"), "computehive-gpu-host-");
        int libvirt = freePort();
        int shell = freePort();
        Process process = new ProcessBuilder(argv(image, work, libvirt, shell))
                .redirectErrorStream(true)
                .directory(work.toFile())
                .start();
        try {
            awaitReady(process);
            var socket = new Socket(InetAddress.getLoopbackAddress(), shell);
            return new GpuHost(process, work, URI.create("qemu+tcp://127.0.0.1:" + libvirt + "/system"), socket);
        } catch (IOException | AssertionError e) {
            process.destroyForcibly();
            RuntimeFolder.delete(work);
            throw e;
        }
    }

    private static Path image() throws IOException {
        var inputs = Path.of("target", "gpu-host").toAbsolutePath();
        Path scripts = Files.createDirectories(inputs.resolve("scripts"));
        String hash = copyInputs(scripts);
        Path image = inputs.resolve(hash);
        if (!Files.isDirectory(image)) {
            Path draft = inputs.resolve("draft");
            RuntimeFolder.delete(draft);
            Files.createDirectory(draft);
            var argv = new ArrayList<>(
                    List.of("sh", scripts.resolve("build.sh").toString(), draft.toString(), scripts.toString()));
            argv.addAll(DemoImage.sources());
            var environment = Map.of("TMPDIR", draft.toString());
            Tool.Outcome outcome =
                    Tool.run(argv, environment, BUILD_LIMIT, "dash", line -> System.out.println("gpu host: " + line));
            if (!outcome.succeeded()) {
                throw new AssertionError(
                        "the host of the passthrough tests could not be built (exit %d): install the Debian packages mmdebstrap, binutils, e2fsprogs, and uidmap where you are not root; the last lines:%n%s"
                                .formatted(outcome.exit(), outcome.lastLines()));
            }
            Files.move(draft, image, StandardCopyOption.ATOMIC_MOVE);
        }
        return image;
    }

    private static String copyInputs(Path scripts) throws IOException {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (String name : INPUTS) {
                try (InputStream in = GpuHost.class.getResourceAsStream("gpuhost/" + name)) {
                    byte[] bytes = in == null ? new byte[0] : in.readAllBytes();
                    digest.update(bytes);
                    Files.write(scripts.resolve(name), bytes);
                }
            }
            return HexFormat.of().formatHex(digest.digest(), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static List<String> argv(Path image, Path work, int libvirt, int shell) throws IOException {
        var argv = new ArrayList<>(List.of("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-machine", "q35"));
        argv.addAll(List.of("-cpu", "qemu64", "-m", "1024", "-smp", "1", "-nodefaults", "-display", "none"));
        argv.addAll(List.of("-serial", "stdio", "-no-reboot", "-snapshot"));
        argv.addAll(List.of("-kernel", image.resolve("kernel").toString(), "-append"));
        argv.add("console=ttyS0 quiet root=/dev/nvme0n1 rw init=/init intel_iommu=on mitigations=off panic=-1");
        argv.addAll(List.of("-device", "intel-iommu,intremap=on,eim=off"));
        argv.addAll(List.of("-drive", "file=%s,if=none,id=root,format=raw".formatted(image.resolve("disk"))));
        argv.addAll(List.of("-device", "nvme,serial=ROOT,drive=root,bus=pcie.0,addr=2"));
        String forward = ",hostfwd=tcp:127.0.0.1:%d-10.0.2.15:%d";
        argv.add("-netdev");
        argv.add("user,id=net,restrict=on" + forward.formatted(libvirt, 16509) + forward.formatted(shell, 2323));
        argv.addAll(List.of("-device", "virtio-net-pci,netdev=net,romfile=,bus=pcie.0,addr=3"));
        argv.addAll(List.of("-device", "VGA,bus=pcie.0,addr=7"));
        for (int port = 1; port <= 3; port++) {
            argv.add("-device");
            argv.add("pcie-root-port,id=rp%1$d,slot=%1$d,chassis=%1$d,bus=pcie.0,addr=%2$d".formatted(port, port + 3));
        }
        for (int disk = 1; disk <= SPARE_DISKS; disk++) {
            Path file = work.resolve("spare-" + disk);
            try (FileChannel channel =
                    FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.allocate(1), SPARE_BYTES - 1);
            }
            argv.addAll(List.of("-drive", "file=%s,if=none,id=s%d,format=raw".formatted(file, disk)));
        }
        for (String device : List.of(
                "nvme,serial=SPARE1,drive=s1,bus=rp1,romfile=vgabios-stdvga.bin",
                "nvme,serial=SPARE2,drive=s2,bus=rp2,addr=0.0,multifunction=on",
                "intel-hda,bus=rp2,addr=0.1",
                "nvme,serial=SPARE3,drive=s3,bus=rp3,addr=0.0,multifunction=on",
                "nvme,serial=SPARE4,drive=s4,bus=rp3,addr=0.1")) {
            argv.addAll(List.of("-device", device));
        }
        return argv;
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void awaitReady(Process process) throws IOException {
        var ready = new CompletableFuture<Boolean>();
        var last = new ArrayDeque<String>();
        Thread.ofPlatform().daemon().name("gpu-host-console").start(() -> {
            try (BufferedReader console = process.inputReader()) {
                for (String line = console.readLine(); line != null; line = console.readLine()) {
                    synchronized (last) {
                        last.addLast(Printable.line(line));
                        if (last.size() > LINES_KEPT) {
                            last.removeFirst();
                        }
                    }
                    if (line.contains(READY)) {
                        ready.complete(true);
                    }
                }
            } catch (IOException e) {
                ready.completeExceptionally(e);
            }
            ready.complete(false);
        });
        try {
            if (ready.get(2, TimeUnit.MINUTES)) {
                return;
            }
        } catch (ExecutionException | TimeoutException e) {
            // Said below, with what it wrote.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        synchronized (last) {
            throw new AssertionError("the host did not boot; the last lines:\n" + String.join("\n", last));
        }
    }

    URI uri() {
        return uri;
    }

    /** Runs commands of the test's own on the host, as root; returns what they wrote. */
    synchronized String run(String commands) throws IOException {
        OutputStream out = shell.getOutputStream();
        out.write(("{ " + commands + "\n} 2>/dev/null; echo; echo " + END + " $?\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
        var text = new StringBuilder();
        for (String line = answers.readLine(); line != null; line = answers.readLine()) {
            if (line.startsWith(END)) {
                return text.toString().strip();
            }
            text.append(line).append('\n');
        }
        throw new IOException("the host's shell ended");
    }

    /** Writes a file of the host's. */
    void put(byte[] content, String path) throws IOException {
        var packed = new ByteArrayOutputStream();
        try (var zip = new GZIPOutputStream(packed)) {
            zip.write(content);
        }
        String text =
                Base64.getMimeEncoder().encodeToString(packed.toByteArray()).replace("\r", "");
        String size = run("base64 -d << 'END' | gunzip > %1$s\n%2$s\nEND\nwc -c < %1$s".formatted(path, text));
        if (!size.equals(Integer.toString(content.length))) {
            throw new AssertionError("%s has %s bytes of %d".formatted(path, size, content.length));
        }
    }

    /** Waits until a file of the host's holds a text. */
    void await(String path, String text) throws IOException {
        String found = run("for i in $(seq 300); do grep -qF '%s' %s && echo found && break; usleep 100000; done"
                .formatted(text, path));
        if (!found.equals("found")) {
            throw new AssertionError(
                    "'%s' did not come to %s, which holds: %s".formatted(text, path, run("cat " + path)));
        }
    }

    /** Returns the host's files. */
    HostFiles files() {
        return new HostFiles() {
            @Override
            public boolean reachable() {
                return true;
            }

            private String checked(String path, String commands) throws IOException {
                String outcome = run("if [ ! -e '%1$s' ] && [ ! -L '%1$s' ]; then echo missing; else %2$s; fi"
                        .formatted(path, commands.formatted(path)));
                if (outcome.equals("missing")) {
                    throw new NoSuchFileException(path);
                }
                if (!outcome.endsWith("ok")) {
                    throw new IOException(path + " can't be used: " + outcome);
                }
                return outcome.substring(0, outcome.length() - 2).strip();
            }

            @Override
            public byte[] read(String path, int limit) throws IOException {
                String text = checked(path, "base64 -w 0 '%s' && echo && echo ok");
                byte[] bytes = Base64.getDecoder().decode(text);
                return bytes.length > limit ? Arrays.copyOf(bytes, limit) : bytes;
            }

            @Override
            public List<String> list(String folder) throws IOException {
                String names = checked(folder, "ls -1 '%s' && echo ok");
                return names.isEmpty() ? List.of() : List.of(names.split("\n"));
            }

            @Override
            public String link(String path) throws IOException {
                return checked(path, "readlink '%s' && echo ok");
            }

            @Override
            public void write(String path, String text) throws IOException {
                checked(path, "printf " + text + " > '%s' && echo ok");
            }

            @Override
            public void delete(String path) throws IOException {
                run("rm -f '" + path + "'");
            }
        };
    }

    @Override
    public void close() throws IOException {
        shell.close();
        process.destroyForcibly().onExit().join();
        Runtime.getRuntime().removeShutdownHook(killer);
        RuntimeFolder.delete(work);
    }
}
