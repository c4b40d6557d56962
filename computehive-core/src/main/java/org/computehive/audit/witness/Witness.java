package org.computehive.audit.witness;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.computehive.audit.Anchored;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.Checkpoint;
import org.computehive.audit.NoteSigner;
import org.computehive.audit.Proofs;
import org.computehive.audit.VerifierKey;
import org.computehive.audit.WitnessKey;

/**
 * A witness of some logs: cosigns a checkpoint once a proof shows that it continues the one before.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>For one log it never cosigns two checkpoints that don't continue each other, nor a smaller one after a larger, also
 * across restarts: what it cosigned is durable before the cosignature leaves. Whoever loses a witness's folder must give the
 * witness a new key.
 *
 * <p>Thread-safe; one process has a folder.
 */
public final class Witness {
    private static final Pattern OLD = Pattern.compile("old (0|[1-9][0-9]{0,17})");
    private static final int MAX_HASHES = 63;
    private static final int MAX_BODY = 72 * 1024;

    private final NoteSigner key;
    private final Map<String, VerifierKey> logs;
    private final Path folder;
    private final InstantSource clock;

    /**
     * Creates one.
     *
     * @param key the witness's key, used for nothing else
     * @param logs the keys of the logs that it witnesses
     * @param folder where it keeps what it cosigned; must exist
     * @param clock the time
     */
    public Witness(NoteSigner key, List<VerifierKey> logs, Path folder, InstantSource clock) {
        this.key = key;
        this.logs = logs.stream().collect(Collectors.toMap(VerifierKey::name, Function.identity()));
        this.folder = folder;
        this.clock = clock;
    }

    /** Returns what others check its cosignatures with. */
    public WitnessKey witnessKey() {
        return new WitnessKey(key.name(), key.publicKey());
    }

    /**
     * The answer to a request.
     *
     * @param status as of HTTP: 200, 400, 403, 404, 409 or 422
     * @param body the cosignature's line for 200, the size that it cosigned last for 409, else why
     */
    public record Answer(int status, String body) {
        /** A cosignature. */
        static final int COSIGNED = 200;
        /** The proof begins at another size than was cosigned last, or the root differs. */
        static final int CONFLICT = 409;
    }

    /** What was cosigned last: 0 and no root if nothing was. */
    private record Last(long size, byte[] root) {}

    /**
     * Answers a request to {@code add-checkpoint}.
     *
     * @param body the request's body
     * @throws AuditLogException if it could not remember what it would have cosigned; it did not cosign then
     */
    public synchronized Answer addCheckpoint(String body) {
        int gap = body.indexOf("\n\n");
        if (gap < 0 || body.length() > MAX_BODY) {
            return new Answer(400, "the request is no old size, proof and checkpoint\n");
        }
        String note = body.substring(gap + 2);
        String origin = note.substring(0, Math.max(0, note.indexOf('\n')));
        VerifierKey log = logs.get(origin);
        if (log == null) {
            return new Answer(404, "this witness does not know the log\n");
        }
        Checkpoint checkpoint;
        try {
            checkpoint = Checkpoint.open(note, log);
        } catch (IllegalArgumentException e) {
            return new Answer(403, "the checkpoint is not signed by the log\n");
        }
        List<String> lines = body.substring(0, gap).lines().toList();
        var old = OLD.matcher(lines.getFirst());
        if (!old.matches() || lines.size() > 1 + MAX_HASHES) {
            return new Answer(400, "the old size or the proof is malformed\n");
        }
        List<byte[]> proof = new ArrayList<>();
        try {
            lines.stream().skip(1).map(Base64.getDecoder()::decode).forEach(proof::add);
        } catch (IllegalArgumentException e) {
            return new Answer(400, "the proof is malformed\n");
        }
        return answer(checkpoint, note, Long.parseLong(old.group(1)), proof);
    }

    private Answer answer(Checkpoint checkpoint, String note, long old, List<byte[]> proof) {
        Last last = last(checkpoint.origin());
        if (old > checkpoint.size()) {
            return new Answer(400, "the old size is larger than the checkpoint's\n");
        }
        if (old != last.size()
                || old == checkpoint.size() && old > 0 && !Arrays.equals(last.root(), checkpoint.root())) {
            return new Answer(Answer.CONFLICT, last.size() + "\n");
        }
        boolean proved = old == 0
                ? proof.isEmpty()
                : Proofs.provesConsistency(old, checkpoint.size(), last.root(), checkpoint.root(), proof);
        if (!proved) {
            return new Answer(422, "the checkpoint does not continue the one of size %d\n".formatted(old));
        }
        remember(checkpoint);
        return new Answer(Answer.COSIGNED, WitnessKey.cosign(note, key, clock.instant()));
    }

    private Path file(String origin) {
        return folder.resolve(HexFormat.of().formatHex(Anchored.originHash(origin)));
    }

    private Last last(String origin) {
        Path file = file(origin);
        if (!Files.exists(file)) {
            return new Last(0, new byte[0]);
        }
        try {
            String[] parts = Files.readString(file, US_ASCII).strip().split(" ", -1);
            if (parts.length != 2) {
                throw new IllegalArgumentException("it is not a size and a root");
            }
            return new Last(Long.parseLong(parts[0]), HexFormat.of().parseHex(parts[1]));
        } catch (IOException | IllegalArgumentException e) {
            throw new AuditLogException(
                    "witness file %s can't be used (%s): restore it, or give the witness a new key and folder"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    private void remember(Checkpoint checkpoint) {
        Path file = file(checkpoint.origin());
        Path draft = folder.resolve("new");
        String text = checkpoint.size() + " " + HexFormat.of().formatHex(checkpoint.root()) + "\n";
        try {
            try (FileChannel channel = FileChannel.open(
                    draft, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = UTF_8.encode(text);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
                channel.force(true);
            }
        } catch (IOException e) {
            throw new AuditLogException(
                    "witness file %s could not be written (%s): free space or mend the disk".formatted(file, e), e);
        }
    }
}
