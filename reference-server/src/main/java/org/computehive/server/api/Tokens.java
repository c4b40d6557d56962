package org.computehive.server.api;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.computehive.market.Account;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalJson;
import org.computehive.server.config.Folders;
import org.computehive.server.config.ReferencePlatform;

/**
 * The bearer tokens that are accepted (RFC 6750): 256 random bits each, of which only SHA-256 digests are kept. A digest's
 * beginning names its token.
 *
 * <p>The first start makes one per role and writes each once, as a request header that {@code curl -H @FILE} takes, to
 * a file of its own in the folder {@code tokens}, for this user alone; those files may be moved away. They count until they
 * are revoked; every token that is made later ends by itself too. Thread-safe.
 */
@Singleton
public final class Tokens {
    private static final int MOST = 10_000;
    private static final int TOKEN_BYTES = 32;
    private static final int ID_LENGTH = 16;
    /** How long a token counts for which nobody said so. */
    static final Duration USUAL_LIFE = Duration.ofDays(90);

    static final Duration LONGEST_LIFE = Duration.ofDays(366);
    /** What was kept before tokens ended by themselves. */
    private static final Map<String, ?> SINCE_EXPIRY = Map.of("expiring", List.of());

    private final Path file;
    private final InstantSource clock;
    private final SecureRandom random = new SecureRandom();
    /** Those of the first start first; some may have ended. */
    private volatile List<Token> known;

    /** A first token's digest and what it stands for. */
    record Known(String sha256, Account account, Role role) {}

    /** A later token's, and from when on it is worth nothing. */
    record Expiring(String sha256, Account account, Role role, Instant expires) {}

    /** The file's form. */
    record Document(List<Known> tokens, List<Expiring> expiring) {
        static Document of(List<Token> all) {
            var tokens = new ArrayList<Known>();
            var expiring = new ArrayList<Expiring>();
            for (Token each : all) {
                each.expires()
                        .ifPresentOrElse(
                                end -> expiring.add(new Expiring(each.sha256(), each.account(), each.role(), end)),
                                () -> tokens.add(new Known(each.sha256(), each.account(), each.role())));
            }
            return new Document(tokens, expiring);
        }

        List<Token> all() {
            var all = new ArrayList<Token>();
            tokens.forEach(each -> all.add(new Token(each.sha256(), each.account(), each.role(), Optional.empty())));
            expiring.forEach(each ->
                    all.add(new Token(each.sha256(), each.account(), each.role(), Optional.of(each.expires()))));
            return List.copyOf(all);
        }
    }

    /** What is known of a token, which is not the token. */
    record Token(String sha256, Account account, Role role, Optional<Instant> expires) {
        static Token of(String secret, Account account, Role role, Optional<Instant> expires) {
            return new Token(HexFormat.of().formatHex(digest(secret)), account, role, expires);
        }

        String id() {
            return sha256.substring(0, ID_LENGTH);
        }

        boolean countsAt(Instant now) {
            return expires.isEmpty() || now.isBefore(expires.get());
        }
    }

    /**
     * A token that was just made.
     *
     * @param secret shown this once
     */
    record Made(String secret, Token token) {
        @Override
        public String toString() {
            return token.toString();
        }
    }

    @Inject
    Tokens(ReferencePlatform platform) {
        this(platform.folders(), first(platform), InstantSource.system());
    }

    Tokens(Folders folders, Map<Role, Account> first, InstantSource clock) {
        this.file = folders.tokenDigests();
        this.clock = clock;
        if (Files.exists(file)) {
            known = read();
            return;
        }
        var made = new ArrayList<Token>();
        first.forEach((role, account) -> made.add(writeHeader(folders.tokens(), role, account)));
        // Last, and at once: a start that was cut off before makes them all anew.
        known = List.copyOf(made);
        write(known);
    }

    private static Map<Role, Account> first(ReferencePlatform platform) {
        var first = new EnumMap<Role, Account>(Role.class);
        first.put(Role.LENDER, platform.lender());
        platform.renter().ifPresent(renter -> first.put(Role.RENTER, renter));
        first.put(Role.OPERATOR, platform.operator());
        first.put(Role.AUDITOR, Account.ZERO);
        return first;
    }

    private List<Token> read() {
        try {
            String text = Files.readString(file);
            Document document = text.contains("\"expiring\"")
                    ? RentalJson.read(Document.class, text)
                    : RentalJson.readOlder(Document.class, text, SINCE_EXPIRY);
            return document.all();
        } catch (IOException e) {
            throw new UncheckedIOException("the token digests in %s can't be read".formatted(file), e);
        }
    }

    private Token writeHeader(Path folder, Role role, Account account) {
        Path header = folder.resolve(role.name().toLowerCase(Locale.ROOT));
        String token = fresh();
        String text = "Authorization: Bearer " + token + "\n";
        try {
            Files.deleteIfExists(header);
            Files.createFile(header, ownerOnly());
            Files.writeString(header, text);
            return Token.of(token, account, role, Optional.empty());
        } catch (IOException e) {
            throw new UncheckedIOException("the %s's token can't be written to %s".formatted(role, header), e);
        }
    }

    /**
     * Makes a token; only its digest is kept.
     *
     * @param expires from when on it is worth nothing; {@link #USUAL_LIFE} from now if empty
     * @throws IllegalArgumentException if that is over, or later than {@link #LONGEST_LIFE} from now
     */
    synchronized Made make(Account account, Role role, Optional<Instant> expires) {
        Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
        Instant until = expires.orElse(now.plus(USUAL_LIFE));
        if (!until.isAfter(now) || until.isAfter(now.plus(LONGEST_LIFE))) {
            throw new IllegalArgumentException("a token that expires at %s can't be made: choose a time until %s"
                    .formatted(until, now.plus(LONGEST_LIFE)));
        }
        List<Token> all = at(now);
        if (all.size() >= MOST) {
            throw new IllegalStateException(
                    "there are %d tokens already, the most there can be: revoke some".formatted(MOST));
        }
        String secret = fresh();
        Token made = Token.of(secret, account, role, Optional.of(until));
        keep(Stream.concat(all.stream(), Stream.of(made)).toList());
        return new Made(secret, made);
    }

    /** Returns the tokens that count now, those of the first start first. */
    List<Token> all() {
        return at(clock.instant());
    }

    private List<Token> at(Instant now) {
        return known.stream().filter(each -> each.countsAt(now)).toList();
    }

    /**
     * Makes a token worth nothing, durably, before it returns.
     *
     * @param id the token's {@link Token#id}
     * @return whether there was one
     * @throws RentalException.WrongState if it is the last one of an operator's: nobody could make another
     */
    synchronized boolean revoke(String id) {
        List<Token> all = all();
        Optional<Token> token =
                all.stream().filter(each -> each.id().equals(id)).findFirst();
        if (token.isEmpty()) {
            return false;
        }
        long operators =
                all.stream().filter(each -> each.role() == Role.OPERATOR).count();
        if (token.get().role() == Role.OPERATOR && operators == 1) {
            throw new RentalException.WrongState(
                    "token %s is the last of an operator's, who alone can make tokens: make another first"
                            .formatted(id));
        }
        keep(all.stream().filter(each -> !each.equals(token.get())).toList());
        return true;
    }

    private void keep(List<Token> tokens) {
        write(tokens);
        known = tokens;
    }

    private String fresh() {
        byte[] bytes = new byte[TOKEN_BYTES];
        random.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private void write(List<Token> tokens) {
        try {
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.deleteIfExists(part);
            Files.createFile(part, ownerOnly());
            Files.writeString(
                    part, RentalJson.write(Document.of(tokens)), StandardOpenOption.SYNC, StandardOpenOption.WRITE);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            try (var folder = FileChannel.open(file.toAbsolutePath().getParent())) {
                folder.force(true); // or a token that was revoked could be back after a power failure
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the token digests can't be written to " + file, e);
        }
    }

    private static FileAttribute<?> ownerOnly() {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
    }

    /** Returns whom a token stands for. Takes as long for one as for another, whichever it is. */
    Optional<Caller> caller(String token) {
        byte[] presented = digest(token);
        Instant now = clock.instant();
        Token found = null;
        for (Token candidate : known) {
            if (MessageDigest.isEqual(HexFormat.of().parseHex(candidate.sha256()), presented)) {
                found = candidate;
            }
        }
        return found == null || !found.countsAt(now)
                ? Optional.empty()
                : Optional.of(new Caller(found.account(), found.role()));
    }

    private static byte[] digest(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
