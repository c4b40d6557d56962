package org.computehive.rental;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.Optional;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;

/**
 * Names a rental, and with it everything made for it: the VM, the certificate's key id, the escrow's record and the
 * audit entries.
 *
 * <p>Immutable and thread-safe.
 *
 * @param value 26 characters of Crockford's base32 in lower case; a valid DNS label
 */
public record RentalId(String value) implements Comparable<RentalId> {
    private static final String ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
    private static final String PRINCIPAL = "rental-";
    private static final int LENGTH = 26;
    private static final int TIME_LENGTH = 10;
    private static final int BITS = 5;
    private static final Pattern FORM = Pattern.compile("[" + ALPHABET + "]{" + LENGTH + "}");
    private static final SecureRandom RANDOM = new SecureRandom();

    /**
     * Checks the form.
     *
     * @throws IllegalArgumentException if {@code value} is not 26 characters of the alphabet
     */
    public RentalId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("not a rental id: %d characters of %s are expected, %d characters came"
                    .formatted(LENGTH, ALPHABET, value.length()));
        }
    }

    /** Returns a new id that nobody can guess: 130 random bits. */
    public static RentalId random() {
        return random(RANDOM);
    }

    /**
     * Returns a new id that nobody can guess, in the form of a ULID: the time in milliseconds, then 80 random bits. What comes
     * later is sorted later, to the millisecond; so an index of a database grows at its end, instead of everywhere.
     */
    public static RentalId at(Instant now) {
        var text = new StringBuilder(LENGTH);
        for (int i = TIME_LENGTH - 1; i >= 0; i--) {
            text.append(ALPHABET.charAt((int) (now.toEpochMilli() >>> (BITS * i)) & (ALPHABET.length() - 1)));
        }
        return new RentalId(append(text, RANDOM));
    }

    /** Returns an id by another source of randomness, so that a simulation can be repeated. */
    static RentalId random(RandomGenerator random) {
        return new RentalId(append(new StringBuilder(LENGTH), random));
    }

    private static String append(StringBuilder text, RandomGenerator random) {
        while (text.length() < LENGTH) {
            text.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        return text.toString();
    }

    /** Returns the one SSH principal that enters this rental's session: {@code rental-} and the id. */
    public String principal() {
        return PRINCIPAL + value;
    }

    /** Returns the rental that a principal enters; empty if it is no such principal. */
    static Optional<RentalId> ofPrincipal(String principal) {
        String value = principal.startsWith(PRINCIPAL) ? principal.substring(PRINCIPAL.length()) : "";
        return FORM.matcher(value).matches() ? Optional.of(new RentalId(value)) : Optional.empty();
    }

    /** Returns the name of this rental's VM: {@code ch-} and the id. */
    public String vmName() {
        return "ch-" + value;
    }

    @Override
    public int compareTo(RentalId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
