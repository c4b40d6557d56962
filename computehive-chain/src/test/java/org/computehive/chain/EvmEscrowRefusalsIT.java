package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bad input is refused by a typed error that says what to do, and nothing is sent. */
@Timeout(120)
class EvmEscrowRefusalsIT {
    private static final Hash32 HASH = new Hash32("0x" + "5e".repeat(32));

    private DevChain chain;
    private CrookedNode counting;
    private EvmEscrow escrow;
    private EvmParty lender;
    private EvmParty renter;
    private int sentBefore;

    @BeforeEach
    void start() {
        chain = new DevChain(true, DevChain.options());
        counting = new CrookedNode(chain.node.url());
        escrow = EvmEscrow.connect(chain.settings(counting.url())
                .withTimes(Duration.ofMillis(50), Duration.ofSeconds(1), Duration.ofSeconds(5)));
        lender = chain.party(escrow);
        renter = chain.party(escrow);
    }

    @AfterEach
    void stop() {
        escrow.close();
        counting.close();
        chain.close();
    }

    private EscrowOffer offer() {
        return chain.offer(escrow, lender.account(), renter.account());
    }

    private Signature signed(EscrowOffer offer) {
        return lender.sign(offer.digest());
    }

    /** From here on nothing may be sent. */
    private void mark() {
        sentBefore = counting.calls("eth_sendRawTransaction");
    }

    private void assertNothingSent() {
        assertEquals(sentBefore, counting.calls("eth_sendRawTransaction"));
    }

    @Test
    void connect_toAnotherChain_isWrongChain() {
        EscrowSettings s = chain.settings();
        var other = EscrowSettings.of(counting.url(), 1, s.contract(), s.token());

        assertThrows(EscrowException.WrongChain.class, () -> EvmEscrow.connect(other));
        assertNothingSent();
    }

    @Test
    void connect_toNoContractOrAnother_isWrongContract() {
        Token token = EscrowDeployment.devToken(chain.node.url(), chain.operator);
        for (Account wrong : new Account[] {EvmWallet.random().account(), token.contract()}) {
            var settings = EscrowSettings.of(counting.url(), 31337, wrong, chain.token);
            var e = assertThrows(EscrowException.WrongContract.class, () -> EvmEscrow.connect(settings));
            assertTrue(e.getMessage().contains(wrong.address()), e.getMessage());
        }
        assertNothingSent();
    }

    /** Each answers the right EIP-712 domain for its own address, and so would pass for the escrow if it were only asked. */
    @Test
    void connect_toAnotherContractThatAnswersTheSameDomain_isWrongContract() {
        String code = chain.node
                .call("eth_getCode", chain.deployment.contract().address(), "latest")
                .asText();
        String sevenDays = "62093a80";
        assertTrue(code.contains(sevenDays), "the code does not push the arbiter's time in three bytes any more");
        String proxy = "0x363d3d373d3d3d363d73"
                + chain.deployment.contract().address().substring(2) + "5af43d82803e903d91602b57fd5bf3";
        for (String other : List.of(proxy, code + "00", code.replace(sevenDays, "6200003c"))) {
            Account place = EvmWallet.random().account();
            chain.node.call("anvil_setCode", place.address(), other);
            var settings = EscrowSettings.of(counting.url(), 31337, place, chain.token);
            assertEquals(new OfferCodec(31337, place).releaseDigest(HASH), releaseDigestSaidBy(place));

            var e = assertThrows(EscrowException.WrongContract.class, () -> EvmEscrow.connect(settings));
            assertTrue(e.getMessage().contains("wrong contract at the address"), e.getMessage());
        }
        assertNothingSent();
    }

    /** The same code in which the constructor wrote another chain's domain. */
    @Test
    void connect_toTheEscrowsCodeWithAnotherDomain_isWrongContract() {
        RuntimeCode code = Artefact.RENTAL_ESCROW.runtimeCode();
        Account place = EvmWallet.random().account();
        chain.node.call("anvil_setCode", place.address(), code.code());
        var settings = EscrowSettings.of(counting.url(), 31337, place, chain.token);

        assertThrows(EscrowException.WrongContract.class, () -> EvmEscrow.connect(settings));
        assertNothingSent();
    }

    @Test
    void connect_toTheEscrowDeployedElsewhere_passes() {
        var other = EscrowDeployment.escrow(chain.node.url(), chain.operator);

        EvmEscrow.connect(other.settings(counting.url(), chain.token)).close();
    }

    private Hash32 releaseDigestSaidBy(Account contract) {
        return new Hash32(chain.node
                .call("eth_call", Map.of("to", contract.address(), "data", EscrowCalls.hashRelease(HASH)), "latest")
                .asText());
    }

    @ParameterizedTest
    @ValueSource(strings = {"0x00", "0xff", "0x1b"})
    void open_withAMalformedSignature_isInvalidSignature(String unit) {
        EscrowOffer offer = offer();
        mark();
        for (Signature bad : new Signature[] {
            new Signature(unit),
            new Signature("0x" + unit.substring(2).repeat(64)),
            new Signature("0x" + unit.substring(2).repeat(65)),
            new Signature("0x" + unit.substring(2).repeat(66)),
            renter.sign(offer.digest())
        }) {
            assertThrows(EscrowException.InvalidSignature.class, () -> renter.open(offer, bad));
        }
        assertNothingSent();
    }

    @Test
    void open_ofMoreThanTheBalance_isInsufficientFunds() {
        EvmWallet poor = EvmWallet.random();
        chain.node.fund(poor, Amount.of(1000));
        EscrowOffer offer = chain.offer(escrow, lender.account(), poor.account());
        mark();

        assertThrows(
                EscrowException.InsufficientFunds.class,
                () -> escrow.party(poor).open(offer, signed(offer)));
        assertThrows(EscrowException.InsufficientFunds.class, () -> renter.deposit(new Amount(BigInteger.TEN.pow(30))));
        assertNothingSent();
    }

    @Test
    void open_ofAnExpiredOffer_isOfferExpired() {
        EscrowOffer offer = offer();
        chain.node.advance(Duration.ofSeconds(301));
        mark();

        assertThrows(EscrowException.OfferExpired.class, () -> renter.open(offer, signed(offer)));
        assertNothingSent();
    }

    @Test
    void open_ofAUsedOrCancelledOffer_isOfferUsed() {
        EscrowOffer rival = offer();
        EscrowOffer offer =
                chain.offer(escrow, lender.account(), chain.party(escrow).account());
        renter.open(rival, signed(rival));
        mark();
        EvmParty other = renter;
        assertEquals(renter.open(rival, signed(rival)), other.open(rival, signed(rival)));
        assertNothingSent();

        renter.settle(rival, new Settlement.ByRelease(lender.sign(escrow.releaseDigest(rival))));
        EscrowOffer late = offer();
        lender.cancelOffers(BigInteger.ONE);
        mark();
        var e = assertThrows(EscrowException.OfferUsed.class, () -> renter.open(late, signed(late)));
        assertTrue(e.getMessage().contains("SequenceMismatch("), e.getMessage());
        assertThrows(EscrowException.Refused.class, () -> renter.open(offer, signed(offer)));
        assertNothingSent();
    }

    @Test
    void open_overANodeThatHangs_isUnreachable() {
        EscrowOffer offer = offer();
        mark();
        counting.be((call, honest) -> null);

        assertThrows(EscrowException.Unreachable.class, () -> renter.open(offer, signed(offer)));
        assertNothingSent();
    }

    @Test
    void settle_ofAnOfferThatWasChanged_isRefused() {
        EscrowOffer offer = offer();
        try (var elsewhere = EvmEscrow.connect(EscrowDeployment.escrow(chain.node.url(), chain.operator)
                .settings(counting.url(), chain.token)
                .withOperator(chain.operator))) {
            mark();
            assertThrows(EscrowException.Refused.class, () -> elsewhere.settle(offer, new Settlement.ByTimeLock()));
            assertInstanceOf(org.computehive.rental.Escrow.Reading.Unknown.class, elsewhere.read(offer));
        }
        assertNothingSent();
    }
}
