package org.computehive.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.rental.HypervisorException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One process at a time uses a state folder: two would sweep each other's sessions. The kernel lets go of it when its process
 * ends, however that ends; the file stays. Thread-safe.
 */
final class StateLock implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(StateLock.class);
    private static final String FILE = "lock";
    private static final int LONGEST_NUMBER = 20;
    /**
     * The lock files that this process has. The kernel drops a process's locks of a file when the process closes any descriptor
     * of it (fcntl(2)), so one that is taken here must not even be opened again.
     */
    private static final Set<Path> OURS = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private StateLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Takes the folder, which is made if it is missing.
     *
     * @throws HypervisorException.Lacking if another has it, who is named, or it can't be written
     */
    static StateLock take(Path home) {
        try {
            Path file = Files.createDirectories(home).toRealPath().resolve(FILE);
            if (!OURS.add(file)) {
                throw taken(home, OptionalLong.of(ProcessHandle.current().pid()));
            }
            try {
                return lock(home, file);
            } catch (IOException | RuntimeException e) {
                OURS.remove(file);
                throw e;
            }
        } catch (IOException e) {
            throw new HypervisorException.Lacking(
                    "state folder %s can't be written (%s): give a folder you may write, with free space"
                            .formatted(home, e),
                    e);
        }
    }

    private static StateLock lock(Path home, Path file) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            if (channel.tryLock() == null) {
                throw taken(home, owner(channel));
            }
            sign(channel);
            return new StateLock(file, channel);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static HypervisorException.Lacking taken(Path home, OptionalLong pid) {
        String who = "another process";
        if (pid.isPresent()) {
            who = pid.getAsLong() == ProcessHandle.current().pid()
                    ? "this very process (%d)".formatted(pid.getAsLong())
                    : "process %d%s".formatted(pid.getAsLong(), program(pid.getAsLong()));
        }
        return new HypervisorException.Lacking(
                "another ComputeHive uses the state folder %s, %s: stop it or give another folder".formatted(home, who),
                null);
    }

    private static String program(long pid) {
        return ProcessHandle.of(pid)
                .flatMap(process -> process.info().command())
                .map(command -> " (" + Printable.line(command) + ")")
                .orElse("");
    }

    /** Whoever has the folder wrote its number; what else may stand there is ignored. */
    private static OptionalLong owner(FileChannel channel) {
        try {
            ByteBuffer bytes = ByteBuffer.allocate(LONGEST_NUMBER);
            channel.read(bytes, 0);
            String text = new String(bytes.array(), 0, bytes.position(), StandardCharsets.US_ASCII).strip();
            return text.matches("\\d{1,10}") ? OptionalLong.of(Long.parseLong(text)) : OptionalLong.empty();
        } catch (IOException e) {
            LOG.debug("who has a state folder can't be read", e);
            return OptionalLong.empty();
        }
    }

    private static void sign(FileChannel channel) throws IOException {
        byte[] number = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
        channel.truncate(0);
        channel.write(ByteBuffer.wrap(number), 0);
    }

    /** Lets go of it. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("lock could not be closed", e);
        } finally {
            OURS.remove(file);
        }
    }
}
