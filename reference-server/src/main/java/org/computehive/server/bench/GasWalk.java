package org.computehive.server.bench;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.EscrowDeployment;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;
import org.web3j.crypto.Hash;
import org.web3j.utils.Numeric;

/**
 * One lender, one renter and an arbiter on a chain node of their own, who send each call as a wallet would, by {@code
 * eth_sendTransaction}; the call data is written by hand. Each measurement takes lanes of its own, which had a rental
 * before.
 */
final class GasWalk implements AutoCloseable {
    /** How many accounts the node must speak for beside lender and renter: an arbiter, and somebody who settles. */
    static final int UNLOCKED = 2;

    private static final long RATE = 1_000_000_000;
    private static final long BOND = 1_000_000;
    private static final long DISPUTE_BOND = 100_000;
    private static final Duration WINDOW = Duration.ofHours(2);
    private static final Duration ELAPSED = Duration.ofHours(1);
    private static final Duration GRACE = Duration.ofMinutes(5);
    private static final Duration DISPUTE_WINDOW = Duration.ofDays(1);
    private static final BigInteger COST = BigInteger.valueOf(RATE * WINDOW.toSeconds());
    private static final String NATIVE = "0x" + "0".repeat(40);
    private static final String NOBODY = NATIVE;
    private static final String OFFER = "(uint256,uint256,uint256,uint256,uint256,bytes32)";
    private static final String RUNNING = "0".repeat(64);

    private final AnvilNode chain;
    private final JsonRpc node;
    private final EvmWallet lender;
    private final EvmWallet renter;
    private final String arbiter;
    private final String somebody;
    private final String token;
    private final String escrow;
    private long lane;
    private boolean accounting;
    private @Nullable GasAccount account;

    /** A rental that its renter disputed, and the receipt of that. */
    private record Disputed(String offer, JsonNode receipt) {}

    GasWalk(AnvilNode chain) throws Exception {
        this.chain = chain;
        List<String> unlocked =
                chain.unlockedAccounts().stream().map(Account::address).toList();
        lender = chain.fundedWallet();
        renter = chain.fundedWallet();
        arbiter = unlocked.get(0);
        somebody = unlocked.get(1);
        escrow = EscrowDeployment.escrow(chain.url(), lender).contract().address();
        Token dollars = EscrowDeployment.devToken(chain.url(), lender);
        token = dollars.contract().address();
        node = new JsonRpc(chain.url());
        for (EvmWallet party : List.of(lender, renter)) {
            node.call("anvil_impersonateAccount", address(party));
            EscrowDeployment.mint(chain.url(), lender, dollars, party.account(), new Amount(BigInteger.TEN.pow(30)));
            send(address(party), token, 0, call("approve(address,uint256)", word(escrow), "f".repeat(64)));
        }
    }

    /** All of the cost is pulled from the renter's wallet. */
    double openFromWallet() throws Exception {
        String offer = second(token, NOBODY);
        drain(token);
        return open(offer, token);
    }

    /** All of the cost is in the renter's ledger account. */
    double openFromLedger() throws Exception {
        String offer = second(token, NOBODY);
        deposit(address(renter), COST);
        return open(offer, token);
    }

    /** All of the cost is sent along. */
    double openNative() throws Exception {
        return open(second(NATIVE, NOBODY), NATIVE);
    }

    double settle() throws Exception {
        String offer = opened(NOBODY);
        chain.advance(WINDOW.plus(DISPUTE_WINDOW));
        return send(somebody, escrow, 0, call("settle(" + OFFER + ")", offer));
    }

    double endEarly() throws Exception {
        return end(opened(NOBODY));
    }

    /** Signed by the renter for the seconds elapsed, and brought by the lender. */
    double receipt() throws Exception {
        String offer = opened(NOBODY);
        String used = word(ELAPSED.toSeconds());
        String signature = bytes(sign(renter, view("hashReceipt(bytes32,uint32)", offerHash(offer), used)));
        String function = "settleWithReceipt(" + OFFER + ",uint256,uint32,bytes,bytes)";
        String data = call(
                function,
                offer,
                RUNNING,
                used,
                word(10 * 32),
                word(10 * 32 + signature.length() / 2),
                signature,
                word(0));
        return send(address(lender), escrow, 0, data);
    }

    /** By the renter, whose ledger account covers the bond. */
    double dispute() throws Exception {
        return gasOf(disputed().receipt());
    }

    /** By the arbiter, who gives both something. */
    double resolve() throws Exception {
        Disputed disputed = disputed();
        String phase =
                disputed.receipt().get("logs").get(0).get("data").asText().substring(2, 66);
        return send(
                arbiter,
                escrow,
                0,
                call(
                        "resolve(" + OFFER + ",uint256,uint32,uint96,uint96)",
                        disputed.offer(),
                        phase,
                        word(1000),
                        word(10),
                        word(10)));
    }

    private Disputed disputed() throws Exception {
        deposit(address(lender), BigInteger.valueOf(BOND));
        String offer = second(token, arbiter);
        deposit(address(renter), COST.add(BigInteger.valueOf(DISPUTE_BOND)));
        open(offer, token);
        JsonNode receipt = receiptOf(
                address(renter),
                escrow,
                0,
                call("dispute(" + OFFER + ",uint256,bytes32,uint64)", offer, RUNNING, "ab".repeat(32), word(7)));
        return new Disputed(offer, receipt);
    }

    /** Returns what all of them take together. */
    double settleMany(int count) throws Exception {
        var offers = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            offers.add(opened(NOBODY));
        }
        chain.advance(WINDOW.plus(DISPUTE_WINDOW));
        return send(
                somebody,
                escrow,
                0,
                call("settleMany(" + OFFER + "[])", word(32), word(count), String.join("", offers)));
    }

    @Override
    public void close() {
        node.close();
    }

    /** The second offer of a lane, whose first left something in both accounts. */
    private String second(String currency, String decider) throws Exception {
        long own = lane++;
        String first = offer(currency, NOBODY, own, 0);
        open(first, currency);
        end(first);
        return offer(currency, decider, own, 1);
    }

    /** A second offer that is open, of a renter whose ledger account is empty. */
    private String opened(String decider) throws Exception {
        String offer = second(token, decider);
        drain(token);
        open(offer, token);
        return offer;
    }

    /** The six words of an offer whose window began a while ago. */
    private String offer(String currency, String decider, long ofLane, long sequence) throws Exception {
        long now = Long.decode(node.call("eth_getBlockByNumber", "latest", false)
                .get("timestamp")
                .asText());
        boolean decided = !decider.equals(NOBODY);
        return address(lender).substring(2)
                + hex(16, ofLane)
                + hex(8, sequence)
                + address(renter).substring(2)
                + hex(24, RATE)
                + currency.substring(2)
                + hex(24, decided ? BOND : 0)
                + decider.substring(2)
                + hex(24, decided ? DISPUTE_BOND : 0)
                + hex(10, now - ELAPSED.toSeconds())
                + hex(8, WINDOW.toSeconds())
                + hex(10, now + WINDOW.toSeconds())
                + hex(6, GRACE.toSeconds())
                + hex(6, DISPUTE_WINDOW.toSeconds())
                + hex(24, 0)
                + Numeric.toHexStringNoPrefix(Hash.sha3(("spec " + ofLane).getBytes(StandardCharsets.UTF_8)));
    }

    private double open(String offer, String currency) throws Exception {
        String signature = bytes(sign(lender, offerHash(offer)));
        String data = call("open(" + OFFER + ",bytes)", offer, word(7 * 32), signature);
        return send(address(renter), escrow, currency.equals(NATIVE) ? COST.longValueExact() : 0, data);
    }

    private double end(String offer) throws Exception {
        return send(address(renter), escrow, 0, call("end(" + OFFER + ")", offer));
    }

    private void deposit(String account, BigInteger amount) throws Exception {
        send(account, escrow, 0, call("deposit(address,uint256)", word(token), "%064x".formatted(amount)));
    }

    /** Takes all out of the renter's ledger account; its slot stays in use. */
    private void drain(String currency) throws Exception {
        String balance = view("balanceOf(address,address)", word(currency), word(address(renter)));
        if (!balance.equals(RUNNING)) {
            send(
                    address(renter),
                    escrow,
                    0,
                    call("withdraw(address,uint256,address)", word(currency), balance, word(address(renter))));
        }
    }

    private String offerHash(String offer) throws Exception {
        return view("hashOffer(" + OFFER + ")", offer);
    }

    private String view(String function, String... words) throws Exception {
        return node.call("eth_call", Map.of("to", escrow, "data", call(function, words)), "latest")
                .asText()
                .substring(2);
    }

    private double send(String from, String to, long value, String data) throws Exception {
        return gasOf(receiptOf(from, to, value, data));
    }

    private JsonNode receiptOf(String from, String to, long value, String data) throws Exception {
        Map<String, String> transaction =
                Map.of("from", from, "to", to, "value", "0x" + Long.toHexString(value), "data", data);
        if (accounting) {
            Map<String, Boolean> brief = Map.of("disableMemory", true, "disableStorage", true);
            account = GasAccount.of(data, node.call("debug_traceCall", transaction, "latest", brief));
        }
        return node.receipt(transaction);
    }

    /** Has the node tell from now on where gas goes, or not: that takes a while. */
    void accounting(boolean on) {
        accounting = on;
        account = null;
    }

    /** Returns where the gas of the transaction that was sent last went, if that was told. */
    Optional<GasAccount> account() {
        return Optional.ofNullable(account);
    }

    private static double gasOf(JsonNode receipt) {
        return Long.decode(receipt.get("gasUsed").asText());
    }

    private static String sign(EvmWallet wallet, String digest) {
        return wallet.sign(new Hash32("0x" + digest)).hex().substring(2);
    }

    private static String address(EvmWallet wallet) {
        return wallet.account().address();
    }

    private static String call(String function, String... words) {
        return Hash.sha3String(function).substring(0, 10) + String.join("", words);
    }

    private static String bytes(String hexadecimal) {
        int padded = (hexadecimal.length() + 63) / 64 * 64;
        return word(hexadecimal.length() / 2) + hexadecimal + "0".repeat(padded - hexadecimal.length());
    }

    private static String word(String address) {
        return "0".repeat(24) + address.substring(2);
    }

    private static String word(long value) {
        return hex(64, value);
    }

    private static String hex(int digits, long value) {
        return ("%0" + digits + "x").formatted(value);
    }
}
