package org.computehive.rental;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.schedule.Window;

/**
 * The message that a lender signs and a renter opens an escrow with: EIP-712 type {@code Offer} of the contract.
 *
 * @param lender who signs and is paid
 * @param lane the lender's storage slot that this rental occupies, 0 to 2<sup>64</sup> - 1
 * @param sequence how often the lane was used before; makes the offer single-use
 * @param renter who may open it
 * @param token what is paid in; {@link Account#ZERO} for the native coin
 * @param stakes the bonds, and who decides a dispute
 * @param rate units per second
 * @param window the rented time, whole seconds
 * @param grace how long after the window's start a renter who ends pays for no second of it, and a lender who gives up loses
 *     its bond
 * @param disputeWindow how long a payout that the other party did not sign for waits for its objection
 * @param cancellation what calling off late and not coming cost
 * @param expiry the last chain second in which it can be opened
 * @param spec 32 bytes that bind the offer to the rental and its terms
 * @param digest the EIP-712 digest to sign, 32 bytes
 */
public record EscrowOffer(
        Account lender,
        BigInteger lane,
        BigInteger sequence,
        Account renter,
        Account token,
        Stakes stakes,
        Rate rate,
        Window window,
        Duration grace,
        Duration disputeWindow,
        Cancellation cancellation,
        Instant expiry,
        Hash32 spec,
        Hash32 digest) {

    /** Returns what the renter locks: the rate over the window. */
    public Amount deposit() {
        return rate.cost(window.length());
    }

    /**
     * Returns what the renter owes if it ends the escrow at an instant, in whole seconds of the window: what the contract
     * counts, to the second.
     */
    public Duration owed(Instant at) {
        if (!cancellation.isLate(at, window)) {
            return Duration.ZERO;
        }
        Duration served = at.isAfter(window.start().plus(grace)) ? elapsed(at) : Duration.ZERO;
        Duration least = cancellation.lateCharge(window);
        return served.compareTo(least) < 0 ? least : served;
    }

    /** Returns the time between the window's start and an instant that lies in the window. */
    public Duration elapsed(Instant at) {
        if (!at.isAfter(window.start())) {
            return Duration.ZERO;
        }
        return Duration.between(window.start(), at.isBefore(window.end()) ? at : window.end());
    }

    /**
     * 32 bytes, shown in lower-case hexadecimal with {@code 0x}.
     *
     * @param hex {@code 0x} and 64 hexadecimal digits
     */
    public record Hash32(String hex) {
        /**
         * Checks the form.
         *
         * @throws IllegalArgumentException if it is not {@code 0x} and 64 lower-case hexadecimal digits
         */
        public Hash32 {
            if (!hex.matches("0x[0-9a-f]{64}")) {
                throw new IllegalArgumentException(
                        "a hash is 0x and 64 lower-case hexadecimal digits; %d characters came"
                                .formatted(hex.length()));
            }
        }

        /** Wraps 32 bytes. */
        public static Hash32 of(byte[] bytes) {
            return new Hash32("0x" + HexFormat.of().formatHex(bytes));
        }

        /** Returns a copy of the bytes. */
        public byte[] bytes() {
            return HexFormat.of().parseHex(hex, 2, hex.length());
        }

        @Override
        public String toString() {
            return hex;
        }
    }

    /**
     * A party's signature: 65 bytes {@code r, s, v}, or what an ERC-1271 wallet understands, up to 1,024 bytes.
     *
     * @param hex {@code 0x} and an even number of lower-case hexadecimal digits
     */
    public record Signature(String hex) {
        private static final int LIMIT_BYTES = 1024;

        /**
         * Checks the form.
         *
         * @throws IllegalArgumentException if it is not hexadecimal or too long
         */
        public Signature {
            Objects.requireNonNull(hex, "hex");
            if (hex.length() > 2 + 2 * LIMIT_BYTES || hex.length() % 2 != 0 || !hex.matches("0x[0-9a-f]+")) {
                throw new IllegalArgumentException(
                        "a signature is 0x and up to %d bytes in lower-case hexadecimal".formatted(LIMIT_BYTES));
            }
        }

        /** Wraps bytes. */
        public static Signature of(byte[] bytes) {
            return new Signature("0x" + HexFormat.of().formatHex(bytes));
        }

        /** Returns a copy of the bytes. */
        public byte[] bytes() {
            return HexFormat.of().parseHex(hex, 2, hex.length());
        }

        @Override
        public String toString() {
            return "signature of " + (hex.length() / 2 - 1) + " bytes";
        }
    }
}
