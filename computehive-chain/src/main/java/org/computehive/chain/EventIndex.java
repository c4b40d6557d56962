package org.computehive.chain;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.stream.Stream;
import org.computehive.chain.Chain.Block;
import org.computehive.chain.Chain.Log;
import org.computehive.market.Account;
import org.computehive.rental.EscrowException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which blocks hold a contract's events, by what the events are about, so that a reading asks for a few blocks and not for
 * all since the deployment.
 *
 * <p>It goes on from the block where it stopped, which a file can keep over restarts: far back in ranges as wide as the
 * node allows, the newest blocks one by one and by their hashes, each of which must name the one before as its parent. So a
 * gap is refilled, a node that lacks a block says so instead of giving no events, and blocks that a reorganisation
 * replaced are forgotten and read anew. Thread-safe.
 */
final class EventIndex {
    private static final Logger LOG = LoggerFactory.getLogger(EventIndex.class);
    private static final long WIDEST = 10_000;
    private static final long SAVE_EVERY = 1_000;
    private static final String FORMAT = "computehive-events-2";

    private final Chain chain;
    private final Account contract;
    private final long from;
    private final List<Object> topics;
    private final Function<Log, String> subject;
    private final int confirmations;
    private final @Nullable Path file;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<String, NavigableSet<Long>> blocks = new HashMap<>();
    /** The newest blocks, each the parent of the next; the first was final when it was followed. */
    private final Deque<Link> links = new ArrayDeque<>();

    private long width = WIDEST;
    private long saved;

    /** A block that was followed, and what its events are about. */
    private record Link(long number, String hash, Set<String> subjects) {}

    /**
     * Prepares, and reads the file if there is one.
     *
     * @param from the first block that can hold an event
     * @param names the hashes of the events' signatures
     * @param subject tells what an event is about
     * @param confirmations how many blocks make one final
     * @param file keeps what is final; null for memory alone
     */
    EventIndex(
            Chain chain,
            Account contract,
            long from,
            List<String> names,
            Function<Log, String> subject,
            int confirmations,
            @Nullable Path file) {
        this.chain = chain;
        this.contract = contract;
        this.from = from;
        this.topics = List.of(List.copyOf(names));
        this.subject = subject;
        this.confirmations = confirmations;
        this.file = file;
        load();
    }

    /**
     * Follows the chain up to a head, and tells which blocks up to it hold events about a subject.
     *
     * @throws EscrowException.Unreachable if the node can't give all blocks of one chain; nothing is skipped then
     */
    List<Long> blocksOf(String subject, Block head) {
        lock.lock();
        try {
            follow(head);
            return List.copyOf(blocks.getOrDefault(subject, new TreeSet<>()));
        } finally {
            lock.unlock();
        }
    }

    private void follow(Block head) {
        Link anchor = links.peekFirst();
        if (anchor != null && head.number() < anchor.number()) {
            throw new EscrowException.Unreachable(
                    "the node's head is block %d, block %d was final before: the node lags or lost blocks; wait"
                            .formatted(head.number(), anchor.number()),
                    null);
        }
        rollBack(head);
        long lastFinal = head.number() - confirmations;
        Link last = links.peekLast();
        if (last == null || last.number() < lastFinal) {
            scan(last == null ? from : last.number() + 1, lastFinal);
        }
        link(head);
        letGo(lastFinal);
    }

    /** Forgets the newest blocks that are not in the head's chain. */
    private void rollBack(Block head) {
        while (!links.isEmpty() && !isInChainOf(links.getLast(), head)) {
            Link gone = links.removeLast();
            gone.subjects().forEach(subject -> forget(subject, gone.number()));
            LOG.debug("block {} {} was replaced", gone.number(), gone.hash());
            if (links.isEmpty()) {
                LOG.warn("block {} was final and is replaced: all events are read anew", gone.number());
                blocks.clear();
            }
        }
    }

    private boolean isInChainOf(Link link, Block head) {
        return link.hash().equals(head.hash())
                || link.hash().equals(head.parent())
                || (link.number() < head.number()
                        && chain.block(link.number()).hash().equals(link.hash()));
    }

    /** Reads blocks that are final, many at once. */
    private void scan(long first, long lastFinal) {
        if (lastFinal < first) {
            return;
        }
        Block end = chain.block(lastFinal);
        var found = new HashMap<String, NavigableSet<Long>>();
        for (long next = first; next <= lastFinal; ) {
            long to = Math.min(lastFinal, next + width - 1);
            try {
                for (Log log : chain.logs(contract, next, to, topics)) {
                    found.computeIfAbsent(subject.apply(log), subject -> new TreeSet<>())
                            .add(log.blockNumber());
                }
            } catch (RpcError e) {
                if (to == next) {
                    throw e;
                }
                width = Math.max(1, (to - next + 1) / 2);
                LOG.debug("the node does not give the events of blocks {} to {} at once", next, to, e);
                continue;
            }
            next = to + 1;
            width = Math.min(WIDEST, width * 2);
        }
        found.forEach((subject, numbers) ->
                blocks.computeIfAbsent(subject, key -> new TreeSet<>()).addAll(numbers));
        links.clear();
        links.add(new Link(end.number(), end.hash(), Set.of()));
    }

    /** Reads the newest blocks one by one, each of which must be the parent of the next. */
    private void link(Block head) {
        Link last = links.peekLast();
        for (long number = last == null ? from : last.number() + 1; number <= head.number(); number++) {
            Block block = number == head.number() ? head : chain.block(number);
            last = links.peekLast();
            if (last != null && !block.parent().equals(last.hash())) {
                throw new EscrowException.Unreachable(
                        "block %d is replaced while it is read; try again".formatted(last.number()), null);
            }
            var subjects = new HashSet<String>();
            for (Log log : chain.logs(contract, block, topics)) {
                subjects.add(subject.apply(log));
            }
            subjects.forEach(subject ->
                    blocks.computeIfAbsent(subject, key -> new TreeSet<>()).add(block.number()));
            links.add(new Link(block.number(), block.hash(), Set.copyOf(subjects)));
        }
    }

    /** Lets go of the blocks that can't be replaced any more, but for the last of them. */
    private void letGo(long lastFinal) {
        Link anchor = links.peekFirst();
        while (anchor != null && anchor.number() < lastFinal) {
            links.removeFirst();
            anchor = links.peekFirst();
        }
        if (anchor != null && anchor.number() <= lastFinal && anchor.number() >= saved + SAVE_EVERY) {
            save();
        }
    }

    private void forget(String subject, long number) {
        NavigableSet<Long> numbers = blocks.get(subject);
        if (numbers != null && numbers.remove(number) && numbers.isEmpty()) {
            blocks.remove(subject);
        }
    }

    /** Writes what is final to the file, in one step. */
    void save() {
        lock.lock();
        try {
            Link anchor = links.peekFirst();
            if (file == null || anchor == null) {
                return;
            }
            Path folder = file.toAbsolutePath().getParent();
            Path part = Files.createTempFile(folder, "events-", ".part");
            try {
                write(part, anchor);
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                saved = anchor.number();
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            LOG.warn("can't keep where the chain was read to in {}: the next start reads from block {}", file, from, e);
        } finally {
            lock.unlock();
        }
    }

    private void write(Path part, Link anchor) throws IOException {
        try (BufferedWriter out = Files.newBufferedWriter(part, StandardCharsets.US_ASCII)) {
            out.write(title() + "\n");
            for (Map.Entry<String, NavigableSet<Long>> entry : blocks.entrySet()) {
                for (long number : entry.getValue().headSet(anchor.number(), true)) {
                    out.write(entry.getKey() + " " + number + "\n");
                }
            }
            out.write(anchor.hash() + " " + anchor.number() + "\n");
        }
    }

    private String title() {
        return String.join(" ", FORMAT, chain.identity(), contract.address(), Long.toString(from), topics.toString());
    }

    private void load() {
        if (file == null || !Files.exists(file)) {
            return;
        }
        try (Stream<String> lines = Files.lines(file, StandardCharsets.US_ASCII)) {
            var rest = lines.iterator();
            if (!rest.hasNext() || !rest.next().equals(title())) {
                throw new IOException("it is of another chain or contract");
            }
            String[] words = {};
            while (rest.hasNext()) {
                if (words.length > 0) {
                    blocks.computeIfAbsent(words[0], key -> new TreeSet<>()).add(Long.valueOf(words[1]));
                }
                words = rest.next().split(" ", 2);
                if (words.length != 2) {
                    throw new IOException("a line of it has no number");
                }
            }
            if (words.length == 0) {
                throw new IOException("it names no block");
            }
            saved = Long.parseLong(words[1]);
            links.add(new Link(saved, words[0], Set.of()));
        } catch (IOException | RuntimeException e) {
            blocks.clear();
            LOG.warn("the events kept in {} are not used: {}; all are read anew from block {}", file, e, from);
        }
    }
}
