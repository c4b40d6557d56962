package org.computehive.chain;

import java.math.BigInteger;
import java.time.Instant;
import java.util.Arrays;
import org.computehive.market.Amount;
import org.computehive.rental.EscrowOffer.Signature;
import org.web3j.abi.datatypes.StaticStruct;
import org.web3j.abi.datatypes.generated.Bytes32;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.abi.datatypes.generated.Uint8;

/**
 * A token holder's signed word that the escrow may pull an amount (ERC-2612), good for one use: {@link EvmParty#permit}.
 *
 * <p>Whoever has it can hand it in, but only the escrow can pull by it, and that only for a renter's own call or consent.
 * Immutable and thread-safe.
 *
 * @param value how much may be pulled, in the token's smallest unit
 * @param deadline the last second in which it can be handed in
 * @param signature 65 bytes over the token's own EIP-712 digest
 */
public record TokenPermit(Amount value, Instant deadline, Signature signature) {
    private static final int LENGTH = 65;

    /**
     * Checks the ranges.
     *
     * @throws IllegalArgumentException if the deadline is not in whole seconds after 1970, or the signature not of 65 bytes
     */
    public TokenPermit {
        if (deadline.getEpochSecond() <= 0 || deadline.getNano() != 0) {
            throw new IllegalArgumentException("deadline %s is not in whole seconds after 1970".formatted(deadline));
        }
        if (signature.bytes().length != LENGTH) {
            throw new IllegalArgumentException(
                    "a permit's signature has %d bytes; %d came".formatted(LENGTH, signature.bytes().length));
        }
    }

    /** Returns it as the escrow's struct: value, deadline, v, r, s. */
    StaticStruct struct() {
        byte[] bytes = signature.bytes();
        return new StaticStruct(
                new Uint256(value.units()),
                new Uint256(BigInteger.valueOf(deadline.getEpochSecond())),
                new Uint8(bytes[LENGTH - 1] & 0xff),
                new Bytes32(Arrays.copyOfRange(bytes, 0, 32)),
                new Bytes32(Arrays.copyOfRange(bytes, 32, 64)));
    }
}
