package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.computehive.chain.WalletRequests.Transaction;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Rate;
import org.computehive.rental.Escrow.Reading;
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
import org.web3j.crypto.StructuredDataEncoder;

/** Wallets outside this process, which for the tests are accounts that the node itself signs and sends for. */
@Timeout(120)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WalletRequestsIT {
    private DevChain chain;
    private EvmEscrow escrow;
    private WalletRequests requests;
    private Account lender;
    private Account renter;

    @BeforeAll
    void start() {
        chain = new DevChain(false, DevChain.options().withUnlocked(2));
        escrow = EvmEscrow.connect(chain.settings());
        requests = escrow.walletRequests();
        List<Account> accounts = chain.node.unlockedAccounts();
        lender = accounts.get(0);
        renter = accounts.get(1);
        EscrowDeployment.mint(chain.node.url(), chain.operator, chain.token, renter, DevChain.WEALTH);
    }

    @AfterAll
    void stop() {
        escrow.close();
        chain.close();
    }

    private EscrowOffer offer(long lane, Duration untilStart) {
        var start = chain.now().plus(untilStart);
        return escrow.offer(new Terms(
                lender,
                BigInteger.valueOf(lane),
                renter,
                Rate.of(277),
                Window.of(start, Duration.ofHours(1)),
                Duration.ofSeconds(60),
                Duration.ofDays(1),
                start,
                new Hash32("0x" + "5e".repeat(32))));
    }

    private Signature signed(Account account, String typedData) throws Exception {
        return new Signature(chain.node
                .call("eth_signTypedData_v4", account.address(), new ObjectMapper().readTree(typedData))
                .asText());
    }

    private void send(Transaction transaction) {
        chain.node.call(
                "eth_sendTransaction",
                Map.of(
                        "from", transaction.from().address(),
                        "to", transaction.to().address(),
                        "data", transaction.data(),
                        "value", Chain.hex(transaction.value())));
        chain.mine(1);
    }

    private void open(EscrowOffer offer, int transactions) throws Exception {
        List<Transaction> needed = requests.open(offer, signed(lender, requests.offer(offer)));
        assertEquals(transactions, needed.size());
        needed.forEach(this::send);
        assertInstanceOf(Reading.Open.class, escrow.read(offer));
    }

    private static Hash32 hash(String typedData) throws Exception {
        return Hash32.of(new StructuredDataEncoder(typedData).hashStructuredData());
    }

    @Test
    void typedData_hasTheDigestsThatTheEscrowChecks() throws Exception {
        EscrowOffer offer = offer(1, Duration.ofHours(1));
        var used = Duration.ofSeconds(30);

        assertEquals(offer.digest(), hash(requests.offer(offer)));
        assertEquals(escrow.receiptDigest(offer, used), hash(requests.receipt(offer, used)));
        assertEquals(escrow.releaseDigest(offer), hash(requests.release(offer)));
    }

    @Test
    void signaturesOfAnotherPrograms_areTheAccounts() throws Exception {
        EscrowOffer offer = offer(2, Duration.ofHours(1));
        var used = Duration.ofSeconds(30);

        escrow.checkSignature(lender, offer.digest(), signed(lender, requests.offer(offer)));
        escrow.checkSignature(renter, escrow.receiptDigest(offer, used), signed(renter, requests.receipt(offer, used)));
        assertThrows(
                EscrowException.Refused.class,
                () -> escrow.checkSignature(lender, offer.digest(), signed(renter, requests.offer(offer))));
    }

    @Test
    void transactions_openEndAndWithdraw() throws Exception {
        EscrowOffer offer = offer(3, Duration.ofHours(1));
        open(offer, 2);

        send(requests.end(offer));
        var closed = assertInstanceOf(Reading.Closed.class, escrow.read(offer));
        assertEquals(Amount.ZERO, closed.paid());
        assertEquals(offer.deposit(), requests.balance(renter));

        // What lies in the ledger needs no approval.
        EscrowOffer next = offer(4, Duration.ofHours(1));
        open(next, 1);
        send(requests.end(next));

        send(requests.withdraw(renter, requests.balance(renter)));
        assertEquals(Amount.ZERO, requests.balance(renter));
    }
}
