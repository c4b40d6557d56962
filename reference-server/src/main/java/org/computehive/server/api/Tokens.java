package org.computehive.server.api;

import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.io.IOException;
import java.io.UncheckedIOException;
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
import java.util.ArrayList;
import java.util.Base64;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.rental.RentalJson;
import org.computehive.server.config.Folders;
import org.computehive.server.config.ReferencePlatform;

/**
 * The bearer tokens that are accepted (RFC 6750): 256 random bits each, of which only SHA-256 digests are kept.
 *
 * <p>The first start makes one per role and writes each once, as a request header that {@code curl -H @FILE} takes, to
 * a file of its own in the folder {@code tokens}, for this user alone; those files may be moved away. Thread-safe.
 */
@Singleton
public final class Tokens {
    private static final int MOST = 10_000;
    private static final int TOKEN_BYTES = 32;

    private final Path file;
    private final SecureRandom random = new SecureRandom();
    private volatile List<Known> known;

    /** A token's digest and what it stands for. */
    record Known(String sha256, Account account, Role role) {}

    /** The file's form. */
    record Document(List<Known> tokens) {}

    @Inject
    Tokens(ReferencePlatform platform) {
        this(platform.folders(), first(platform));
    }

    Tokens(Folders folders, Map<Role, Account> first) {
        this.file = folders.tokenDigests();
        if (Files.exists(file)) {
            known = read();
            return;
        }
        var made = new ArrayList<Known>();
        first.forEach((role, account) -> made.add(writeHeader(folders.tokens(), role, account)));
        // Last, and at once: a start that was cut off before makes them all anew.
        write(made);
        known = List.copyOf(made);
    }

    private static Map<Role, Account> first(ReferencePlatform platform) {
        var first = new EnumMap<Role, Account>(Role.class);
        first.put(Role.LENDER, platform.lender());
        platform.renter().ifPresent(renter -> first.put(Role.RENTER, renter));
        first.put(Role.OPERATOR, platform.operator());
        first.put(Role.AUDITOR, Account.ZERO);
        return first;
    }

    private List<Known> read() {
        try {
            return List.copyOf(
                    RentalJson.read(Document.class, Files.readString(file)).tokens());
        } catch (IOException e) {
            throw new UncheckedIOException("the token digests in %s can't be read".formatted(file), e);
        }
    }

    private Known writeHeader(Path folder, Role role, Account account) {
        Path header = folder.resolve(role.name().toLowerCase(Locale.ROOT));
        String token = fresh();
        String text = "Authorization: Bearer " + token + "\n";
        try {
            Files.deleteIfExists(header);
            Files.createFile(header, ownerOnly());
            Files.writeString(header, text);
            return known(token, account, role);
        } catch (IOException e) {
            throw new UncheckedIOException("the %s's token can't be written to %s".formatted(role, header), e);
        }
    }

    /**
     * Makes a token; only its digest is kept.
     *
     * @return the token
     */
    synchronized String make(Account account, Role role) {
        if (known.size() >= MOST) {
            throw new IllegalStateException("there are %d tokens already, the most there can be".formatted(MOST));
        }
        String token = fresh();
        var more = new ArrayList<>(known);
        more.add(known(token, account, role));
        write(more);
        known = List.copyOf(more);
        return token;
    }

    private String fresh() {
        byte[] bytes = new byte[TOKEN_BYTES];
        random.nextBytes(bytes);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static Known known(String token, Account account, Role role) {
        return new Known(HexFormat.of().formatHex(digest(token)), account, role);
    }

    private void write(List<Known> tokens) {
        try {
            Path part = file.resolveSibling(file.getFileName() + ".part");
            Files.deleteIfExists(part);
            Files.createFile(part, ownerOnly());
            Files.writeString(
                    part, RentalJson.write(new Document(tokens)), StandardOpenOption.SYNC, StandardOpenOption.WRITE);
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
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
        Known found = null;
        for (Known candidate : known) {
            if (MessageDigest.isEqual(HexFormat.of().parseHex(candidate.sha256()), presented)) {
                found = candidate;
            }
        }
        return found == null ? Optional.empty() : Optional.of(new Caller(found.account(), found.role()));
    }

    private static byte[] digest(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
