package org.computehive.rental;

import java.util.List;
import java.util.Objects;

/**
 * What a confidential guest shows of itself. It travels through the lender's host: nothing in it is true before it was
 * verified.
 *
 * @param hostKey the public part of the SSH host key that the guest made, one line in OpenSSH's format
 * @param releaseKey the public part of the X25519 key that the guest made for its {@link GuestRelease}, 32 bytes in base64
 * @param documents what hardware signed about it
 */
public record Evidence(String hostKey, String releaseKey, List<Document> documents) {
    /** How many documents are looked at. */
    public static final int MOST_DOCUMENTS = 32;

    private static final int LONGEST_LINE = 4096;

    /** Checks the sizes and copies the list. */
    public Evidence {
        if (hostKey.length() > LONGEST_LINE || releaseKey.length() > LONGEST_LINE) {
            throw new IllegalArgumentException("a key of evidence has more than %d characters".formatted(LONGEST_LINE));
        }
        if (documents.size() > MOST_DOCUMENTS) {
            throw new IllegalArgumentException(
                    "evidence has %d documents: at most %d".formatted(documents.size(), MOST_DOCUMENTS));
        }
        documents = List.copyOf(documents);
    }

    /**
     * Something that hardware signed.
     *
     * @param kind its format: {@code sev-snp}, {@code tdx} or {@code nvidia-gpu}
     * @param body the document in base64, or a token's text as it is
     * @param certificates the certificates it can be verified by, X.509 (DER) in base64, the signer's first
     */
    public record Document(String kind, String body, List<String> certificates) {
        private static final int LONGEST = 65_536;
        private static final int MOST_CERTIFICATES = 8;

        /** Checks the sizes and copies the list. */
        public Document {
            Objects.requireNonNull(kind, "kind");
            if (body.length() > LONGEST || certificates.stream().anyMatch(one -> one.length() > LONGEST)) {
                throw new IllegalArgumentException(
                        "a document of evidence is longer than %d characters".formatted(LONGEST));
            }
            if (certificates.size() > MOST_CERTIFICATES) {
                throw new IllegalArgumentException("a document of evidence has %d certificates: at most %d"
                        .formatted(certificates.size(), MOST_CERTIFICATES));
            }
            certificates = List.copyOf(certificates);
        }
    }
}
