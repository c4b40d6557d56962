package org.computehive.audit;

import java.util.List;

/**
 * Which witnesses must have cosigned a checkpoint: {@code needed} of {@code witnesses}.
 *
 * <p>Immutable and thread-safe.
 *
 * @param needed how many of them; 0 asks for none
 * @param witnesses their keys
 */
public record Quorum(int needed, List<WitnessKey> witnesses) {
    /** Asks for no witness. */
    public static final Quorum NONE = new Quorum(0, List.of());

    /**
     * Copies the keys.
     *
     * @throws IllegalArgumentException if there are fewer witnesses than needed, or one twice
     */
    public Quorum {
        witnesses = List.copyOf(witnesses);
        if (needed < 0
                || needed > witnesses.size()
                || witnesses.stream().distinct().count() != witnesses.size()) {
            throw new IllegalArgumentException(
                    "%d of %d witnesses can't be asked for: name at least as many as are needed, each once"
                            .formatted(needed, witnesses.size()));
        }
    }

    /**
     * Checks a checkpoint's cosignatures; those of others are ignored.
     *
     * @return the names of the witnesses who cosigned it
     * @throws IllegalArgumentException if fewer than needed did, or one's cosignature does not fit
     */
    public List<String> check(String note) {
        List<String> cosigned = witnesses.stream()
                .filter(witness -> witness.cosigned(note).isPresent())
                .map(WitnessKey::name)
                .toList();
        if (cosigned.size() < needed) {
            throw new IllegalArgumentException("%d of %d needed witnesses cosigned the checkpoint: %s"
                    .formatted(cosigned.size(), needed, cosigned));
        }
        return cosigned;
    }
}
