package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Cancellation;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.Escrow.Terms;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;
import org.web3j.crypto.Hash;
import org.web3j.crypto.StructuredDataEncoder;

class OfferCodecTest {
    private static final Account CONTRACT = new Account("0x" + "c0".repeat(20));
    private static final Account TOKEN = new Account("0x" + "70".repeat(20));
    private static final String OFFER = "(uint256,uint256,uint256,uint256,uint256,bytes32)";
    private static final OfferCodec CODEC = new OfferCodec(31337, CONTRACT);

    private static Terms terms(Window window, BigInteger lane) {
        return new Terms(
                new Account("0x" + "1e".repeat(20)),
                lane,
                new Account("0x" + "2e".repeat(20)),
                Rate.of(277),
                window,
                Duration.ofSeconds(60),
                Duration.ofDays(1),
                window.start(),
                new Hash32("0x" + "5e".repeat(32)));
    }

    private static EscrowOffer offer() {
        var window = Window.of(Instant.ofEpochSecond(1_900_000_000), Duration.ofHours(1));
        return CODEC.offer(terms(window, BigInteger.valueOf(3)), BigInteger.TWO, TOKEN);
    }

    private static EscrowOffer staked() {
        Terms terms =
                terms(Window.of(Instant.ofEpochSecond(1_900_000_000), Duration.ofHours(1)), BigInteger.valueOf(3));
        return CODEC.offer(
                new Terms(
                        terms.lender(),
                        terms.lane(),
                        terms.renter(),
                        new Stakes(new Account("0x" + "a1".repeat(20)), new Amount(Rate.MAX), Amount.of(0x515)),
                        terms.rate(),
                        terms.window(),
                        terms.grace(),
                        terms.disputeWindow(),
                        new Cancellation(Duration.ofSeconds(0x1234), 2_500, Duration.ofSeconds(0x77), 10_000),
                        terms.expiry(),
                        terms.spec()),
                BigInteger.TWO,
                TOKEN);
    }

    @Test
    void digest_ofAnOffer_isWhatAnotherEip712EncoderComputes() throws Exception {
        EscrowOffer offer = offer();
        String message = """
                {"types":{
                   "EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},
                     {"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
                   "Offer":[{"name":"lender","type":"address"},{"name":"lane","type":"uint64"},
                     {"name":"sequence","type":"uint32"},{"name":"renter","type":"address"},
                     {"name":"rate","type":"uint96"},{"name":"token","type":"address"},
                     {"name":"bond","type":"uint96"},{"name":"arbiter","type":"address"},
                     {"name":"disputeBond","type":"uint96"},{"name":"start","type":"uint40"},
                     {"name":"duration","type":"uint32"},{"name":"expiry","type":"uint40"},
                     {"name":"grace","type":"uint24"},{"name":"disputeWindow","type":"uint24"},
                     {"name":"notice","type":"uint32"},{"name":"lateShare","type":"uint16"},
                     {"name":"noShowAfter","type":"uint32"},{"name":"noShowShare","type":"uint16"},
                     {"name":"spec","type":"bytes32"}]},
                 "primaryType":"Offer",
                 "domain":{"name":"ComputeHive RentalEscrow","version":"1","chainId":31337,"verifyingContract":"%s"},
                 "message":{"lender":"%s","lane":3,"sequence":2,"renter":"%s","token":"%s","arbiter":"%s","rate":277,
                   "bond":0,"disputeBond":0,"start":1900000000,"duration":3600,"grace":60,"disputeWindow":86400,
                   "expiry":1900000000,"notice":0,"lateShare":0,"noShowAfter":0,"noShowShare":0,"spec":"%s"}}
                """.formatted(
                CONTRACT, offer.lender(), offer.renter(), TOKEN, offer.stakes().arbiter(), offer.spec());

        assertEquals(Hash32.of(new StructuredDataEncoder(message).hashStructuredData()), offer.digest());
    }

    @Test
    void encoded_ofAnOffer_hasSixWordsFilledInTheContractsOrder() {
        String data = OfferCodec.encoded(offer());

        assertEquals(
                "0x"
                        + ("1e".repeat(20) + "0000000000000003" + "00000002")
                        + ("2e".repeat(20) + "000000000000000000000115")
                        + ("70".repeat(20) + "0".repeat(24))
                        + "0".repeat(64)
                        + ("00713fb300" + "00000e10" + "00713fb300" + "00003c" + "015180" + "0".repeat(24))
                        + "5e".repeat(32),
                data);
        assertEquals(data.substring(0, 66), OfferCodec.rental(offer()));
    }

    @Test
    void encoded_ofAnOfferWithStakesAndCancellation_holdsEachInItsPlace() {
        assertEquals(
                "0x"
                        + ("1e".repeat(20) + "0000000000000003" + "00000002")
                        + ("2e".repeat(20) + "000000000000000000000115")
                        + ("70".repeat(20) + "f".repeat(24))
                        + ("a1".repeat(20) + "000000000000000000000515")
                        + ("00713fb300" + "00000e10" + "00713fb300" + "00003c" + "015180")
                        + ("00001234" + "09c4" + "00000077" + "2710")
                        + "5e".repeat(32),
                OfferCodec.encoded(staked()));
    }

    @Test
    void digest_ofAReceipt_isWhatAnotherEip712EncoderComputes() throws Exception {
        EscrowOffer offer = offer();
        String message = """
                {"types":{
                   "EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},
                     {"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
                   "Receipt":[{"name":"offerHash","type":"bytes32"},{"name":"used","type":"uint32"}]},
                 "primaryType":"Receipt",
                 "domain":{"name":"ComputeHive RentalEscrow","version":"1","chainId":31337,"verifyingContract":"%s"},
                 "message":{"offerHash":"%s","used":77}}
                """.formatted(CONTRACT, offer.digest());

        assertEquals(
                Hash32.of(new StructuredDataEncoder(message).hashStructuredData()),
                CODEC.receiptDigest(offer.digest(), 77));
    }

    @Test
    void settle_ofAnOffer_beginsWithTheSelectorOfItsStruct() {
        String data = EscrowCalls.settle(offer(), BigInteger.ZERO, new Settlement.ByTimeLock());

        assertEquals(
                selector("settle(" + OFFER + ")") + OfferCodec.encoded(offer()).substring(2), data);
    }

    @Test
    void settle_byAReceipt_carriesTheSecondsAndBothSignaturesInTheContractsOrder() {
        var receipt = new Settlement.ByReceipt(
                Duration.ofSeconds(77), new Signature("0x" + "0e".repeat(65)), new Signature("0x" + "1e".repeat(65)));

        String data = EscrowCalls.settle(offer(), BigInteger.valueOf(0x9a5e), receipt);

        assertEquals(selector("settleWithReceipt(" + OFFER + ",uint256,uint32,bytes,bytes)"), data.substring(0, 10));
        String words = "0x" + data.substring(10);
        assertEquals(OfferCodec.encoded(offer()), words.substring(0, 2 + 6 * 64));
        assertEquals(BigInteger.valueOf(0x9a5e), EscrowCalls.word(words, 6));
        assertEquals(BigInteger.valueOf(77), EscrowCalls.word(words, 7));
        assertEquals(receipt.renterSignature(), bytesAt(words, 8));
        assertEquals(receipt.lenderSignature(), bytesAt(words, 9));
    }

    private static Signature bytesAt(String words, int pointer) {
        int length = EscrowCalls.word(words, pointer).intValueExact() / 32;
        int from = 2 + (length + 1) * 64;
        return new Signature("0x"
                + words.substring(
                        from, from + 2 * EscrowCalls.word(words, length).intValueExact()));
    }

    private static String selector(String signature) {
        return "0x" + HexFormat.of().formatHex(Hash.sha3(signature.getBytes(StandardCharsets.US_ASCII)), 0, 4);
    }

    @Test
    void offer_outOfTheContractsRange_isRefused() {
        var good = Window.of(Instant.ofEpochSecond(1_900_000_000), Duration.ofHours(1));
        var late = Window.of(Instant.ofEpochSecond(1L << 40), Duration.ofHours(1));
        var longest = Window.of(Instant.ofEpochSecond(1_900_000_000), Duration.ofSeconds(1L << 32));
        var early = Window.of(Instant.ofEpochSecond(-1), Duration.ofHours(1));

        for (Window bad : new Window[] {late, longest, early}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> CODEC.offer(terms(bad, BigInteger.ZERO), BigInteger.ZERO, TOKEN));
        }
        assertThrows(
                IllegalArgumentException.class,
                () -> CODEC.offer(terms(good, BigInteger.ONE.shiftLeft(64)), BigInteger.ZERO, TOKEN));
    }
}
