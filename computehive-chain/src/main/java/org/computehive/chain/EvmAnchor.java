package org.computehive.chain;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.audit.Anchor;
import org.computehive.audit.Anchored;
import org.computehive.audit.AuditLogException;
import org.computehive.market.Account;
import org.computehive.rental.EscrowException;
import org.jspecify.annotations.Nullable;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Address;
import org.web3j.abi.datatypes.Function;
import org.web3j.abi.datatypes.Type;
import org.web3j.abi.datatypes.generated.Bytes32;
import org.web3j.abi.datatypes.generated.Uint256;
import org.web3j.abi.datatypes.generated.Uint64;

/**
 * Anchors on an Ethereum-compatible chain, in the contract {@code AuditAnchor}: a list for each account that writes and
 * each log, into which nobody else can write.
 *
 * <p>What is shown has its confirmations, and {@link #anchor} returns once it has. What was read so is kept in memory.
 * Thread-safe.
 *
 * <h2>Security guarantees</h2>
 *
 * The contract lets sizes only grow and changes nothing. A contract of other code is refused at connect, unless the node
 * lies. A node can hide anchors; it can't show one that the author's account never wrote to an auditor who asks other
 * nodes, too.
 */
public final class EvmAnchor implements Anchor, AutoCloseable {
    private static final Duration RECHECK = Duration.ofMillis(500);
    private static final int WORD_DIGITS = 64;

    private final EscrowSettings settings;
    private final Account contract;
    private final Account author;
    private final Chain chain;
    private final @Nullable Sender sender;
    private final Reverts reverts = new Reverts(Artefact.AUDIT_ANCHOR.abi());
    /** What is final, by the hash of the origin: it changes no more. Guarded by itself. */
    private final Map<String, List<Anchored>> known = new HashMap<>();

    private EvmAnchor(EscrowSettings settings, Account contract, Account author, Chain chain) {
        this.settings = settings;
        this.contract = contract;
        this.author = author;
        this.chain = chain;
        EvmWallet operator = settings.operator();
        this.sender = operator == null || !operator.account().equals(author)
                ? null
                : new Sender(
                        chain, operator, reverts, settings.feeCap(), settings.patience(), settings.confirmations());
    }

    /**
     * Connects, to write and read what the operator anchors.
     *
     * @param settings which chain, by which nodes, with how many confirmations, and the operator who pays; the escrow and
     *     the token in it don't matter
     * @param contract the {@code AuditAnchor}
     * @throws IllegalArgumentException if the settings have no operator
     * @throws EscrowException.WrongContract if the address holds no contract or another one
     * @throws EscrowException.Unreachable if no node answers
     */
    public static EvmAnchor connect(EscrowSettings settings, Account contract) {
        EvmWallet operator = settings.operator();
        if (operator == null) {
            throw new IllegalArgumentException("no operator wallet is configured to anchor with: name one");
        }
        return connect(settings, contract, operator.account());
    }

    /**
     * Connects, to read what an account anchored, as an auditor does; it is written to only if that is the operator's.
     *
     * @param settings which chain, by which nodes and with how many confirmations
     * @param contract the {@code AuditAnchor}
     * @param author whose anchors count
     * @throws EscrowException.WrongContract if the address holds no contract or another one
     * @throws EscrowException.Unreachable if no node answers
     */
    public static EvmAnchor connect(EscrowSettings settings, Account contract, Account author) {
        Chain chain = Chain.connect(
                settings.nodes(), settings.chainId(), null, settings.rpcTimeout(), settings.pollInterval());
        try {
            if (!chain.hasCode(contract, Artefact.AUDIT_ANCHOR.runtimeCode())) {
                throw new EscrowException.WrongContract(
                        "the code at %s on chain %d is not that of this version's AuditAnchor: give its address, or deploy it"
                                .formatted(contract, settings.chainId()),
                        null);
            }
            return new EvmAnchor(settings, contract, author, chain);
        } catch (RpcError e) {
            chain.close();
            throw new EscrowException.Unreachable("the chain node can't be used: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            chain.close();
            throw e;
        }
    }

    /** Returns the account whose anchors these are. */
    public Account author() {
        return author;
    }

    /**
     * {@inheritDoc}
     *
     * <p>Returns once it has its confirmations, after the settings' patience at the latest.
     *
     * @throws AuditLogException also if the author's wallet is not at hand
     */
    @Override
    public void anchor(Anchored anchored) {
        Deadline deadline = Deadline.in(settings.patience());
        try {
            if (!requireLarger(anchored)) {
                send(anchored);
            }
            awaitFinal(anchored, deadline);
        } catch (EscrowException | RpcError e) {
            throw failed(anchored, e);
        }
    }

    /** Returns whether it is anchored already. */
    private boolean requireLarger(Anchored anchored) {
        Optional<Anchored> newest = newest(anchored.originHash(), Chain.LATEST);
        if (newest.filter(anchored::equals).isPresent()) {
            return true;
        }
        if (newest.isPresent() && newest.get().size() >= anchored.size()) {
            throw new IllegalArgumentException(
                    "%s can't be anchored after %s: sizes only grow; the log was rewritten or cut, keep it as it is and look into it"
                            .formatted(anchored, newest.get()));
        }
        return false;
    }

    private void send(Anchored anchored) {
        if (sender == null) {
            throw new AuditLogException(
                    "%s can't be anchored: the wallet of %s is not at hand; name it as the operator's"
                            .formatted(anchored, author),
                    null);
        }
        String data = call(
                "anchor",
                new Bytes32(anchored.originHash()),
                new Uint64(anchored.size()),
                new Bytes32(anchored.root()));
        try {
            sender.send(new SendRequest("anchoring the audit log", contract, data, BigInteger.ZERO));
        } catch (EscrowException.Refused e) {
            // Another process with this account may have been first: with the same, or with something larger.
            if (!requireLarger(anchored)) {
                throw e;
            }
        }
    }

    private void awaitFinal(Anchored anchored, Deadline deadline) {
        while (true) {
            long seen = chain.watcher().version();
            if (anchors(anchored.originHash()).contains(anchored)) {
                return;
            }
            if (deadline.isOver()) {
                throw new AuditLogException(
                        "%s has not its %d confirmations after %s: try again"
                                .formatted(anchored, settings.confirmations(), settings.patience()),
                        null);
            }
            chain.watcher().await(seen, deadline.orIn(RECHECK));
        }
    }

    @Override
    public List<Anchored> anchors(byte[] originHash) {
        String origin = HexFormat.of().formatHex(originHash);
        List<Anchored> before;
        synchronized (known) {
            before = known.getOrDefault(origin, List.of());
        }
        try {
            List<Anchored> all = readPatiently(originHash, before);
            synchronized (known) {
                if (all.size() > known.getOrDefault(origin, List.of()).size()) {
                    known.put(origin, all);
                }
            }
            return all;
        } catch (EscrowException | RpcError e) {
            throw new AuditLogException(
                    "the anchors of %s in %s can't be read: %s; try again".formatted(author, contract, e.getMessage()),
                    e);
        }
    }

    /** A node that has just been restarted may lack the state of the blocks before, until enough new ones have come. */
    private List<Anchored> readPatiently(byte[] originHash, List<Anchored> before) {
        Deadline deadline = Deadline.in(settings.rpcTimeout());
        while (true) {
            long seen = chain.watcher().version();
            try {
                return chain.onOneNode(() -> read(originHash, before));
            } catch (RpcError e) {
                if (deadline.isOver()) {
                    throw e;
                }
                chain.watcher().await(seen, deadline.orIn(RECHECK));
            }
        }
    }

    /** Reads what came after {@code before} and is final. */
    private List<Anchored> read(byte[] originHash, List<Anchored> before) {
        long lastFinal = chain.block(Chain.LATEST).number() - settings.confirmations() + 1;
        if (lastFinal < 0) {
            return before;
        }
        String tag = Chain.hex(BigInteger.valueOf(lastFinal));
        var all = new ArrayList<>(before);
        for (long count = count(originHash, tag); all.size() < count; ) {
            Anchored next = at(originHash, all.size(), tag);
            if (!all.isEmpty() && next.size() <= all.getLast().size()) {
                throw new EscrowException.Unreachable(
                        "the chain node showed %s after %s; name another node".formatted(next, all.getLast()), null);
            }
            all.add(next);
        }
        return List.copyOf(all);
    }

    private Optional<Anchored> newest(byte[] originHash, String tag) {
        return chain.onOneNode(() -> {
            long count = count(originHash, tag);
            return count == 0 ? Optional.empty() : Optional.of(at(originHash, count - 1, tag));
        });
    }

    private long count(byte[] originHash, String tag) {
        String answer = ask(tag, "count", new Address(author.address()), new Bytes32(originHash));
        // Before its block the contract is not there, and nothing is anchored.
        return answer.equals("0x")
                ? 0
                : EscrowCalls.word(whole(answer, 1), 0)
                        .min(BigInteger.valueOf(Integer.MAX_VALUE))
                        .longValueExact();
    }

    private Anchored at(byte[] originHash, long index, String tag) {
        String answer =
                whole(ask(tag, "at", new Address(author.address()), new Bytes32(originHash), new Uint256(index)), 2);
        try {
            byte[] root =
                    HexFormat.of().parseHex(EscrowCalls.hash(answer, 1).hex().substring(2));
            return new Anchored(originHash, EscrowCalls.word(answer, 0).longValueExact(), root);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new EscrowException.Unreachable("the chain node showed an anchor that is none; name another node", e);
        }
    }

    private static String whole(String answer, int words) {
        if (answer.length() != 2 + words * WORD_DIGITS) {
            throw new EscrowException.Unreachable(
                    "the chain node gave %d characters for an anchor; name another node".formatted(answer.length()),
                    null);
        }
        return answer;
    }

    private String ask(String tag, String function, Type<?>... inputs) {
        return chain.simulate(Map.of("to", contract.address(), "data", call(function, inputs)), tag);
    }

    @SuppressWarnings("rawtypes")
    private static String call(String function, Type<?>... inputs) {
        return FunctionEncoder.encode(new Function(function, List.<Type>of(inputs), List.of()));
    }

    private static AuditLogException failed(Anchored anchored, RuntimeException e) {
        return new AuditLogException(
                "%s could not be anchored, or not for sure: %s; try again".formatted(anchored, e.getMessage()), e);
    }

    /** Lets go of the nodes; waits for nothing. */
    @Override
    public void close() {
        chain.close();
    }
}
