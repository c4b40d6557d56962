package org.computehive.market;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A party by its 20-byte address on an Ethereum-compatible chain, in lower-case hexadecimal with {@code 0x}.
 *
 * <p>Immutable and thread-safe. Mixed-case (EIP-55) input is accepted and folded; its checksum is not verified here.
 *
 * @param address {@code 0x} and 40 hexadecimal digits
 */
public record Account(String address) {
    private static final Pattern FORM = Pattern.compile("0x[0-9a-f]{40}");

    /** The zero address: the chain's native coin where a token is asked for, "nobody" where a party is. */
    public static final Account ZERO = new Account("0x" + "0".repeat(40));

    /**
     * Folds and checks the address.
     *
     * @throws IllegalArgumentException if it is not {@code 0x} and 40 hexadecimal digits
     */
    public Account {
        address = address.toLowerCase(Locale.ROOT);
        if (!FORM.matcher(address).matches()) {
            throw new IllegalArgumentException(
                    "account %s is not an address: give 0x and 40 hexadecimal digits".formatted(Text.quote(address)));
        }
    }

    @Override
    public String toString() {
        return address;
    }
}
