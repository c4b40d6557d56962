package org.computehive.chain;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.computehive.market.Account;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.web3j.crypto.Credentials;
import org.web3j.crypto.ECKeyPair;
import org.web3j.crypto.Keys;
import org.web3j.crypto.RawTransaction;
import org.web3j.crypto.Sign;
import org.web3j.crypto.TransactionEncoder;

/**
 * A secp256k1 key of a lender's, a renter's or an operator's, held in memory.
 *
 * <p>The key is never printed: not by {@link #toString}, not in a message. It leaves this object only by {@link #save}.
 * Thread-safe; all that is sent for one account should go through one object, so that its transactions are numbered in
 * one place.
 */
public final class EvmWallet {
    private static final BigInteger ORDER = Sign.CURVE_PARAMS.getN();
    private static final int KEY_DIGITS = 64;
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

    private final Credentials credentials;
    private final Account account;
    private final Map<String, Outbox> outboxes = new ConcurrentHashMap<>();
    private final ReentrantLock spending = new ReentrantLock();

    private EvmWallet(BigInteger key) {
        this.credentials = Credentials.create(ECKeyPair.create(key));
        this.account = new Account(credentials.getAddress());
    }

    /** Returns a wallet with a new key that nobody can guess. */
    public static EvmWallet random() {
        var random = new SecureRandom();
        BigInteger key;
        do {
            key = new BigInteger(ORDER.bitLength(), random);
        } while (key.signum() == 0 || key.compareTo(ORDER) >= 0);
        return new EvmWallet(key);
    }

    /**
     * Returns the wallet of a key.
     *
     * @param key 64 hexadecimal digits, with or without {@code 0x}
     * @throws IllegalArgumentException if it is no secp256k1 key; the message does not show it
     */
    public static EvmWallet fromHex(String key) {
        String digits = key.startsWith("0x") ? key.substring(2) : key;
        if (digits.length() != KEY_DIGITS || !digits.matches("[0-9a-fA-F]+")) {
            throw new IllegalArgumentException("a private key is %d hexadecimal digits; %d characters came"
                    .formatted(KEY_DIGITS, digits.length()));
        }
        var value = new BigInteger(digits, 16);
        if (value.signum() == 0 || value.compareTo(ORDER) >= 0) {
            throw new IllegalArgumentException("a private key lies between 1 and the curve's order; this one does not");
        }
        return new EvmWallet(value);
    }

    /**
     * Reads what {@link #save} wrote.
     *
     * @throws IllegalArgumentException if the file holds no key, or others than its owner may read it
     * @throws UncheckedIOException if it can't be read
     */
    public static EvmWallet load(Path file) {
        try {
            Set<PosixFilePermission> rights = Files.getPosixFilePermissions(file);
            if (!OWNER_ONLY.containsAll(rights)) {
                throw new IllegalArgumentException("key file %s has rights %s: others may read it; chmod 600 it"
                        .formatted(file, PosixFilePermissions.toString(rights)));
            }
            if (Files.size(file) > 2L * KEY_DIGITS) {
                throw new IllegalArgumentException("key file %s holds no key: it is too long".formatted(file));
            }
            return fromHex(Files.readString(file, StandardCharsets.US_ASCII).strip());
        } catch (IOException e) {
            throw new UncheckedIOException("can't read key file " + file, e);
        }
    }

    /**
     * Writes the key to a new file that only its owner may read.
     *
     * @throws UncheckedIOException if the file exists already or can't be written
     */
    public void save(Path file) {
        byte[] text = (HexFormat.of().formatHex(keyBytes()) + "\n").getBytes(StandardCharsets.US_ASCII);
        var owner = PosixFilePermissions.asFileAttribute(OWNER_ONLY);
        try (var out = Files.newByteChannel(
                file, EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), owner)) {
            out.write(ByteBuffer.wrap(text));
        } catch (IOException e) {
            throw new UncheckedIOException("can't write key file " + file, e);
        }
    }

    /** Returns the account that the key speaks for. */
    public Account account() {
        return account;
    }

    /** Signs a digest: 65 bytes {@code r, s, v} with {@code v} 27 or 28 and a low {@code s} (EIP-2). */
    public Signature sign(Hash32 digest) {
        Sign.SignatureData signed = Sign.signMessage(digest.bytes(), credentials.getEcKeyPair(), false);
        byte[] bytes = new byte[65];
        System.arraycopy(signed.getR(), 0, bytes, 0, 32);
        System.arraycopy(signed.getS(), 0, bytes, 32, 32);
        bytes[64] = signed.getV()[0];
        return Signature.of(bytes);
    }

    byte[] sign(RawTransaction transaction) {
        return TransactionEncoder.signMessage(transaction, credentials);
    }

    /** Returns what this account has sent on one chain and is not final yet. */
    Outbox outboxOn(Chain chain) {
        return outboxes.computeIfAbsent(chain.identity(), identity -> new Outbox());
    }

    /** Guards what must see a balance or an allowance and then spend it. */
    ReentrantLock spending() {
        return spending;
    }

    private byte[] keyBytes() {
        byte[] bytes = new byte[KEY_DIGITS / 2];
        byte[] value = credentials.getEcKeyPair().getPrivateKey().toByteArray();
        int length = Math.min(value.length, bytes.length);
        System.arraycopy(value, value.length - length, bytes, bytes.length - length, length);
        return bytes;
    }

    static Account accountOf(BigInteger publicKey) {
        return new Account("0x" + Keys.getAddress(publicKey));
    }

    @Override
    public String toString() {
        return "wallet of " + account;
    }
}
