package org.computehive.server.platform;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.computehive.audit.Anchoring;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.witness.Cosigning;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has an audit log cosigned by witnesses and anchored, again and again, on a thread for each. A failure is logged, and
 * tried again at the next turn; an anchor that the log does not continue is logged as an error at each. Thread-safe.
 */
public final class AuditUpkeep implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AuditUpkeep.class);
    private static final int THREADS = 2;

    private final FileAuditLog log;
    private final ScheduledExecutorService turns = Executors.newScheduledThreadPool(
            THREADS,
            Thread.ofPlatform().daemon().name("computehive-audit-upkeep-", 0).factory());

    /** Does nothing yet. */
    public AuditUpkeep(FileAuditLog log) {
        this.log = log;
    }

    /**
     * Has the newest checkpoint cosigned and published, at once and again and again.
     *
     * @param cosigning whom to ask
     * @param every how long to wait in between
     */
    public void cosign(Cosigning cosigning, Duration every) {
        var turn = new Runnable() {
            private String last = "";

            @Override
            public void run() {
                try {
                    String checkpoint = log.checkpoint();
                    if (!checkpoint.equals(last)) {
                        log.publishCosigned(cosigning.cosign());
                        last = checkpoint;
                    }
                } catch (AuditLogException e) {
                    LOG.warn("the audit log is not cosigned: {}", e.getMessage());
                } catch (RuntimeException e) {
                    LOG.error("the audit log is not cosigned", e);
                }
            }
        };
        schedule(turn, every);
    }

    /**
     * Holds the log against its anchors and anchors it, at once and again and again.
     *
     * @param anchoring where
     * @param every how long to wait in between
     */
    public void anchor(Anchoring anchoring, Duration every) {
        schedule(
                () -> {
                    try {
                        anchoring
                                .anchor()
                                .ifPresent(anchored -> LOG.atInfo()
                                        .addKeyValue("size", anchored.size())
                                        .log("the audit log is anchored"));
                    } catch (AuditLogException e) {
                        LOG.warn("the audit log is not anchored: {}", e.getMessage());
                    } catch (RuntimeException e) {
                        LOG.error("the audit log is not anchored: {}", e.getMessage(), e);
                    }
                },
                every);
    }

    private void schedule(Runnable turn, Duration every) {
        var unused = turns.scheduleWithFixedDelay(turn, 0, every.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Stops; what is under way is interrupted and waited for a while, so that the log can be closed. */
    @Override
    public void close() {
        turns.shutdownNow();
        try {
            if (!turns.awaitTermination(10, TimeUnit.SECONDS)) {
                LOG.warn("cosigning or anchoring did not end in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
