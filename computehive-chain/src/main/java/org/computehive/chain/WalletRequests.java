package org.computehive.chain;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.Escrow.Phase;
import org.computehive.rental.Escrow.Settlement;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Hash32;
import org.computehive.rental.EscrowOffer.Signature;

/**
 * What the wallet of a lender or a renter is asked to sign or to send, where its key lies outside this process: typed
 * data for {@code eth_signTypedData_v4} (EIP-712) and transactions for {@code eth_sendTransaction}.
 *
 * <p>Thread-safe. Every method throws {@link EscrowException.Refused} for an offer that is not this escrow's. What is a
 * single transaction about an open escrow is simulated first, and throws what {@link EvmParty} would.
 */
public final class WalletRequests {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final EvmEscrow escrow;
    private final Chain chain;
    private final EscrowSettings settings;

    WalletRequests(EvmEscrow escrow, Chain chain) {
        this.escrow = escrow;
        this.chain = chain;
        this.settings = escrow.settings();
    }

    /**
     * A transaction that a wallet completes with nonce, gas and fees, and signs.
     *
     * @param purpose what it does, for people
     * @param from who sends it
     * @param to the contract that it calls
     * @param data the call, in hexadecimal with {@code 0x}
     * @param value the native coin that goes with it, in wei
     */
    public record Transaction(String purpose, Account from, Account to, String data, BigInteger value) {}

    /** Returns the typed data of an offer, as JSON; the lender signs it. Its hash is the offer's digest. */
    public String offer(EscrowOffer offer) {
        escrow.requireOurs(offer);
        return typedData(
                "Offer",
                OfferCodec.members(offer).stream()
                        .map(member -> new Member(member.name(), member.type(), member.shown()))
                        .toList());
    }

    /**
     * Returns the typed data of a receipt, as JSON; renter and lender sign it. Its hash is {@link
     * EvmEscrow#receiptDigest}.
     *
     * @param used whole seconds, at most the window's length
     */
    public String receipt(EscrowOffer offer, Duration used) {
        escrow.requireOurs(offer);
        return typedData(
                "Receipt",
                List.of(
                        new Member("offerHash", "bytes32", offer.digest()),
                        new Member("used", "uint32", OfferCodec.used(offer, used))));
    }

    /** Returns the typed data of a release, as JSON; the lender signs it. Its hash is {@link EvmEscrow#releaseDigest}. */
    public String release(EscrowOffer offer) {
        escrow.requireOurs(offer);
        return typedData("Release", List.of(new Member("offerHash", "bytes32", offer.digest())));
    }

    /** Returns the typed data of a renter's consent, as JSON. Its hash is {@link EvmEscrow#consentDigest}. */
    public String consent(EscrowOffer offer) {
        escrow.requireOurs(offer);
        return typedData("Consent", List.of(new Member("offerHash", "bytes32", offer.digest())));
    }

    /** Returns the typed data of an extension, as JSON; the lender signs it. Its hash is {@link EvmEscrow#extensionDigest}. */
    public String extension(EscrowOffer first, EscrowOffer offer) {
        escrow.requireOurs(first);
        escrow.requireOurs(offer);
        return typedData(
                "Extension",
                List.of(
                        new Member("firstHash", "bytes32", first.digest()),
                        new Member("offerHash", "bytes32", offer.digest())));
    }

    /**
     * Returns what the renter sends, in order, to open the escrow: approvals for exactly what its ledger balance and
     * what it approved before leave open, then the opening.
     *
     * @throws EscrowException.Unreachable if the chain can't be read
     */
    public List<Transaction> open(EscrowOffer offer, Signature lenderSignature) {
        escrow.requireOurs(offer);
        return paying(
                "open the escrow",
                offer.renter(),
                missing(offer.renter(), offer.deposit()),
                EscrowCalls.open(offer, lenderSignature));
    }

    /**
     * Returns what the renter sends, in order, to open an escrow that goes on where a running one ends; see {@link
     * EvmParty#extend}.
     *
     * @throws EscrowException.Unreachable if the chain can't be read
     */
    public List<Transaction> extend(EscrowOffer first, EscrowOffer offer, Signature lenderSignature) {
        escrow.requireOurs(first);
        escrow.requireOurs(offer);
        return paying(
                "open the extension's escrow",
                offer.renter(),
                missing(offer.renter(), offer.deposit()),
                EscrowCalls.extend(first, offer, lenderSignature));
    }

    /**
     * Returns what an account sends, in order, to move an amount from itself to its balance in the escrow's ledger: a lender
     * for its bonds, a renter to open without approvals.
     *
     * @throws IllegalArgumentException if the amount is zero
     * @throws EscrowException.Unreachable if the chain can't be read
     */
    public List<Transaction> deposit(Account account, Amount amount) {
        if (amount.equals(Amount.ZERO)) {
            throw new IllegalArgumentException("an amount of 0 is no deposit: give at least 1 unit");
        }
        return paying(
                "deposit to the ledger",
                account,
                amount.units(),
                EscrowCalls.deposit(settings.token().contract(), amount));
    }

    /**
     * Returns what a party sends, in order, to dispute; see {@link EvmParty#dispute}.
     *
     * @throws EscrowException.Refused if the escrow is not open
     * @throws EscrowException.Unreachable if the chain can't be read
     */
    public List<Transaction> dispute(EscrowOffer offer, Account party, Hash32 evidence, BigInteger entry) {
        BigInteger phase = escrow.phaseWord("disputing", offer);
        List<Transaction> transactions = paying(
                "dispute what is paid",
                party,
                missing(party, offer.stakes().disputeBond()),
                EscrowCalls.dispute(offer, phase, evidence, entry));
        return transactions.size() == 1 ? List.of(wouldWork(transactions.getFirst())) : transactions;
    }

    /** Returns what the arbiter sends to decide a dispute; see {@link EvmParty#resolve}. */
    public Transaction resolve(EscrowOffer offer, Duration used, Amount slash, Amount forfeit) {
        BigInteger phase = escrow.phaseWord("resolving", offer);
        return wouldWork(call(
                "decide the dispute",
                offer.stakes().arbiter(),
                EscrowCalls.resolve(offer, phase, used, slash, forfeit)));
    }

    /** Returns what the lender sends to end the escrow; see {@link EvmParty#endAsLender}. */
    public Transaction endAsLender(EscrowOffer offer) {
        escrow.requireOurs(offer);
        return wouldWork(call("end the escrow as its lender", offer.lender(), EscrowCalls.end(offer)));
    }

    /** Returns what a party sends to report that the other one never came, or never started; see {@link EvmParty#reportNoShow}. */
    public Transaction reportNoShow(EscrowOffer offer, Account party) {
        escrow.requireOurs(offer);
        return wouldWork(call("report a no-show", party, EscrowCalls.reportNoShow(offer)));
    }

    /**
     * Returns what anybody sends to settle an open escrow without the other party, as its phase allows: after the time lock,
     * by a party's word, or after the arbiter's silence.
     *
     * @throws EscrowException.NotYet if it is not time
     */
    public Transaction settle(EscrowOffer offer, Account from) {
        EscrowReader.Sight sight = escrow.openSight("settling", offer);
        Settlement settlement = switch (EscrowReader.headPhase(offer, sight)) {
            case Phase.Running running -> new Settlement.ByTimeLock();
            case Phase.Ended ended -> new Settlement.ByWord();
            case Phase.Disputed disputed -> new Settlement.BySilence();
        };
        return wouldWork(call("settle the escrow", from, EscrowCalls.settle(offer, EvmEscrow.word(sight), settlement)));
    }

    /** Returns what a lender sends to make every offer that it signed for one of its idle lanes worthless. */
    public Transaction cancelOffers(Account lender, BigInteger lane) {
        return wouldWork(call("cancel the offers of lane " + lane, lender, EscrowCalls.cancelOffers(lane)));
    }

    /** A call that takes an amount from its sender, and the approvals that it needs before. */
    private List<Transaction> paying(String purpose, Account from, BigInteger amount, String data) {
        var transactions = new ArrayList<Transaction>();
        if (!isNative()) {
            transactions.addAll(approvals(from, amount));
        }
        transactions.add(
                new Transaction(purpose, from, settings.contract(), data, isNative() ? amount : BigInteger.ZERO));
        return List.copyOf(transactions);
    }

    /** Returns what of an amount an account's ledger balance does not cover. */
    private BigInteger missing(Account account, Amount amount) {
        return amount.units().subtract(balance(account).units()).max(BigInteger.ZERO);
    }

    private Transaction call(String purpose, Account from, String data) {
        return new Transaction(purpose, from, settings.contract(), data, BigInteger.ZERO);
    }

    private Transaction wouldWork(Transaction transaction) {
        try {
            chain.simulate(
                    Map.of(
                            "from", transaction.from().address(),
                            "to", transaction.to().address(),
                            "data", transaction.data(),
                            "value", Chain.hex(transaction.value())),
                    Chain.PENDING);
            return transaction;
        } catch (RpcError e) {
            throw escrow.explain(transaction.purpose(), e);
        }
    }

    private List<Transaction> approvals(Account payer, BigInteger needed) {
        Account token = settings.token().contract();
        BigInteger allowed = view(token, EscrowCalls.allowance(payer, settings.contract()));
        if (allowed.compareTo(needed) >= 0) {
            return List.of();
        }
        var approve = new Transaction(
                "approve what is to be paid",
                payer,
                token,
                EscrowCalls.approve(settings.contract(), needed),
                BigInteger.ZERO);
        if (allowed.signum() == 0) {
            return List.of(approve);
        }
        // Some tokens change an allowance only from or to zero, against a known race of ERC-20.
        var revoke = new Transaction(
                "withdraw an older approval",
                payer,
                token,
                EscrowCalls.approve(settings.contract(), BigInteger.ZERO),
                BigInteger.ZERO);
        return List.of(revoke, approve);
    }

    /** Returns what the renter sends to end the escrow by its own hand, without the platform; see {@link EvmParty#end}. */
    public Transaction end(EscrowOffer offer) {
        escrow.requireOurs(offer);
        return new Transaction(
                "end the escrow", offer.renter(), settings.contract(), EscrowCalls.end(offer), BigInteger.ZERO);
    }

    /**
     * Returns what the escrow's ledger owes an account: payouts and refunds wait there to be withdrawn.
     *
     * @throws EscrowException.Unreachable if the chain can't be read
     */
    public Amount balance(Account account) {
        return new Amount(view(
                settings.contract(), EscrowCalls.ledgerBalance(settings.token().contract(), account)));
    }

    /** Returns what an account sends to move an amount from the escrow's ledger to itself. */
    public Transaction withdraw(Account account, Amount amount) {
        return new Transaction(
                "withdraw from the ledger",
                account,
                settings.contract(),
                EscrowCalls.withdraw(settings.token().contract(), amount, account),
                BigInteger.ZERO);
    }

    private boolean isNative() {
        return settings.token().contract().equals(Account.ZERO);
    }

    private BigInteger view(Account of, String data) {
        try {
            return EscrowCalls.word(chain.simulate(Map.of("to", of.address(), "data", data), Chain.LATEST), 0);
        } catch (RpcError e) {
            throw escrow.explain("reading a balance", e);
        }
    }

    /** Numbers are strings: a rate may be larger than what JavaScript holds. */
    private record Member(String name, String type, Object value) {}

    private String typedData(String type, List<Member> members) {
        ObjectNode types = JsonNodeFactory.instance.objectNode();
        ArrayNode domainTypes = types.putArray("EIP712Domain");
        domainTypes.addObject().put("name", "name").put("type", "string");
        domainTypes.addObject().put("name", "version").put("type", "string");
        domainTypes.addObject().put("name", "chainId").put("type", "uint256");
        domainTypes.addObject().put("name", "verifyingContract").put("type", "address");
        ArrayNode memberTypes = types.putArray(type);
        ObjectNode message = JsonNodeFactory.instance.objectNode();
        for (Member member : members) {
            memberTypes.addObject().put("name", member.name()).put("type", member.type());
            message.put(member.name(), member.value().toString());
        }
        ObjectNode root = MAPPER.createObjectNode();
        root.set("types", types);
        root.put("primaryType", type);
        root.putObject("domain")
                .put("name", OfferCodec.DOMAIN_NAME)
                .put("version", OfferCodec.DOMAIN_VERSION)
                .put("chainId", settings.chainId())
                .put("verifyingContract", settings.contract().address());
        root.set("message", message);
        return root.toString();
    }
}
