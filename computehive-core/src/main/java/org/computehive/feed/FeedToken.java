package org.computehive.feed;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import org.computehive.market.Account;

/**
 * What a feed's URL is worth: whose feed it is, what it shows, and until when. As text it is signed: 99 characters of
 * base64url for a version, the scope, the key, the party's generation, the expiry, the account and an HMAC-SHA256 of these.
 *
 * @param key which key signs
 * @param scope what is shown
 * @param generation the party's count when the token was made
 * @param expires when it ends, in seconds since 1970; {@link #NEVER} if it does not
 * @param party whose
 */
record FeedToken(int key, FeedScope scope, long generation, long expires, Account party) {
    static final long NEVER = Long.MAX_VALUE;
    private static final byte VERSION = 1;
    private static final int ACCOUNT_BYTES = 20;
    private static final int SIGNED_BYTES = 1 + 1 + 4 + 8 + 8 + ACCOUNT_BYTES;
    private static final int MAC_BYTES = 32;
    /** How long a token is as text. */
    static final int LENGTH = 99;

    String sign(FeedKeys keys) {
        byte[] signed = bytes();
        byte[] mac = keys.sign(key, signed).orElseThrow();
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(ByteBuffer.allocate(SIGNED_BYTES + MAC_BYTES)
                        .put(signed)
                        .put(mac)
                        .array());
    }

    private byte[] bytes() {
        return ByteBuffer.allocate(SIGNED_BYTES)
                .put(VERSION)
                .put(scope.code())
                .putInt(key)
                .putLong(generation)
                .putLong(expires)
                .put(HexFormat.of().parseHex(party.address().substring(2)))
                .array();
    }

    /** Returns the token that a text is, if its signature holds: in the same time for whatever is not one of ours. */
    static Optional<FeedToken> verify(String text, FeedKeys keys) {
        byte[] all;
        try {
            all = text.length() == LENGTH ? Base64.getUrlDecoder().decode(text) : new byte[0];
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
        if (all.length != SIGNED_BYTES + MAC_BYTES || all[0] != VERSION) {
            return Optional.empty();
        }
        byte[] signed = Arrays.copyOf(all, SIGNED_BYTES);
        byte[] mac = Arrays.copyOfRange(all, SIGNED_BYTES, all.length);
        int key = ByteBuffer.wrap(all, 2, Integer.BYTES).getInt();
        return keys.sign(key, signed)
                .filter(expected -> MessageDigest.isEqual(expected, mac))
                .flatMap(valid -> read(signed));
    }

    private static Optional<FeedToken> read(byte[] signed) {
        ByteBuffer in = ByteBuffer.wrap(signed, 1, SIGNED_BYTES - 1);
        byte code = in.get();
        int key = in.getInt();
        long generation = in.getLong();
        long expires = in.getLong();
        var account = new Account("0x" + HexFormat.of().formatHex(signed, SIGNED_BYTES - ACCOUNT_BYTES, SIGNED_BYTES));
        return Arrays.stream(FeedScope.values())
                .filter(scope -> scope.code() == code)
                .findFirst()
                .map(scope -> new FeedToken(key, scope, generation, expires, account));
    }

    boolean isOver(Instant now) {
        return now.getEpochSecond() >= expires;
    }
}
