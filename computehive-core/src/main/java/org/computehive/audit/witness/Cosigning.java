package org.computehive.audit.witness;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.computehive.audit.AuditLog;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.Quorum;
import org.computehive.audit.VerifierKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has a log's checkpoints cosigned by k of n witnesses. Thread-safe. */
public final class Cosigning {
    private static final Logger LOG = LoggerFactory.getLogger(Cosigning.class);

    private final AuditLog log;
    private final VerifierKey key;
    private final List<WitnessClient> witnesses;
    private final Quorum quorum;

    /**
     * Creates one.
     *
     * @param log the log
     * @param key its key
     * @param witnesses whom to ask
     * @param needed how many must cosign
     */
    public Cosigning(AuditLog log, VerifierKey key, List<WitnessClient> witnesses, int needed) {
        this.log = log;
        this.key = key;
        this.witnesses = List.copyOf(witnesses);
        this.quorum =
                new Quorum(needed, witnesses.stream().map(WitnessClient::key).toList());
    }

    /** Returns who must have cosigned. */
    public Quorum quorum() {
        return quorum;
    }

    /**
     * Has the newest checkpoint cosigned, by all witnesses at once.
     *
     * @return it with every cosignature that came
     * @throws AuditLogException if fewer witnesses than needed cosigned; the message says what the others answered
     */
    public String cosign() {
        String note = log.checkpoint();
        var cosigned = new StringBuilder(note);
        List<String> failures = new ArrayList<>();
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<String>> lines = witnesses.stream()
                    .map(witness -> threads.submit(() -> witness.cosign(log, key, note)))
                    .toList();
            for (Future<String> line : lines) {
                try {
                    cosigned.append(line.get());
                } catch (ExecutionException e) {
                    LOG.warn("{}", String.valueOf(e.getCause()));
                    failures.add(String.valueOf(
                            e.getCause() == null ? e : e.getCause().getMessage()));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new AuditLogException("interrupted while witnesses were asked", e);
                }
            }
        }
        if (witnesses.size() - failures.size() < quorum.needed()) {
            throw new AuditLogException(
                    "%d of %d needed witnesses cosigned: %s. Try again; if one knows a larger log or another, look into it first"
                            .formatted(
                                    witnesses.size() - failures.size(), quorum.needed(), String.join("; ", failures)),
                    null);
        }
        return cosigned.toString();
    }
}
