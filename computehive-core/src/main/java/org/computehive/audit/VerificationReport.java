package org.computehive.audit;

import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a {@link Verifier} found.
 *
 * @param checkpoint what the log's key signed, if that could be read
 * @param findings everything that was looked at, in order
 */
public record VerificationReport(Optional<Checkpoint> checkpoint, List<Finding> findings) {
    /** Copies the findings. */
    public VerificationReport {
        findings = List.copyOf(findings);
    }

    /** Returns whether nothing fails. */
    public boolean holds() {
        return failures().isEmpty();
    }

    /** Returns what fails. */
    public List<Finding.Fails> failures() {
        return findings.stream()
                .filter(Finding.Fails.class::isInstance)
                .map(Finding.Fails.class::cast)
                .toList();
    }

    /** One thing that was looked at. */
    public sealed interface Finding {
        /**
         * It is as the signed checkpoint says.
         *
         * @param what in words
         */
        record Holds(String what) implements Finding {}

        /**
         * It is not.
         *
         * @param file the file at fault, below the log's folder
         * @param index the entry at fault, where it is one entry
         * @param why in words
         */
        record Fails(String file, OptionalLong index, String why) implements Finding {}

        /**
         * No signature covers it, so nothing can be said of it and nobody should rely on it.
         *
         * @param file below the log's folder
         * @param why in words
         */
        record Unjudged(String file, String why) implements Finding {}
    }
}
