package org.computehive.chain;

import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.jspecify.annotations.Nullable;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.DynamicBytes;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.StaticStruct;
import org.web3j.abi.datatypes.Type;
import org.web3j.abi.datatypes.generated.Bytes32;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.abi.datatypes.generated.Uint32;
import org.web3j.abi.datatypes.generated.Uint64;
import org.web3j.abi.datatypes.generated.Uint8;
import org.web3j.abi.datatypes.generated.Uint96;

/** The calldata of every call made here, and the words that come back. */
final class EscrowCalls {
    private static final int WORD_DIGITS = 64;

    private EscrowCalls() {}

    static String open(EscrowOffer offer, Signature lenderSignature) {
        return call("open", OfferCodec.struct(offer), new DynamicBytes(lenderSignature.bytes()));
    }

    /**
     * Opens for a renter who signed.
     *
     * @param renterSignature unused where the renter itself calls
     * @param permit of the renter's tokens; null for none
     */
    static String openFor(
            EscrowOffer offer, Signature lenderSignature, byte[] renterSignature, @Nullable TokenPermit permit) {
        return call(
                "openFor",
                OfferCodec.struct(offer),
                new DynamicBytes(lenderSignature.bytes()),
                new DynamicBytes(renterSignature),
                permit == null
                        ? new StaticStruct(
                                new Uint256(0),
                                new Uint256(0),
                                new Uint8(0),
                                new Bytes32(new byte[32]),
                                new Bytes32(new byte[32]))
                        : permit.struct());
    }

    static String extend(EscrowOffer first, EscrowOffer offer, Signature lenderSignature) {
        return call(
                "extend",
                OfferCodec.struct(first),
                OfferCodec.struct(offer),
                new DynamicBytes(lenderSignature.bytes()));
    }

    static String end(EscrowOffer offer) {
        return call("end", OfferCodec.struct(offer));
    }

    static String reportNoShow(EscrowOffer offer) {
        return call("reportNoShow", OfferCodec.struct(offer));
    }

    static String dispute(EscrowOffer offer, BigInteger phase, Hash32 evidence, BigInteger entry) {
        return call(
                "dispute",
                OfferCodec.struct(offer),
                new Uint256(phase),
                new Bytes32(evidence.bytes()),
                new Uint64(entry));
    }

    static String resolve(EscrowOffer offer, BigInteger phase, Duration used, Amount slash, Amount forfeit) {
        return call(
                "resolve",
                OfferCodec.struct(offer),
                new Uint256(phase),
                new Uint32(OfferCodec.used(offer, used)),
                new Uint96(slash.units()),
                new Uint96(forfeit.units()));
    }

    /**
     * The call that settles.
     *
     * @param phase the word of the rental's phase, as the chain's last event of it told
     */
    static String settle(EscrowOffer offer, BigInteger phase, Settlement settlement) {
        return switch (settlement) {
            case Settlement.ByReceipt receipt ->
                call(
                        "settleWithReceipt",
                        OfferCodec.struct(offer),
                        new Uint256(phase),
                        new Uint32(OfferCodec.used(offer, receipt.used())),
                        new DynamicBytes(receipt.renterSignature().bytes()),
                        new DynamicBytes(receipt.lenderSignature().bytes()));
            case Settlement.ByRelease release ->
                call(
                        "release",
                        OfferCodec.struct(offer),
                        new Uint256(phase),
                        new DynamicBytes(release.lenderSignature().bytes()));
            case Settlement.ByTimeLock lock -> call("settle", OfferCodec.struct(offer));
            case Settlement.ByWord word -> call("settleEnded", OfferCodec.struct(offer), new Uint256(phase));
            case Settlement.BySilence silence -> call("resolveSilent", OfferCodec.struct(offer), new Uint256(phase));
        };
    }

    static String cancelOffers(BigInteger lane) {
        return call("cancelOffers", new Uint64(lane));
    }

    static String deposit(Account token, Amount amount) {
        return call("deposit", address(token), new Uint256(amount.units()));
    }

    static String withdraw(Account token, Amount amount, Account to) {
        return call("withdraw", address(token), new Uint256(amount.units()), address(to));
    }

    static String ledgerBalance(Account token, Account account) {
        return call("balanceOf", address(token), address(account));
    }

    static String laneState(Account lender, BigInteger lane) {
        return call("laneState", address(lender), new Uint64(lane));
    }

    static String hashOffer(EscrowOffer offer) {
        return call("hashOffer", OfferCodec.struct(offer));
    }

    static String hashReceipt(Hash32 offer, long used) {
        return call("hashReceipt", new Bytes32(offer.bytes()), new Uint32(used));
    }

    static String hashRelease(Hash32 offer) {
        return call("hashRelease", new Bytes32(offer.bytes()));
    }

    static String tokenBalance(Account account) {
        return call("balanceOf", address(account));
    }

    static String domainSeparator() {
        return call("DOMAIN_SEPARATOR");
    }

    static String tokenName() {
        return call("name");
    }

    static String tokenVersion() {
        return call("version");
    }

    static String permitNonce(Account owner) {
        return call("nonces", address(owner));
    }

    static String tokenDecimals() {
        return call("decimals");
    }

    static String allowance(Account owner, Account spender) {
        return call("allowance", address(owner), address(spender));
    }

    static String approve(Account spender, BigInteger units) {
        return call("approve", address(spender), new Uint256(units));
    }

    static String mint(Account to, Amount amount) {
        return call("mint", address(to), new Uint256(amount.units()));
    }

    static String isValidSignature(Hash32 digest, Signature signature) {
        return call("isValidSignature", new Bytes32(digest.bytes()), new DynamicBytes(signature.bytes()));
    }

    /** Returns one of the 32-byte words of an answer or an event. */
    static BigInteger word(String data, int index) {
        return new BigInteger(digits(data, index), 16);
    }

    static Hash32 hash(String data, int index) {
        return new Hash32("0x" + digits(data, index));
    }

    private static String digits(String data, int index) {
        int start = 2 + index * WORD_DIGITS;
        if (!data.startsWith("0x") || data.length() < start + WORD_DIGITS) {
            throw new EscrowException.Unreachable(
                    "an answer of %d characters came where word %d of 32 bytes was expected: is there another contract?"
                            .formatted(data.length(), index),
                    null);
        }
        return data.substring(start, start + WORD_DIGITS);
    }

    private static Address address(Account account) {
        return new Address(account.address());
    }

    @SuppressWarnings("rawtypes")
    private static String call(String name, Type... inputs) {
        return FunctionEncoder.encode(new Function(name, List.of(inputs), List.of()));
    }
}
