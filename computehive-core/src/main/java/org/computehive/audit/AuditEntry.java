package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A leaf of the audit log: that something happened, when, and a salted commitment to what it was.
 *
 * <h2>Schema</h2>
 * One JSON object in ASCII in the canonical form of RFC 8785: members in this order, no whitespace, integers only. What
 * is not written exactly so is refused.
 *
 * <table>
 * <caption>Members</caption>
 * <tr><th>member</th><th>value</th></tr>
 * <tr><td>{@code commitment}</td><td>standard base64 of {@code SHA-256(salt || payload)}; the salt has 32 bytes</td></tr>
 * <tr><td>{@code n}</td><td>where the entry is an event of {@code rental}'s: its number, 0 to 2<sup>53</sup> - 1</td></tr>
 * <tr><td>{@code rental}</td><td>where the entry is about a rental: its id, 1 to 64 of {@code a-z 0-9 -}</td></tr>
 * <tr><td>{@code time}</td><td>UTC as {@link Instant#toString} writes it, years 0000 to 9999</td></tr>
 * <tr><td>{@code type}</td><td>what happened: 1 to 64 characters, words of {@code a-z 0-9} between single {@code .}, {@code -} or {@code _}</td></tr>
 * <tr><td>{@code v}</td><td>1</td></tr>
 * </table>
 *
 * <h2>Security guarantees</h2>
 * The log shows no payload: who has neither payload nor salt can't test a guess, and once the salt is erased nobody can.
 * Who has both can prove to anyone what was logged, and can't prove anything else.
 *
 * <p>Immutable and thread-safe.
 */
public final class AuditEntry {
    /** How many bytes a salt has. */
    public static final int SALT_BYTES = 32;

    private static final int MAX_BYTES = 512;
    private static final int MAX_WORD = 64;
    private static final long NO_NUMBER = -1;
    private static final long MAX_NUMBER = (1L << 53) - 1;
    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant END = Instant.parse("+10000-01-01T00:00:00Z");
    private static final Pattern TYPE = Pattern.compile("[a-z0-9]+([._-][a-z0-9]+)*");
    private static final Pattern SUBJECT = Pattern.compile("[a-z0-9-]+");
    private static final Pattern FORM = Pattern.compile("\\{\"commitment\":\"(?<commitment>[A-Za-z0-9+/]{43}=)\""
            + "((,\"n\":(?<n>0|[1-9][0-9]{0,15}))?,\"rental\":\"(?<rental>[a-z0-9-]{1,64})\")?"
            + ",\"time\":\"(?<time>[0-9TZ:.-]{20,30})\",\"type\":\"(?<type>[a-z0-9._-]{1,64})\",\"v\":1\\}");

    private final String type;
    private final @Nullable String rental;
    private final long number;
    private final Instant time;
    private final byte[] commitment;

    private AuditEntry(String type, @Nullable String rental, long number, Instant time, byte[] commitment) {
        this.type = word("type", type, TYPE);
        this.rental = rental == null ? null : word("rental", rental, SUBJECT);
        if (number < NO_NUMBER || number > MAX_NUMBER) {
            throw new IllegalArgumentException(
                    "audit entry number %d is out of range: 0 to %d".formatted(number, MAX_NUMBER));
        }
        if (time.isBefore(FIRST) || !time.isBefore(END)) {
            throw new IllegalArgumentException(
                    "audit entry time %s is out of range: years 0000 to 9999".formatted(time));
        }
        this.number = number;
        this.time = time;
        this.commitment = commitment;
    }

    private static String word(String what, String value, Pattern form) {
        if (value.length() > MAX_WORD || !form.matcher(value).matches()) {
            throw new IllegalArgumentException("audit entry %s %s must be 1 to %d characters of the form %s"
                    .formatted(what, Note.quote(value), MAX_WORD, form));
        }
        return value;
    }

    /** Returns a new salt; keep it beside the payload, and erase it to make the commitment say nothing for good. */
    public static byte[] newSalt() {
        byte[] salt = new byte[SALT_BYTES];
        new SecureRandom().nextBytes(salt);
        return salt;
    }

    /**
     * Commits to an event of a rental.
     *
     * @param type what happened, such as {@code rental.funded}
     * @param rental the rental's id
     * @param number the number of the rental's event, from 0
     * @param time when it happened
     * @param payload what happened in full; it stays outside of the log
     * @param salt from {@link #newSalt}, for this entry alone
     * @throws IllegalArgumentException if a value does not fit the schema
     */
    public static AuditEntry commit(
            String type, String rental, long number, Instant time, byte[] payload, byte[] salt) {
        if (number < 0) {
            throw new IllegalArgumentException(
                    "audit entry number %d is out of range: 0 to %d".formatted(number, MAX_NUMBER));
        }
        return new AuditEntry(type, Objects.requireNonNull(rental), number, time, commitment(payload, salt));
    }

    /**
     * Commits to what concerns a rental and is no event of it, such as a login at the gateway.
     *
     * @param type what happened, such as {@code access.accepted}
     * @param rental the rental's id
     * @param time when it happened
     * @param payload what happened in full; it stays outside of the log
     * @param salt from {@link #newSalt}, for this entry alone
     * @throws IllegalArgumentException if a value does not fit the schema
     */
    public static AuditEntry commit(String type, String rental, Instant time, byte[] payload, byte[] salt) {
        return new AuditEntry(type, Objects.requireNonNull(rental), NO_NUMBER, time, commitment(payload, salt));
    }

    /**
     * Commits to an event that is about no rental, such as the rotation of a key.
     *
     * @throws IllegalArgumentException if a value does not fit the schema
     */
    public static AuditEntry commit(String type, Instant time, byte[] payload, byte[] salt) {
        return new AuditEntry(type, null, NO_NUMBER, time, commitment(payload, salt));
    }

    private static byte[] commitment(byte[] payload, byte[] salt) {
        if (salt.length != SALT_BYTES) {
            throw new IllegalArgumentException("a salt has %d bytes, not %d".formatted(SALT_BYTES, salt.length));
        }
        MessageDigest sha256 = Hasher.sha256();
        sha256.update(salt);
        return sha256.digest(payload);
    }

    /**
     * Reads a leaf.
     *
     * @throws IllegalArgumentException if it is not exactly in the canonical form
     */
    public static AuditEntry parse(byte[] leaf) {
        if (leaf.length > MAX_BYTES) {
            throw new IllegalArgumentException(
                    "an audit entry of %d bytes is none: it has at most %d".formatted(leaf.length, MAX_BYTES));
        }
        String text = new String(leaf, UTF_8);
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw new IllegalArgumentException("%s is not a canonical audit entry".formatted(Note.quote(text)));
        }
        try {
            @Nullable String number = form.group("n");
            AuditEntry entry = new AuditEntry(
                    group(form, "type"),
                    form.group("rental"),
                    number == null ? NO_NUMBER : Long.parseLong(number),
                    Instant.parse(group(form, "time")),
                    Note.base64(group(form, "commitment")));
            if (!entry.text().equals(text)) {
                throw new IllegalArgumentException("%s is not a canonical audit entry".formatted(Note.quote(text)));
            }
            return entry;
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("%s has no valid time".formatted(Note.quote(text)), e);
        }
    }

    private static String group(Matcher form, String name) {
        return Objects.requireNonNull(form.group(name));
    }

    /** Returns the leaf's bytes. */
    public byte[] bytes() {
        return text().getBytes(UTF_8);
    }

    private String text() {
        String event = number == NO_NUMBER ? "" : ",\"n\":" + number;
        String subject = rental == null ? "" : event + ",\"rental\":\"" + rental + "\"";
        return "{\"commitment\":\"" + Base64.getEncoder().encodeToString(commitment) + "\"" + subject + ",\"time\":\""
                + time + "\",\"type\":\"" + type + "\",\"v\":1}";
    }

    /** Returns whether the entry committed to a payload with a salt. */
    public boolean matches(byte[] payload, byte[] salt) {
        return salt.length == SALT_BYTES && MessageDigest.isEqual(commitment, commitment(payload, salt));
    }

    /** Returns what happened. */
    public String type() {
        return type;
    }

    /** Returns the rental's id, if the entry is about one. */
    public Optional<String> rental() {
        return Optional.ofNullable(rental);
    }

    /** Returns the number of the rental's event, if the entry is one. */
    public OptionalLong number() {
        return number == NO_NUMBER ? OptionalLong.empty() : OptionalLong.of(number);
    }

    /** Returns when it happened. */
    public Instant time() {
        return time;
    }

    /** Returns the leaf's text. */
    @Override
    public String toString() {
        return text();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AuditEntry that && text().equals(that.text());
    }

    @Override
    public int hashCode() {
        return text().hashCode();
    }
}
