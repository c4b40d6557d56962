package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import org.computehive.market.Account;
import org.computehive.market.Rate;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.Escrow.Terms;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Parties whose account is a wallet contract (ERC-1271), on a real chain node. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class EvmEscrowWalletContractIT {
    private static final Hash32 DIGEST = new Hash32("0x" + "5e".repeat(32));
    private static final String YES = "1626ba7e";

    private final EvmWallet key = EvmWallet.random();
    private DevChain chain;
    private EvmEscrow escrow;

    @BeforeAll
    void start() {
        chain = new DevChain(true, DevChain.options());
        escrow = EvmEscrow.connect(chain.settings());
    }

    @AfterAll
    void stop() {
        escrow.close();
        chain.close();
    }

    private Account contract(String code) {
        Account place = EvmWallet.random().account();
        chain.node.call("anvil_setCode", place.address(), "0x" + code);
        return place;
    }

    /** Puts a wallet contract on the chain that takes a key's signatures for its own. */
    private Account keyWallet() {
        return contract("6020" + "6004" + "5f" + "37" // memory[0..32] = digest
                + "6001" + "60a4" + "603f" + "37" // memory[63] = v
                + "6040" + "6064" + "6040" + "37" // memory[64..128] = r, s
                + "6020" + "5f" + "6080" + "5f" + "6001" + "5a" + "fa"
                + "50" // memory[0..32] = ecrecover(memory[0..128])
                + ("73" + key.account().address().substring(2)) + "5f" + "51" + "14" // is it the key's?
                + ("63" + YES) + "60e0" + "1b" + "02" // then isValidSignature's selector, else 0
                + "5f" + "52" + "6020" + "5f" + "f3");
    }

    /** Puts a contract on the chain that gives one answer of up to 64 bytes to every question. */
    private Account answering(String words, int length) {
        return contract(("7f" + words.substring(0, 64)) + "5f" + "52"
                + ("7f" + words.substring(64)) + "6020" + "52"
                + ("60%02x".formatted(length)) + "5f" + "f3");
    }

    @Test
    void checkSignature_thatTheWalletContractTakes_passes() {
        escrow.checkSignature(keyWallet(), DIGEST, key.sign(DIGEST));
    }

    @Test
    void checkSignature_thatTheWalletContractDoesNotTake_isRefused() {
        Account wallet = keyWallet();
        Hash32 other = new Hash32("0x" + "0e".repeat(32));

        for (Signature bad : new Signature[] {
            EvmWallet.random().sign(DIGEST),
            key.sign(other),
            new Signature("0x00"),
            new Signature("0x" + "ff".repeat(65))
        }) {
            assertThrows(EscrowException.Refused.class, () -> escrow.checkSignature(wallet, DIGEST, bad));
        }
    }

    @Test
    void checkSignature_ofTheKeysOwnAccount_doesNotNeedTheContract() {
        chain.node.call("anvil_setCode", key.account().address(), "0x5f5ffd");

        escrow.checkSignature(key.account(), DIGEST, key.sign(DIGEST));
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 64})
    void checkSignature_answeredByAYes_passesWhateverComesBehind(int length) {
        Account wallet = answering(YES + "0".repeat(56) + "f".repeat(64), length);

        escrow.checkSignature(wallet, DIGEST, new Signature("0x01"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1626ba7e" + "00000001", "ffffffff", "00000000" + "1626ba7e"})
    void checkSignature_answeredByAnythingElse_isRefused(String answer) {
        Account wallet = answering(answer + "0".repeat(128 - answer.length()), 32);

        assertThrows(EscrowException.Refused.class, () -> escrow.checkSignature(wallet, DIGEST, new Signature("0x01")));
    }

    @Test
    void checkSignature_answeredTooShortOrByARevert_isRefused() {
        Account hasty = answering(YES + "0".repeat(120), 4);
        Account reverting = contract("5f5ffd");

        for (Account wallet : new Account[] {hasty, reverting}) {
            assertThrows(
                    EscrowException.Refused.class, () -> escrow.checkSignature(wallet, DIGEST, new Signature("0x01")));
        }
    }

    @Test
    void settle_byAReceiptOfALendersWalletContract_paysIt() {
        Account lender = keyWallet();
        EvmParty renter = chain.party(escrow);
        Instant start = Instant.ofEpochSecond(chain.now().getEpochSecond() + 300);
        EscrowOffer offer = escrow.offer(new Terms(
                lender,
                BigInteger.ONE,
                renter.account(),
                Rate.of(1000),
                Window.of(start, Duration.ofSeconds(600)),
                Duration.ofSeconds(30),
                Duration.ofSeconds(60),
                start,
                DIGEST));
        escrow.checkSignature(lender, offer.digest(), key.sign(offer.digest()));
        renter.open(offer, key.sign(offer.digest()));
        Duration used = Duration.ofSeconds(123);
        Hash32 digest = escrow.receiptDigest(offer, used);
        Signature ofRenter = renter.sign(digest);
        var forged = new Settlement.ByReceipt(used, ofRenter, ofRenter);

        assertThrows(EscrowException.Refused.class, () -> escrow.settle(offer, forged));
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
        Reading.Closed closed = escrow.settle(offer, new Settlement.ByReceipt(used, ofRenter, key.sign(digest)));
        assertEquals(offer.rate().cost(used), closed.paid());
        assertEquals(offer.deposit(), closed.paid().plus(closed.refunded()));
    }
}
