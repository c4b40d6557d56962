package org.computehive.access;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Follows a file of revocations that somebody else keeps, in a {@link RevocationRegister}'s form, and hands the list on
 * again and again. Thread-safe.
 *
 * <p>A list is as old as the file: whoever keeps it touches it while it is up to date. A file that can't be read, or is
 * damaged, gives no list, so that a {@link GatewayConfig#withFeedLimit feed limit} lets nobody in once the last one is too
 * old. A time more than a minute ahead of the gateway's clock lets nobody in either, until it has come or the file is
 * touched. A last line without an end is left for the next look.
 */
public final class RevocationFeed implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RevocationFeed.class);
    private static final int SIZE_LIMIT = 64 << 20;

    private final Path file;
    private final List<SshPublicKey> authorities;
    private final Consumer<KeyRevocationList> taker;
    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("computehive-revocations").factory());

    private RevocationFeed(Path file, List<SshPublicKey> authorities, Consumer<KeyRevocationList> taker) {
        this.file = file;
        this.authorities = List.copyOf(authorities);
        this.taker = taker;
    }

    /**
     * Begins to follow a file, and hands its list on before returning if it can be read.
     *
     * @param file lines of {@code serial N} and {@code key-id TEXT}; need not be there yet
     * @param authorities whose certificates are revoked, all that are trusted
     * @param every how long to wait between two looks
     * @param taker is handed each list; must not block for long
     */
    public static RevocationFeed follow(
            Path file, List<SshPublicKey> authorities, Duration every, Consumer<KeyRevocationList> taker) {
        var feed = new RevocationFeed(file, authorities, taker);
        feed.look();
        var unused = feed.looks.scheduleWithFixedDelay(
                feed::look, every.toMillis(), every.toMillis(), TimeUnit.MILLISECONDS);
        return feed;
    }

    private void look() {
        try {
            taker.accept(read());
        } catch (IOException | RuntimeException e) {
            LOG.warn("the revocations in {} can't be read: {}", file, e.toString());
        }
    }

    private KeyRevocationList read() throws IOException {
        // The time first: what is written in between makes the list newer than it says, never older.
        Instant made = Files.getLastModifiedTime(file).toInstant();
        if (Files.size(file) > SIZE_LIMIT) {
            throw new IOException("it has %d bytes, at most %d are expected".formatted(Files.size(file), SIZE_LIMIT));
        }
        String text = Files.readString(file, StandardCharsets.US_ASCII);
        Set<Long> serials = new TreeSet<>();
        Set<String> keyIds = new TreeSet<>();
        RevocationRegister.parse(text.substring(0, text.lastIndexOf('\n') + 1), serials, keyIds);
        return new KeyRevocationList(authorities, serials.size() + (long) keyIds.size(), made, serials, keyIds);
    }

    /** Stops looking. */
    @Override
    public void close() {
        looks.shutdownNow();
    }
}
