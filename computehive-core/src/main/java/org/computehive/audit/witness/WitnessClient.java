package org.computehive.audit.witness;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;
import org.computehive.audit.AuditLog;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.Checkpoint;
import org.computehive.audit.VerifierKey;
import org.computehive.audit.WitnessKey;

/**
 * Asks one witness for cosignatures (C2SP tlog-witness). Thread-safe.
 *
 * <p>It follows no redirect, and believes nothing but a cosignature that fits.
 */
public final class WitnessClient {
    private static final Pattern SIZE = Pattern.compile("(0|[1-9][0-9]{0,17})\n");
    private static final int MAX_ANSWER = 16 * 1024;

    private final WitnessKey key;
    private final URI address;
    private final Duration limit;
    private final HttpClient http;
    private long last;

    /**
     * Creates one.
     *
     * @param key the witness's key
     * @param prefix its submission prefix, such as {@code https://witness.example.org}
     * @param limit how long it may take to answer
     */
    public WitnessClient(WitnessKey key, URI prefix, Duration limit) {
        this.key = key;
        this.address = URI.create(prefix.toString().replaceAll("/+$", "") + "/add-checkpoint");
        this.limit = limit;
        this.http = HttpClient.newBuilder().connectTimeout(limit).build();
    }

    /** Returns the witness's key. */
    public WitnessKey key() {
        return key;
    }

    /**
     * Has a checkpoint cosigned.
     *
     * @param log the log, for proofs
     * @param logKey the log's key
     * @param note a signed checkpoint of its
     * @return the cosignature's line, its newline included
     * @throws AuditLogException if the witness is not reached or does not cosign; the message says why. That it knows a
     *     larger log, or another of the same size, means that the log was cut or rewritten
     */
    public synchronized String cosign(AuditLog log, VerifierKey logKey, String note) {
        long size = Checkpoint.open(note, logKey).size();
        HttpResponse<InputStream> response = ask(log, note, Math.min(last, size), size);
        String answer = read(response);
        if (response.statusCode() == Witness.Answer.CONFLICT) {
            var known = SIZE.matcher(answer);
            long theirs = known.matches() ? Long.parseLong(known.group(1)) : -1;
            if (theirs < 0 || theirs > size || theirs == last) {
                throw failed("it cosigned size %s, and this log has %d entries: was the log cut or rewritten?"
                        .formatted(answer.strip(), size));
            }
            last = theirs;
            response = ask(log, note, theirs, size);
            answer = read(response);
        }
        if (response.statusCode() != Witness.Answer.COSIGNED) {
            throw failed("it answered %d (%s)".formatted(response.statusCode(), shown(answer)));
        }
        try {
            if (key.cosigned(note + answer).isEmpty()) {
                throw failed("its answer holds no cosignature of its key");
            }
        } catch (IllegalArgumentException e) {
            throw failed("its cosignature does not fit");
        }
        last = size;
        return answer;
    }

    private HttpResponse<InputStream> ask(AuditLog log, String note, long old, long size) {
        var body = new StringBuilder("old " + old + "\n");
        List<byte[]> proof = old == 0 || old == size ? List.of() : log.consistencyProof(old, size);
        proof.forEach(
                hash -> body.append(Base64.getEncoder().encodeToString(hash)).append('\n'));
        body.append('\n').append(note);
        try {
            return http.send(
                    HttpRequest.newBuilder(address)
                            .timeout(limit)
                            .POST(HttpRequest.BodyPublishers.ofString(body.toString(), UTF_8))
                            .build(),
                    HttpResponse.BodyHandlers.ofInputStream());
        } catch (IOException e) {
            throw failed(e.toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failed("interrupted");
        }
    }

    private String read(HttpResponse<InputStream> response) {
        try (InputStream in = response.body()) {
            return new String(in.readNBytes(MAX_ANSWER), UTF_8);
        } catch (IOException e) {
            throw failed(e.toString());
        }
    }

    private static String shown(String text) {
        return text.strip()
                .replaceAll("[^ -~]", "?")
                .substring(0, Math.min(80, text.strip().length()));
    }

    private AuditLogException failed(String why) {
        return new AuditLogException("witness %s did not cosign: %s".formatted(key.name(), why), null);
    }
}
