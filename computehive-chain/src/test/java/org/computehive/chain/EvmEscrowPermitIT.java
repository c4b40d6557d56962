package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Signature;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.Type;

/** Tokens with permits (ERC-2612), without, and with such as are none, on a real chain node. */
@Timeout(120)
class EvmEscrowPermitIT {
    private static final String DOMAIN_SEPARATOR = "0x3644e515";

    private DevChain chain;
    private CrookedNode counting;
    private EvmEscrow escrow;
    private EvmParty lender;
    private EvmParty relay;

    @BeforeEach
    void start() {
        chain = new DevChain(true, DevChain.options());
        counting = new CrookedNode(chain.node.url());
        connect("PermitToken");
    }

    @AfterEach
    void stop() {
        escrow.close();
        counting.close();
        chain.close();
    }

    private void connect(String token) {
        escrow = EvmEscrow.connect(chain.deployment
                .settings(counting.url(), new Token(deploy(token), "TOK", 18, false))
                .withTimes(Duration.ofMillis(50), Duration.ofSeconds(2), Duration.ofSeconds(20)));
        lender = escrow.party(chain.node.fundedWallet());
        relay = escrow.party(chain.node.fundedWallet());
    }

    private Account deploy(String token) {
        try (InputStream code = Objects.requireNonNull(EvmEscrowPermitIT.class.getResourceAsStream(token + ".bin"))) {
            String text = new String(code.readAllBytes(), StandardCharsets.US_ASCII).strip();
            return Objects.requireNonNull(
                    send(chain.operator, null, "0x" + text).created());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private Chain.Receipt send(EvmWallet wallet, Account to, String data) {
        try (Chain own = Chain.connect(chain.node.url())) {
            return new Sender(own, wallet, new Reverts(), Sender.defaultFeeCap(), Duration.ofSeconds(20), 1)
                    .send(new SendRequest("preparing", to, data, BigInteger.ZERO));
        }
    }

    private void mint(EvmWallet wallet, Amount amount) {
        send(chain.operator, escrow.token().contract(), EscrowCalls.mint(wallet.account(), amount));
    }

    private EvmWallet renterWithCoin() {
        EvmWallet wallet = chain.node.fundedWallet();
        mint(wallet, DevChain.WEALTH);
        return wallet;
    }

    private EscrowOffer offer(EvmWallet renter) {
        return chain.offer(escrow, lender.account(), renter.account());
    }

    private Signature signed(EscrowOffer offer) {
        return lender.sign(offer.digest());
    }

    private int sent() {
        return counting.calls("eth_sendRawTransaction");
    }

    private BigInteger allowance(EvmWallet owner) {
        return EscrowCalls.word(
                chain.node
                        .call(
                                "eth_call",
                                Map.of(
                                        "to",
                                        escrow.token().contract().address(),
                                        "data",
                                        EscrowCalls.allowance(owner.account(), chain.deployment.contract())),
                                "latest")
                        .asText(),
                0);
    }

    @Test
    void open_ofATokenWithPermits_isOneTransaction_andLeavesNoAllowance() {
        EvmWallet renter = renterWithCoin();
        EscrowOffer offer = offer(renter);
        int before = sent();

        var transaction = escrow.party(renter).open(offer, signed(offer));

        assertEquals(before + 1, sent());
        assertEquals(transaction, escrow.party(renter).open(offer, signed(offer)), "again, it changes nothing");
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertEquals(BigInteger.ZERO, allowance(renter));
    }

    @Test
    void open_withTooFewTokens_isInsufficientFunds_andNothingIsSent() {
        EvmWallet renter = chain.node.fundedWallet();
        EscrowOffer offer = offer(renter);
        mint(renter, offer.deposit().minus(Amount.of(1)));
        int before = sent();

        assertThrows(
                EscrowException.InsufficientFunds.class,
                () -> escrow.party(renter).open(offer, signed(offer)));
        assertEquals(before, sent());
    }

    @Test
    void openFor_aRenterWithoutAnyCoin_takesItsPermit() {
        EvmWallet renter = EvmWallet.random();
        mint(renter, DevChain.WEALTH);
        EscrowOffer offer = offer(renter);
        TokenPermit permit = escrow.party(renter).permit(offer).orElseThrow();
        Signature consent = renter.sign(escrow.consentDigest(offer));

        relay.openFor(offer, signed(offer), consent, permit);

        assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertEquals(
                DevChain.WEALTH.minus(offer.deposit()), escrow.party(renter).tokenBalance());
    }

    @Test
    void openFor_withAPermitThatSomebodyHandedInBefore_takesItsAllowance() {
        EvmWallet renter = EvmWallet.random();
        mint(renter, DevChain.WEALTH);
        EscrowOffer offer = offer(renter);
        TokenPermit permit = escrow.party(renter).permit(offer).orElseThrow();
        handIn(renter, permit);
        assertEquals(offer.deposit().units(), allowance(renter));

        relay.openFor(offer, signed(offer), renter.sign(escrow.consentDigest(offer)), permit);

        assertInstanceOf(Reading.Open.class, escrow.read(offer));
    }

    /** As anybody does who sees the permit in the pool. */
    @SuppressWarnings("rawtypes")
    private void handIn(EvmWallet owner, TokenPermit permit) {
        var inputs = new ArrayList<Type>(List.of(
                new Address(owner.account().address()),
                new Address(chain.deployment.contract().address())));
        inputs.addAll(permit.struct().getValue());
        send(
                chain.operator,
                escrow.token().contract(),
                FunctionEncoder.encode(new Function("permit", inputs, List.of())));
    }

    @Test
    void openFor_withAnothersPermit_isRefused_andNothingIsSent() {
        EvmWallet renter = renterWithCoin();
        EscrowOffer offer = offer(renter);
        TokenPermit permit = escrow.party(renter).permit(offer).orElseThrow();
        var forged = new TokenPermit(permit.value(), permit.deadline(), relay.sign(offer.digest()));
        int before = sent();

        assertThrows(
                EscrowException.Refused.class,
                () -> relay.openFor(offer, signed(offer), renter.sign(escrow.consentDigest(offer)), forged));
        assertEquals(before, sent());
    }

    @Test
    void open_whereAnAllowanceIsThere_signsNoPermit() {
        EvmWallet renter = renterWithCoin();
        EscrowOffer offer = offer(renter);
        TokenPermit permit = escrow.party(renter).permit(offer).orElseThrow();
        handIn(renter, permit);

        escrow.party(renter).open(offer, signed(offer));

        assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertEquals(BigInteger.ZERO, allowance(renter));
    }

    @Test
    void open_ofATokenThatAnswersPermitsAndGivesNoAllowance_goesByAnApproval() {
        escrow.close();
        connect("PhantomPermitToken");
        EvmWallet renter = renterWithCoin();
        EscrowOffer offer = offer(renter);
        assertEquals(Optional.empty(), escrow.party(renter).permit(offer));
        int before = sent();

        escrow.party(renter).open(offer, signed(offer));

        assertEquals(before + 2, sent());
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
    }

    @Test
    void open_whosePermitTheTokenDoesNotTake_goesByAnApproval() {
        EvmWallet renter = renterWithCoin();
        EscrowOffer offer = offer(renter);
        // The number of another permit: what is signed is worth nothing.
        String nonces = EscrowCalls.permitNonce(renter.account());
        counting.be((call, honest) -> {
            var answer = honest.ask(call);
            return call.toString().contains(nonces)
                    ? ((ObjectNode) answer).put("result", "0x" + "0".repeat(63) + "7")
                    : answer;
        });
        int before = sent();

        escrow.party(renter).open(offer, signed(offer));

        assertEquals(before + 2, sent());
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
    }

    @Test
    void permit_inADomainThatIsNotTheTokens_isNotSigned() {
        counting.be((call, honest) -> {
            var answer = honest.ask(call);
            return call.toString().contains(DOMAIN_SEPARATOR)
                    ? ((ObjectNode) answer).put("result", "0x" + "ab".repeat(32))
                    : answer;
        });
        EvmWallet renter = renterWithCoin();

        assertEquals(Optional.empty(), escrow.party(renter).permit(offer(renter)));
    }

    @Test
    void permit_ofATokenWithoutThem_isNone_andOpeningGoesByAnApproval() {
        escrow.close();
        Token token = EscrowDeployment.devToken(chain.node.url(), chain.operator);
        escrow = EvmEscrow.connect(chain.deployment.settings(counting.url(), token));
        lender = escrow.party(chain.node.fundedWallet());
        EvmWallet renter = renterWithCoin();
        EscrowOffer offer = offer(renter);
        int before = sent();

        assertEquals(Optional.empty(), escrow.party(renter).permit(offer));
        escrow.party(renter).open(offer, signed(offer));

        assertEquals(before + 2, sent());
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
        assertTrue(allowance(renter).signum() == 0);
    }
}
