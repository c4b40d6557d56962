package org.computehive.chain;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.computehive.market.Account;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer.Hash32;
import org.jspecify.annotations.Nullable;

/**
 * Typed reading of one chain, whose id, first block and contract's code are held to at every connection. What a node says is
 * parsed here and nowhere else. Thread-safe.
 */
final class Chain implements AutoCloseable {
    static final String LATEST = "latest";
    static final String PENDING = "pending";
    /** By how many blocks the node in use may be behind another before that one is preferred. */
    private static final long MOST_LAG = 3;

    private final long id;
    private final @Nullable Account contract;
    private final RuntimeCode escrowsCode = Artefact.RENTAL_ESCROW.runtimeCode();
    private final JsonRpc rpc;
    private final HeadWatcher watcher;
    private final AtomicReference<@Nullable Genesis> genesis = new AtomicReference<>();
    private final AtomicBoolean surveying = new AtomicBoolean();

    /** A block's header, as far as it is used here. */
    record Block(long number, String hash, String parent, Instant time, BigInteger baseFee) {}

    /**
     * The chain's first block.
     *
     * @param isWhole whether its hash is that of its header, as on Ethereum; then that of every block must be
     */
    private record Genesis(String hash, boolean isWhole) {}

    /** An event of a contract. */
    record Log(List<String> topics, String data, long blockNumber, String blockHash, Hash32 transaction) {}

    /** What became of a transaction. */
    record Receipt(
            Hash32 transaction,
            boolean succeeded,
            long blockNumber,
            @Nullable Account created) {}

    private Chain(List<URI> urls, long id, @Nullable Account contract, Duration timeout, Duration pollInterval) {
        this.id = id;
        this.contract = contract;
        this.rpc = new JsonRpc(urls, timeout, this::check);
        this.watcher = new HeadWatcher(() -> block(LATEST).hash(), this::survey, pollInterval);
    }

    /** Looks, on a thread of its own, whether the node in use stands still while another goes on. */
    private void survey() {
        if (rpc.nodes() > 1 && surveying.compareAndSet(false, true)) {
            Thread.ofVirtual().name("computehive-chain-survey").start(() -> {
                try {
                    rpc.preferFurthest(
                            node -> quantity(node.call("eth_blockNumber"), "block number")
                                    .longValueExact(),
                            MOST_LAG);
                } finally {
                    surveying.set(false);
                }
            });
        }
    }

    /**
     * Connects and checks.
     *
     * @param contract must be there, with the escrow's code; null for none
     * @throws EscrowException.Refused if it is another chain, or lacks the contract
     * @throws EscrowException.Unreachable if no node answers
     */
    static Chain connect(List<URI> urls, long id, @Nullable Account contract, Duration timeout, Duration pollInterval) {
        var chain = new Chain(urls, id, contract, timeout, pollInterval);
        try {
            chain.block(LATEST);
            chain.watcher.start();
            return chain;
        } catch (RpcError e) {
            chain.close();
            throw new EscrowException.Unreachable("the chain node can't be used: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            chain.close();
            throw e;
        }
    }

    /** Connects to whatever chain a node serves: for chains of one's own. */
    static Chain connect(URI url) {
        long id;
        Duration timeout = Duration.ofSeconds(10);
        try (var asking = new JsonRpc(List.of(url), timeout, caller -> {})) {
            id = quantity(asking.call("eth_chainId"), "chain id").longValueExact();
        }
        return connect(List.of(url), id, null, timeout, Duration.ofMillis(100));
    }

    private void check(JsonRpc.Caller node) {
        BigInteger served = quantity(node.call("eth_chainId"), "chain id");
        if (!served.equals(BigInteger.valueOf(id))) {
            throw mismatch(
                    "the node serves chain %s, chain %d is expected: give the right node or chain id"
                            .formatted(served, id),
                    EscrowException.WrongChain::new);
        }
        JsonNode block = node.call("eth_getBlockByNumber", "0x0", false);
        var first = new Genesis(parseBlock(block).hash(), Header.isWhole(block));
        Genesis known = genesis.get();
        if (known != null && !known.equals(first)) {
            throw mismatch(
                    "the node's chain %d begins with block %s, the one known here with %s: restart it from its state"
                            .formatted(id, first.hash(), known.hash()),
                    EscrowException.WrongChain::new);
        }
        if (contract != null) {
            checkCode(contract, text(node.call("eth_getCode", contract.address(), LATEST), "code"));
        }
        genesis.compareAndSet(null, first);
    }

    /** That a contract answers as the escrow does says nothing of what it does with money: its code must be the escrow's. */
    private void checkCode(Account address, String code) {
        if (code.equals("0x")) {
            throw mismatch(
                    "there is no contract at %s on chain %d: give the escrow's address, or deploy it"
                            .formatted(address, id),
                    EscrowException.WrongContract::new);
        }
        if (!escrowsCode.is(code)) {
            throw mismatch(
                    "wrong contract at the address: the %d bytes of code at %s on chain %d are not those of this version's RentalEscrow: give the escrow's address"
                            .formatted(code.length() / 2 - 1, address, id),
                    EscrowException.WrongContract::new);
        }
    }

    /** A node that never was right is refused; one that was right before is in trouble, and nothing is known. */
    private EscrowException mismatch(
            String message, BiFunction<String, @Nullable Throwable, EscrowException.Refused> refusal) {
        return genesis.get() == null ? refusal.apply(message, null) : new EscrowException.Unreachable(message, null);
    }

    long id() {
        return id;
    }

    /** Returns what tells this chain from every other, also from one with the same id. */
    String identity() {
        Genesis first = genesis.get();
        return id + "/" + (first == null ? "" : first.hash());
    }

    HeadWatcher watcher() {
        return watcher;
    }

    JsonNode call(String method, Object... params) {
        return rpc.call(method, params);
    }

    /** Has one node read several things that must fit together; see {@link JsonRpc#onOneNode}. */
    <T> T onOneNode(Supplier<T> reading) {
        return rpc.onOneNode(reading);
    }

    /** Has every node but the one in use read the same, side by side; those that can't, or were silent lately, give nothing. */
    <T> List<T> onOtherNodes(Supplier<T> reading) {
        return rpc.onOtherNodes(reading);
    }

    Block block(String tag) {
        return checked(call("eth_getBlockByNumber", tag, false));
    }

    /**
     * Reads a block.
     *
     * @throws EscrowException.Unreachable if the node has none of that number, or another
     */
    Block block(long number) {
        Block block = block(hex(BigInteger.valueOf(number)));
        if (block.number() != number) {
            throw new EscrowException.Unreachable(
                    "the chain node was asked for block %d and gave block %d; check it or name another node"
                            .formatted(number, block.number()),
                    null);
        }
        return block;
    }

    Block blockOf(Log log) {
        Block block = checked(call("eth_getBlockByHash", log.blockHash(), false));
        if (!block.hash().equals(log.blockHash()) || block.number() != log.blockNumber()) {
            throw new EscrowException.Unreachable(
                    "the chain node was asked for block %s and gave block %s; check it or name another node"
                            .formatted(log.blockHash(), block.hash()),
                    null);
        }
        return block;
    }

    /** Parses a block whose hash, on a chain of Ethereum's headers, must be that of its header. */
    private Block checked(JsonNode json) {
        Block block = parseBlock(json);
        Genesis first = genesis.get();
        if (first != null && first.isWhole() && !Header.isWhole(json)) {
            throw new EscrowException.Unreachable(
                    "the chain node lies about block %d: its members do not make its hash %s; name another node"
                            .formatted(block.number(), block.hash()),
                    null);
        }
        return block;
    }

    boolean hasCode(Account address, RuntimeCode code) {
        return code.is(text(call("eth_getCode", address.address(), LATEST), "code"));
    }

    boolean hasCode(Account address) {
        return text(call("eth_getCode", address.address(), LATEST), "code").length() > 2;
    }

    BigInteger balance(Account account) {
        return quantity(call("eth_getBalance", account.address(), LATEST), "balance");
    }

    BigInteger transactionCount(Account account, String tag) {
        return quantity(call("eth_getTransactionCount", account.address(), tag), "transaction count");
    }

    /** Returns the hash of an account's transaction of some number, or null if a block has none such. */
    @Nullable Hash32 transactionOf(Account from, BigInteger nonce, long block) {
        JsonNode full = call("eth_getBlockByNumber", hex(BigInteger.valueOf(block)), true);
        for (JsonNode transaction : full.path("transactions")) {
            if (from.equals(new Account(text(transaction.path("from"), "sender of a transaction")))
                    && nonce.equals(quantity(transaction.path("nonce"), "number of a transaction"))) {
                return hash(transaction.path("hash"));
            }
        }
        return null;
    }

    boolean knows(Hash32 transaction) {
        return !call("eth_getTransactionByHash", transaction.hex()).isNull();
    }

    @Nullable Receipt receipt(Hash32 transaction) {
        JsonNode receipt = call("eth_getTransactionReceipt", transaction.hex());
        if (receipt.isNull()) {
            return null;
        }
        JsonNode created = receipt.path("contractAddress");
        return new Receipt(
                transaction,
                quantity(receipt.path("status"), "receipt status").signum() == 1,
                quantity(receipt.path("blockNumber"), "block number").longValueExact(),
                created.isTextual() ? new Account(created.asText()) : null);
    }

    /** Runs a call without sending it. */
    String simulate(Map<String, String> transaction, String tag) {
        return text(call("eth_call", transaction, tag), "result of a call");
    }

    /**
     * Reads a contract's events in a range of blocks.
     *
     * @throws EscrowException.Unreachable if what comes is not what was asked for
     */
    List<Log> logs(Account of, long fromBlock, long toBlock, List<?> topics) {
        return logs(
                of,
                fromBlock,
                toBlock,
                Map.of(
                        "address",
                        of.address(),
                        "fromBlock",
                        hex(BigInteger.valueOf(fromBlock)),
                        "toBlock",
                        hex(BigInteger.valueOf(toBlock)),
                        "topics",
                        topics));
    }

    /** Reads a contract's events in one block, by its hash (EIP-234): a node that lacks it says so. */
    List<Log> logs(Account of, Block block, List<?> topics) {
        return logs(
                of,
                block.number(),
                block.number(),
                Map.of("address", of.address(), "blockHash", block.hash(), "topics", topics));
    }

    private List<Log> logs(Account of, long fromBlock, long toBlock, Map<String, Object> filter) {
        JsonNode found = call("eth_getLogs", filter);
        if (!found.isArray()) {
            throw nonsense("logs");
        }
        var logs = new ArrayList<Log>();
        for (JsonNode log : found) {
            Log parsed = parseLog(log);
            if (!of.equals(new Account(text(log.path("address"), "address of a log")))
                    || parsed.blockNumber() < fromBlock
                    || parsed.blockNumber() > toBlock
                    || log.path("removed").asBoolean()) {
                throw nonsense("the logs of %s in blocks %d to %d".formatted(of, fromBlock, toBlock));
            }
            logs.add(parsed);
        }
        return List.copyOf(logs);
    }

    private static Log parseLog(JsonNode log) {
        var names = new ArrayList<String>();
        log.path("topics").forEach(topic -> names.add(topic.asText()));
        return new Log(
                List.copyOf(names),
                text(log.path("data"), "data of a log"),
                quantity(log.path("blockNumber"), "block number").longValueExact(),
                text(log.path("blockHash"), "block hash"),
                hash(log.path("transactionHash")));
    }

    private static Block parseBlock(JsonNode block) {
        if (!block.isObject()) {
            throw nonsense("a block");
        }
        JsonNode fee = block.path("baseFeePerGas");
        return new Block(
                quantity(block.path("number"), "block number").longValueExact(),
                text(block.path("hash"), "block hash"),
                text(block.path("parentHash"), "hash of a block's parent"),
                Instant.ofEpochSecond(
                        quantity(block.path("timestamp"), "block time").longValueExact()),
                fee.isTextual() ? quantity(fee, "base fee") : BigInteger.ZERO);
    }

    static String hex(BigInteger value) {
        return "0x" + value.toString(16);
    }

    static BigInteger quantity(JsonNode node, String what) {
        String text = node.asText();
        if (!node.isTextual() || !text.matches("0x[0-9a-fA-F]{1,64}")) {
            throw nonsense(what);
        }
        return new BigInteger(text.substring(2), 16);
    }

    static String text(JsonNode node, String what) {
        if (!node.isTextual() || !node.asText().startsWith("0x")) {
            throw nonsense(what);
        }
        return node.asText();
    }

    private static Hash32 hash(JsonNode node) {
        try {
            return new Hash32(node.asText());
        } catch (IllegalArgumentException e) {
            throw new EscrowException.Unreachable("the chain node gave a transaction hash that is none", e);
        }
    }

    private static EscrowException.Unreachable nonsense(String what) {
        return new EscrowException.Unreachable(
                "the chain node was asked for %s and gave something else; check it or name another node"
                        .formatted(what),
                null);
    }

    @Override
    public void close() {
        watcher.close();
        rpc.close();
    }
}
