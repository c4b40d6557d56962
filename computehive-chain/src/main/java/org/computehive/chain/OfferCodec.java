package org.computehive.chain;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.computehive.market.Account;
import org.computehive.market.Cancellation;
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
import org.web3j.crypto.Hash;
import org.web3j.utils.Numeric;

/**
 * Writes offers as the contract reads them, and their EIP-712 digests for one contract on one chain. Immutable and
 * thread-safe.
 */
final class OfferCodec {
    private static final String OFFER = "Offer(address lender,uint64 lane,uint32 sequence,address renter,uint96 rate,"
            + "address token,uint96 bond,address arbiter,uint96 disputeBond,uint40 start,uint32 duration,uint40 expiry,"
            + "uint24 grace,uint24 disputeWindow,uint32 notice,uint16 lateShare,uint32 noShowAfter,uint16 noShowShare,"
            + "bytes32 spec)";
    private static final String RECEIPT = "Receipt(bytes32 offerHash,uint32 used)";
    private static final String RELEASE = "Release(bytes32 offerHash)";
    private static final String CONSENT = "Consent(bytes32 offerHash)";
    private static final String EXTENSION = "Extension(bytes32 firstHash,bytes32 offerHash)";
    private static final String DOMAIN =
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)";

    static final String DOMAIN_NAME = "ComputeHive RentalEscrow";
    static final String DOMAIN_VERSION = "1";

    private final byte[] domain;

    OfferCodec(long chainId, Account contract) {
        this.domain = domain(DOMAIN_NAME, DOMAIN_VERSION, chainId, contract);
    }

    /** Returns the EIP-712 domain separator of a contract that says nothing but these four of itself. */
    static byte[] domain(String name, String version, long chainId, Account contract) {
        return keccak(
                DOMAIN,
                new Bytes32(keccak(name)),
                new Bytes32(keccak(version)),
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
                terms.stakes(),
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                terms.cancellation(),
                terms.expiry(),
                terms.spec(),
                terms.spec());
        return new EscrowOffer(
                terms.lender(),
                terms.lane(),
                sequence,
                terms.renter(),
                token,
                terms.stakes(),
                terms.rate(),
                terms.window(),
                terms.grace(),
                terms.disputeWindow(),
                terms.cancellation(),
                terms.expiry(),
                terms.spec(),
                digest(unsigned));
    }

    /** Returns the digest that follows from an offer's other members. */
    Hash32 digest(EscrowOffer offer) {
        return typed(
                OFFER,
                members(offer).stream().map(Member::word).map(Bytes32::new).toArray(Type<?>[]::new));
    }

    Hash32 receiptDigest(Hash32 offer, long used) {
        return typed(RECEIPT, new Bytes32(offer.bytes()), new Uint32(used));
    }

    Hash32 releaseDigest(Hash32 offer) {
        return typed(RELEASE, new Bytes32(offer.bytes()));
    }

    Hash32 consentDigest(Hash32 offer) {
        return typed(CONSENT, new Bytes32(offer.bytes()));
    }

    Hash32 extensionDigest(Hash32 first, Hash32 offer) {
        return typed(EXTENSION, new Bytes32(first.bytes()), new Bytes32(offer.bytes()));
    }

    /** Returns the offer as the contract's struct: packed into six words. */
    @SuppressWarnings("rawtypes")
    static StaticStruct struct(EscrowOffer offer) {
        List<BigInteger> words = packed(offer);
        var types = new ArrayList<Type>();
        words.subList(0, words.size() - 1).forEach(word -> types.add(new Uint256(word)));
        types.add(new Bytes32(Numeric.toBytesPadded(words.getLast(), 32)));
        return new StaticStruct(types);
    }

    /** Returns the six words of an offer, in hexadecimal with {@code 0x}: the data of an {@code Opened} event. */
    static String encoded(EscrowOffer offer) {
        return packed(offer).stream().map(OfferCodec::digits).collect(Collectors.joining("", "0x", ""));
    }

    /** Returns lender, lane and sequence in one word, which names a rental in the contract's other events. */
    static String rental(EscrowOffer offer) {
        return "0x" + digits(packed(offer).getFirst());
    }

    /** Returns the offer's members in the order and with the types in which they are signed. */
    static List<Member> members(EscrowOffer offer) {
        Window window = offer.window();
        Cancellation terms = offer.cancellation();
        return List.of(
                Member.of("lender", offer.lender()),
                Member.of("lane", 64, offer.lane()),
                Member.of("sequence", 32, offer.sequence()),
                Member.of("renter", offer.renter()),
                Member.of("rate", 96, offer.rate().unitsPerSecond()),
                Member.of("token", offer.token()),
                Member.of("bond", 96, offer.stakes().bond().units()),
                Member.of("arbiter", offer.stakes().arbiter()),
                Member.of("disputeBond", 96, offer.stakes().disputeBond().units()),
                Member.of("start", 40, seconds("start", Duration.between(Instant.EPOCH, window.start()))),
                Member.of("duration", 32, seconds("duration", window.length())),
                Member.of("expiry", 40, seconds("expiry", Duration.between(Instant.EPOCH, offer.expiry()))),
                Member.of("grace", 24, seconds("grace", offer.grace())),
                Member.of("disputeWindow", 24, seconds("disputeWindow", offer.disputeWindow())),
                Member.of("notice", 32, seconds("notice", terms.notice())),
                Member.of("lateShare", 16, BigInteger.valueOf(terms.lateShare())),
                Member.of("noShowAfter", 32, seconds("noShowAfter", terms.noShowAfter())),
                Member.of("noShowShare", 16, BigInteger.valueOf(terms.noShowShare())),
                new Member(
                        "spec",
                        "bytes32",
                        256,
                        new BigInteger(1, offer.spec().bytes()),
                        offer.spec().hex()));
    }

    /**
     * A member of an offer.
     *
     * @param type its Solidity type
     * @param bits how many bits of a packed word it takes
     * @param shown the value as a wallet reads it
     */
    record Member(String name, String type, int bits, BigInteger value, String shown) {
        Member {
            bounded(name, value, bits);
        }

        static Member of(String name, Account account) {
            String address = account.address();
            return new Member(name, "address", 160, new BigInteger(address.substring(2), 16), address);
        }

        static Member of(String name, int bits, BigInteger value) {
            return new Member(name, "uint" + bits, bits, value, value.toString());
        }

        byte[] word() {
            return Numeric.toBytesPadded(value, 32);
        }
    }

    /** Members follow one upon the other from the most significant bit on, and fill each word to the last one. */
    private static List<BigInteger> packed(EscrowOffer offer) {
        var words = new ArrayList<BigInteger>();
        BigInteger word = BigInteger.ZERO;
        int filled = 0;
        for (Member member : members(offer)) {
            word = word.shiftLeft(member.bits()).or(member.value());
            filled += member.bits();
            if (filled == 256) {
                words.add(word);
                word = BigInteger.ZERO;
                filled = 0;
            }
        }
        return words;
    }

    private static String digits(BigInteger word) {
        return "%064x".formatted(word);
    }

    /**
     * Returns a time used in whole seconds.
     *
     * @throws IllegalArgumentException if it is not whole, negative or over the window
     */
    static long used(EscrowOffer offer, Duration used) {
        long seconds = bounded("used time", seconds("used time", used), 32).longValueExact();
        if (used.compareTo(offer.window().length()) > 0) {
            throw new IllegalArgumentException("used time %s is over the window's length %s"
                    .formatted(used, offer.window().length()));
        }
        return seconds;
    }

    /**
     * Returns a number of seconds as a time within an offer's window.
     *
     * @throws IllegalArgumentException if it is over the window
     */
    static Duration within(EscrowOffer offer, long seconds) {
        Duration length = offer.window().length();
        if (seconds > length.toSeconds()) {
            throw new IllegalArgumentException("%d seconds of a window of %s".formatted(seconds, length));
        }
        return Duration.ofSeconds(seconds);
    }

    private static BigInteger seconds(String what, Duration time) {
        if (time.isNegative() || time.toNanosPart() != 0) {
            throw new IllegalArgumentException(
                    "%s %s is negative or not in whole seconds: the chain counts seconds".formatted(what, time));
        }
        return BigInteger.valueOf(time.toSeconds());
    }

    private static BigInteger bounded(String what, BigInteger value, int bits) {
        if (value.signum() < 0 || value.bitLength() > bits) {
            throw new IllegalArgumentException("%s %s is out of range: 0 to 2^%d - 1".formatted(what, value, bits));
        }
        return value;
    }

    private Hash32 typed(String type, Type<?>... members) {
        return typed(domain, type, members);
    }

    /** Returns the EIP-712 digest of a message of static members in a domain. */
    static Hash32 typed(byte[] domain, String type, Type<?>... members) {
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
