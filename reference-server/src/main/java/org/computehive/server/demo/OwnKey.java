package org.computehive.server.demo;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.computehive.access.AccessException;
import org.computehive.access.SshPublicKey;

/** Reads the public key that a renter brings along. */
final class OwnKey {
    private static final int LIMIT = 64 * 1024;

    private OwnKey() {}

    /** Returns the key in a file; the failure says what is wrong with it and never repeats it. */
    static SshPublicKey read(Path file) {
        try (var in = Files.newInputStream(file)) {
            return SshPublicKey.parse(new String(in.readNBytes(LIMIT), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new DemoFailure("--public-key can't be read: " + Complaint.of(e));
        } catch (AccessException.KeyRefused e) {
            throw new DemoFailure("--public-key %s: %s".formatted(file, e.getMessage()));
        }
    }
}
