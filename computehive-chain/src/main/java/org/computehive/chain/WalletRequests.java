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
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.EscrowOffer.Signature;

/**
 * What the wallet of a lender or a renter is asked to sign or to send, where its key lies outside this process: typed
 * data for {@code eth_signTypedData_v4} (EIP-712) and transactions for {@code eth_sendTransaction}.
 *
 * <p>Thread-safe. Every method throws {@link EscrowException.Refused} for an offer that is not this escrow's.
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

    /**
     * Returns what the renter sends, in order, to open the escrow: approvals for exactly what its ledger balance and
     * what it approved before leave open, then the opening.
     *
     * @throws EscrowException.Unreachable if the chain can't be read
     */
    public List<Transaction> open(EscrowOffer offer, Signature lenderSignature) {
        escrow.requireOurs(offer);
        BigInteger ledger = view(
                settings.contract(), EscrowCalls.ledgerBalance(settings.token().contract(), offer.renter()));
        BigInteger rest = offer.deposit().units().subtract(ledger).max(BigInteger.ZERO);
        var transactions = new ArrayList<Transaction>();
        if (!isNative()) {
            transactions.addAll(approvals(offer.renter(), rest));
        }
        transactions.add(new Transaction(
                "open the escrow",
                offer.renter(),
                settings.contract(),
                EscrowCalls.open(offer, lenderSignature),
                isNative() ? rest : BigInteger.ZERO));
        return List.copyOf(transactions);
    }

    private List<Transaction> approvals(Account renter, BigInteger needed) {
        Account token = settings.token().contract();
        BigInteger allowed = view(token, EscrowCalls.allowance(renter, settings.contract()));
        if (allowed.compareTo(needed) >= 0) {
            return List.of();
        }
        var approve = new Transaction(
                "approve the deposit",
                renter,
                token,
                EscrowCalls.approve(settings.contract(), needed),
                BigInteger.ZERO);
        if (allowed.signum() == 0) {
            return List.of(approve);
        }
        // Some tokens change an allowance only from or to zero, against a known race of ERC-20.
        var revoke = new Transaction(
                "withdraw an older approval",
                renter,
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
