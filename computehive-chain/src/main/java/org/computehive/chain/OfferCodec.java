package org.computehive.chain;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.rental.Escrow.Terms;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.schedule.Window;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.StaticStruct;
import org.web3j.abi.datatypes.Type;
import org.web3j.abi.datatypes.generated.Bytes32;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.abi.datatypes.generated.Uint32;
import org.web3j.abi.datatypes.generated.Uint40;
import org.web3j.abi.datatypes.generated.Uint64;
import org.web3j.abi.datatypes.generated.Uint96;
import org.web3j.crypto.Hash;

/**
 * Writes offers as the contract reads them, and their EIP-712 digests for one contract on one chain. Immutable and
 * thread-safe.
 */
final class OfferCodec {
    private static final String OFFER = "Offer(address lender,uint64 lane,uint64 sequence,address renter,address token,"
            + "address arbiter,uint96 rate,uint40 start,uint32 duration,uint32 grace,uint32 disputeWindow,"
            + "uint40 expiry,bytes32 spec)";
    private static final String RECEIPT = "Receipt(bytes32 offerHash,uint32 used)";
    private static final String RELEASE = "Release(bytes32 offerHash)";
    private static final String DOMAIN =
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

    static final String DOMAIN_NAME = "ComputeHive RentalEscrow";
    static final String DOMAIN_VERSION = "1";

    private final byte[] domain;

    OfferCodec(long chainId, Account contract) {
        this.domain = keccak(
                DOMAIN,
                new Bytes32(keccak(DOMAIN_NAME)),
                new Bytes32(keccak(DOMAIN_VERSION)),
                new Uint256(chainId),
                new Address(contract.address()));
    }

    /**
     * Writes an offer with its digest.
     *
     * @throws IllegalArgumentException if a term does not fit the contract's types
     */
    EscrowOffer offer(Terms terms, BigInteger sequence, Account token) {
        var unsigned = new EscrowOffer(
                terms.lender(),
                terms.lane(),
                sequence,
                terms.renter(),
                token,
                terms.arbiter(),
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                terms.expiry(),
                terms.spec(),
                terms.spec());
        return new EscrowOffer(
                terms.lender(),
                terms.lane(),
                sequence,
                terms.renter(),
                token,
                terms.arbiter(),
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                terms.expiry(),
                terms.spec(),
                digest(unsigned));
    }

    /** Returns the digest that follows from an offer's other members. */
    Hash32 digest(EscrowOffer offer) {
        return typed(OFFER, words(offer).toArray(Type<?>[]::new));
    }

    Hash32 receiptDigest(Hash32 offer, long used) {
        return typed(RECEIPT, new Bytes32(offer.bytes()), new Uint32(used));
    }

    Hash32 releaseDigest(Hash32 offer) {
        return typed(RELEASE, new Bytes32(offer.bytes()));
    }

    /** Returns the offer as the contract's struct. */
    static StaticStruct struct(EscrowOffer offer) {
        return new StaticStruct(List.copyOf(words(offer)));
    }

    /** Returns the 13 words of an offer, in hexadecimal with {@code 0x}: the data of an {@code Opened} event. */
    static String encoded(EscrowOffer offer) {
        return "0x" + FunctionEncoder.encodeConstructor(List.copyOf(words(offer)));
    }

    /**
     * Returns a time used in whole seconds.
     *
     * @throws IllegalArgumentException if it is not whole, negative or over the window
     */
    static long used(EscrowOffer offer, Duration used) {
        long seconds = seconds("used time", used, 32);
        if (used.compareTo(offer.window().length()) > 0) {
            throw new IllegalArgumentException("used time %s is over the window's length %s"
                    .formatted(used, offer.window().length()));
        }
        return seconds;
    }

    @SuppressWarnings("rawtypes")
    private static List<Type> words(EscrowOffer offer) {
        Window window = offer.window();
        return List.of(
                new Address(offer.lender().address()),
                new Uint64(bounded("lane", offer.lane(), 64)),
                new Uint64(bounded("sequence", offer.sequence(), 64)),
                new Address(offer.renter().address()),
                new Address(offer.token().address()),
                new Address(offer.arbiter().address()),
                new Uint96(offer.rate().unitsPerSecond()),
                new Uint40(seconds("window start", Duration.between(Instant.EPOCH, window.start()), 40)),
                new Uint32(seconds("window length", window.length(), 32)),
                new Uint32(seconds("grace", offer.grace(), 32)),
                new Uint32(seconds("dispute window", offer.disputeWindow(), 32)),
                new Uint40(seconds("expiry", Duration.between(Instant.EPOCH, offer.expiry()), 40)),
                new Bytes32(offer.spec().bytes()));
    }

    private static long seconds(String what, Duration time, int bits) {
        if (time.isNegative() || time.toNanosPart() != 0) {
            throw new IllegalArgumentException(
                    "%s %s is negative or not in whole seconds: the chain counts seconds".formatted(what, time));
        }
        return bounded(what, BigInteger.valueOf(time.toSeconds()), bits).longValueExact();
    }

    private static BigInteger bounded(String what, BigInteger value, int bits) {
        if (value.signum() < 0 || value.bitLength() > bits) {
            throw new IllegalArgumentException("%s %s is out of range: 0 to 2^%d - 1".formatted(what, value, bits));
        }
        return value;
    }

    private Hash32 typed(String type, Type<?>... members) {
        byte[] message = new byte[66];
        message[0] = 0x19;
        message[1] = 0x01;
        System.arraycopy(domain, 0, message, 2, 32);
        System.arraycopy(keccak(type, members), 0, message, 34, 32);
        return Hash32.of(Hash.sha3(message));
    }

    @SuppressWarnings("rawtypes")
    private static byte[] keccak(String type, Type<?>... members) {
        var words = new ArrayList<Type>();
        words.add(new Bytes32(keccak(type)));
        words.addAll(List.of(members));
        return Hash.sha3(HexFormat.of().parseHex(FunctionEncoder.encodeConstructor(words)));
    }

    private static byte[] keccak(String text) {
        return Hash.sha3(text.getBytes(StandardCharsets.UTF_8));
    }
}
