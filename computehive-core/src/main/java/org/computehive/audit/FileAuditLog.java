package org.computehive.audit;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An audit log in a folder, whose published files any C2SP tlog-tiles reader can check.
 *
 * <pre>
 * checkpoint                 the newest published checkpoint (C2SP tlog-checkpoint)
 * checkpoint.cosigned        the newest that witnesses cosigned (C2SP tlog-cosignature), if any did
 * tile/&lt;L&gt;/&lt;N&gt;[.p/&lt;W&gt;]       hash tiles
 * tile/entries/&lt;N&gt;[.p/&lt;W&gt;]   entry bundles
 * private/                   the write-ahead files and the lock; not to be served
 * </pre>
 *
 * <h2>Guarantees</h2>
 * Entries and the checkpoint over them reach the disk under one {@code fdatasync} per batch, and only then does
 * {@link #append} return. After a crash at any instant every acknowledged entry is there and a torn tail is not. The
 * published files follow within about {@link #PUBLISH_EVERY}, at {@link #publish} and at {@link #close}. A folder has one
 * writer at a time; a second is refused.
 *
 * <p>Thread-safe. Keeps 64 bytes of heap per entry.
 */
public final class FileAuditLog implements AuditLog {
    /** The shortest time between two publications that nobody asked for. */
    public static final Duration PUBLISH_EVERY = Duration.ofMillis(200);

    private static final Logger LOG = LoggerFactory.getLogger(FileAuditLog.class);
    private static final long MAX_BATCH_BYTES = 4 << 20;
    private final LogFolder folder;
    private final Committer committer;
    private final Thread commits;
    private final Thread publishes;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition queued = lock.newCondition();
    private final Condition publishable = lock.newCondition();
    private List<Pending> queue = new ArrayList<>();
    private List<CompletableFuture<Void>> awaitingPublication = new ArrayList<>();
    private boolean closing;
    private boolean commitsEnded;

    private final String origin;
    private final VerifierKey key;

    /** Entries whose appender waits for the first one's index. */
    private record Pending(List<byte[]> entries, CompletableFuture<Long> index) {
        long bytes() {
            return entries.stream().mapToLong(entry -> entry.length).sum();
        }
    }

    private FileAuditLog(LogFolder folder, VerifierKey key) {
        this.folder = folder;
        this.origin = key.name();
        this.key = key;
        this.committer = folder.committer();
        commits = new Thread(this::commitUntilClosed, "audit-commit");
        publishes = new Thread(this::publishUntilClosed, "audit-publish");
        commits.setDaemon(true);
        publishes.setDaemon(true);
    }

    /**
     * Opens the log of a folder, or begins one if the folder is empty or missing.
     *
     * @param folder the log's folder
     * @param key signs the checkpoints; its name is the log's origin
     * @throws AuditLogException if the folder is in use, can't be written, was damaged, lost acknowledged entries, or
     *     belongs to another key
     */
    public static FileAuditLog open(Path folder, NoteSigner key) {
        return open(folder, key, SegmentFiles.DISK, LogFolder.SEGMENT_BYTES);
    }

    static FileAuditLog open(Path folder, NoteSigner key, SegmentFiles files, long segmentBytes) {
        FileAuditLog log = new FileAuditLog(LogFolder.open(folder, key, files, segmentBytes), key.verifierKey());
        log.commits.start();
        log.publishes.start();
        return log;
    }

    @Override
    public long append(byte[] entry) {
        return append(List.of(entry));
    }

    @Override
    public long append(List<byte[]> entries) {
        CompletableFuture<Long> index = new CompletableFuture<>();
        List<byte[]> copies =
                entries.stream().map(entry -> LogRanges.entry(entry).clone()).toList();
        lock.lock();
        try {
            checkOpen();
            if (copies.isEmpty()) {
                return size();
            }
            queue.add(new Pending(copies, index));
            queued.signal();
        } finally {
            lock.unlock();
        }
        return await(index);
    }

    private void checkOpen() {
        if (closing) {
            throw new AuditLogException("audit log %s is closed: open it again".formatted(folder), null);
        }
    }

    /** Waits even if interrupted: an appender must learn what became of its entry. */
    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause();
            throw new AuditLogException(String.valueOf(cause == null ? e : cause.getMessage()), cause);
        }
    }

    private void commitUntilClosed() {
        List<Pending> batch = nextBatch();
        while (!batch.isEmpty()) {
            commit(batch);
            batch = nextBatch();
        }
    }

    /** Waits for entries; returns none once the log is closing and all were taken. */
    private List<Pending> nextBatch() {
        lock.lock();
        try {
            while (queue.isEmpty() && !closing) {
                queued.awaitUninterruptibly();
            }
            long bytes = 0;
            int count = 0;
            while (count < queue.size() && bytes < MAX_BATCH_BYTES) {
                bytes += queue.get(count++).bytes();
            }
            List<Pending> batch = queue;
            if (count == queue.size()) {
                queue = new ArrayList<>();
            } else {
                batch = new ArrayList<>(queue.subList(0, count));
                queue.subList(0, count).clear();
            }
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private void commit(List<Pending> batch) {
        long first;
        try {
            first = committer.commit(batch.stream()
                    .flatMap(pending -> pending.entries().stream())
                    .toList());
        } catch (RuntimeException | Error e) {
            LOG.error("{} appends to the audit log were refused: {}", batch.size(), e.toString());
            batch.forEach(pending -> pending.index().completeExceptionally(e));
            return;
        }
        long index = first;
        for (Pending pending : batch) {
            pending.index().complete(index);
            index += pending.entries().size();
        }
        lock.lock();
        try {
            publishable.signal();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Brings the published files up to at least what is durable now, and returns.
     *
     * @throws AuditLogException if they could not be written; nothing acknowledged is lost, and it is tried again
     */
    public void publish() {
        CompletableFuture<Void> done = new CompletableFuture<>();
        lock.lock();
        try {
            checkOpen();
            awaitingPublication.add(done);
            publishable.signal();
        } finally {
            lock.unlock();
        }
        await(done);
    }

    /**
     * Publishes a checkpoint of this log with its witnesses' cosignatures, durably.
     *
     * @param note the cosigned checkpoint
     * @throws IllegalArgumentException if it is no checkpoint of this log's
     * @throws AuditLogException if it could not be written
     */
    public void publishCosigned(String note) {
        Checkpoint checkpoint = Checkpoint.open(note, key);
        LogRanges.treeSize(checkpoint.size(), size());
        if (!Arrays.equals(checkpoint.root(), committer.tree().root(checkpoint.size()))) {
            throw new IllegalArgumentException("%s is not what this log was then".formatted(checkpoint));
        }
        try {
            folder.publishCosigned(note);
        } catch (IOException e) {
            throw new AuditLogException(
                    "the cosigned checkpoint of audit log %s could not be written (%s): free space or mend the disk, then try again"
                            .formatted(folder, e.getMessage()),
                    e);
        }
    }

    private void publishUntilClosed() {
        boolean ended = false;
        while (!ended) {
            List<CompletableFuture<Void>> waiting;
            lock.lock();
            try {
                while (!commitsEnded && awaitingPublication.isEmpty() && !folder.isPublishable()) {
                    publishable.awaitUninterruptibly();
                }
                ended = commitsEnded;
                waiting = awaitingPublication;
                awaitingPublication = new ArrayList<>();
            } finally {
                lock.unlock();
            }
            publishOnce(waiting);
            rest();
        }
    }

    private void publishOnce(List<CompletableFuture<Void>> waiting) {
        try {
            folder.publish();
            waiting.forEach(done -> done.complete(null));
        } catch (IOException | RuntimeException e) {
            LOG.error("The audit log's published files could not be brought up to date: {}", e.toString());
            AuditLogException failure = new AuditLogException(
                    "the published files of audit log %s could not be written (%s): free space or mend the disk; nothing is lost"
                            .formatted(folder, e.getMessage()),
                    e);
            waiting.forEach(done -> done.completeExceptionally(failure));
        }
    }

    /** Lets appends gather, unless somebody waits. */
    private void rest() {
        long deadline = System.nanoTime() + PUBLISH_EVERY.toNanos();
        lock.lock();
        try {
            long left = PUBLISH_EVERY.toNanos();
            while (left > 0 && !closing && awaitingPublication.isEmpty()) {
                publishable.await(left, TimeUnit.NANOSECONDS);
                left = deadline - System.nanoTime();
            }
        } catch (InterruptedException e) {
            LOG.debug("Nobody interrupts this thread; go on", e);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public String origin() {
        return origin;
    }

    @Override
    public long size() {
        return committer.size();
    }

    @Override
    public List<byte[]> entries(long from, long to) {
        LogRanges.range(from, to, size());
        return folder.entries(from, to).stream().map(byte[]::clone).toList();
    }

    @Override
    public String checkpoint() {
        return committer.checkpoint();
    }

    @Override
    public List<byte[]> inclusionProof(long index, long treeSize) {
        LogRanges.treeSize(treeSize, size());
        return committer.tree().inclusionProof(index, treeSize);
    }

    @Override
    public List<byte[]> consistencyProof(long first, long second) {
        LogRanges.treeSize(second, size());
        return committer.tree().consistencyProof(first, second);
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closing) {
                return;
            }
            closing = true;
            queued.signal();
            publishable.signal();
        } finally {
            lock.unlock();
        }
        join(commits);
        lock.lock();
        try {
            commitsEnded = true;
            publishable.signal();
        } finally {
            lock.unlock();
        }
        join(publishes);
        folder.close();
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
