package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.computehive.rental.Escrow.Reading;
import org.computehive.rental.EscrowException;
import org.computehive.rental.EscrowOffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading over nodes that hang, lie, lag, forget and limit: unknown is not unpaid. */
@Timeout(120)
class EvmEscrowNodesIT {
    private static final Duration HANGS = Duration.ofMillis(500);

    private DevChain chain;
    private CrookedNode crooked;
    private EvmEscrow honest;
    private EvmParty lender;
    private EvmParty renter;

    @BeforeEach
    void start() {
        chain = new DevChain(true, DevChain.options());
        crooked = new CrookedNode(chain.node.url());
        honest = EvmEscrow.connect(chain.settings());
        lender = chain.party(honest);
        renter = chain.party(honest);
    }

    @AfterEach
    void stop() {
        honest.close();
        crooked.close();
        chain.close();
    }

    private EscrowSettings settings(URI... nodes) {
        return chain.settings()
                .withNodes(List.of(nodes))
                .withTimes(Duration.ofMillis(20), HANGS, Duration.ofSeconds(20));
    }

    private EscrowOffer opened() {
        EscrowOffer offer = chain.offer(honest, lender.account(), renter.account());
        renter.open(offer, lender.sign(offer.digest()));
        return offer;
    }

    @Test
    void connect_toAChainOfAnotherId_isRefused_andOverASecondNodeGoesOn() {
        crooked.be(CrookedNode.changing("eth_chainId", id -> TextNode.valueOf("0x1")));

        var e = assertThrows(EscrowException.WrongChain.class, () -> EvmEscrow.connect(settings(crooked.url())));
        assertTrue(e.getMessage().contains("serves chain 1, chain 31337 is expected"), e.getMessage());
        try (var escrow = EvmEscrow.connect(settings(crooked.url(), chain.node.url()))) {
            assertInstanceOf(Reading.Open.class, escrow.read(opened()));
        }
    }

    @Test
    void read_whereOneNodeHangs_isTheOthers() {
        EscrowOffer offer = opened();
        try (var escrow = EvmEscrow.connect(settings(crooked.url(), chain.node.url()))) {
            crooked.be((call, real) -> null);

            assertInstanceOf(Reading.Open.class, escrow.read(offer));
            long before = System.nanoTime();
            assertInstanceOf(Reading.Open.class, escrow.read(offer));
            assertTrue(System.nanoTime() - before < HANGS.toNanos(), "it asked the silent node again");
        }
    }

    @ParameterizedTest
    @CsvSource({"timestamp,0x1", "number,0x1", "parentHash,0x", "stateRoot,0x", "hash,0x"})
    void read_whereANodeLiesAboutABlock_isUnknown_andOverTwoNodesTheOthers(String member, String value) {
        EscrowOffer offer = opened();
        String lie = value.length() > 2 ? value : "0x" + "ab".repeat(32);
        try (var one = EvmEscrow.connect(settings(crooked.url()));
                var two = EvmEscrow.connect(settings(crooked.url(), chain.node.url()))) {
            crooked.be(CrookedNode.changing("eth_getBlockByNumber", block -> ((ObjectNode) block).put(member, lie)));

            assertInstanceOf(Reading.Unknown.class, one.read(offer));
            assertInstanceOf(Reading.Open.class, two.read(offer));
            assertThrows(
                    EscrowException.Unreachable.class,
                    () -> one.party(EvmWallet.random()).open(offer, lender.sign(offer.digest())));
            assertEquals(0, crooked.calls("eth_sendRawTransaction"));
        }
    }

    @Test
    void read_whereANodeHidesAnOpening_isUnknownWhileAnotherTellsOfIt() {
        EscrowOffer offer = opened();
        crooked.be(CrookedNode.changing("eth_getLogs", logs -> JsonNodeFactory.instance.arrayNode()));
        try (var escrow = EvmEscrow.connect(settings(crooked.url(), chain.node.url()))) {
            var unknown = assertInstanceOf(Reading.Unknown.class, escrow.read(offer));
            assertTrue(unknown.why().contains("one node tells of its opening"), unknown.why());
        }
    }

    @ParameterizedTest
    @CsvSource({"address,0x00000000000000000000000000000000000000aa", "blockNumber,0x99999", "removed,true"})
    void read_whereANodeGivesOtherLogsThanAsked_isUnknown(String member, String lie) {
        EscrowOffer offer = opened();
        crooked.be(CrookedNode.changing("eth_getLogs", logs -> {
            logs.forEach(log -> {
                if (member.equals("removed")) {
                    ((ObjectNode) log).put(member, true);
                } else {
                    ((ObjectNode) log).put(member, lie);
                }
            });
            return logs;
        }));
        try (var escrow = EvmEscrow.connect(settings(crooked.url()))) {
            assertInstanceOf(Reading.Unknown.class, escrow.read(offer));
        }
    }

    @Test
    void read_whereTheFirstNodeStandsStill_goesOverToTheOther() throws Exception {
        String still = chain.node.call("eth_blockNumber").asText();
        crooked.be((call, real) -> {
            if (CrookedNode.is(call, "eth_blockNumber")) {
                return ((ObjectNode) real.ask(call)).put("result", still);
            }
            if (CrookedNode.is(call, "eth_getBlockByNumber")
                    && call.path("params").path(0).asText().equals("latest")) {
                ((ArrayNode) call.get("params")).set(0, TextNode.valueOf(still));
            }
            return real.ask(call);
        });
        try (var escrow = EvmEscrow.connect(settings(crooked.url(), chain.node.url()))) {
            EscrowOffer offer = opened();
            chain.mine(10);
            var changes = new Semaphore(1);
            try (AutoCloseable subscription = escrow.onChange(changes::release)) {
                assertTrue(subscription != null);
                do {
                    assertTrue(changes.tryAcquire(20, TimeUnit.SECONDS), "it stays with the node that stands still");
                } while (!(escrow.read(offer) instanceof Reading.Open));
            }
        }
    }

    @Test
    void read_ofANodeThatFallsBehindWhatWasFinal_isUnknown() {
        EscrowOffer offer = chain.offer(honest, lender.account(), renter.account());
        String old = chain.node.call("eth_blockNumber").asText();
        chain.mine(5);
        try (var escrow = EvmEscrow.connect(settings(crooked.url()))) {
            assertInstanceOf(Reading.Absent.class, escrow.read(offer));
            crooked.be((call, real) -> {
                if (CrookedNode.is(call, "eth_getBlockByNumber")
                        && call.path("params").path(0).asText().equals("latest")) {
                    ((ArrayNode) call.get("params")).set(0, TextNode.valueOf(old));
                }
                return real.ask(call);
            });
            assertInstanceOf(Reading.Unknown.class, escrow.read(offer));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void read_afterBlocksWhoseLogsCouldNotBeRead_knowsThemAll(boolean hangs) {
        try (var escrow = EvmEscrow.connect(settings(crooked.url()))) {
            var offers = new ArrayList<EscrowOffer>();
            offers.add(opened());
            assertInstanceOf(Reading.Open.class, escrow.read(offers.getFirst()));
            crooked.be((call, real) -> !CrookedNode.is(call, "eth_getLogs")
                    ? real.ask(call)
                    : hangs ? null : CrookedNode.error(call, -32603, "internal error"));
            for (int i = 0; i < 3; i++) {
                lender = chain.party(honest);
                offers.add(opened());
                chain.mine(3);
                assertInstanceOf(Reading.Unknown.class, escrow.read(offers.getLast()));
            }

            crooked.beHonest();
            for (EscrowOffer offer : offers) {
                assertInstanceOf(Reading.Open.class, escrow.read(offer));
            }
        }
    }

    @Test
    void read_ofANodeThatGivesFewBlocksAtOnce_findsAll() {
        EscrowOffer offer = opened();
        chain.mine(100);
        crooked.be((call, real) -> CrookedNode.is(call, "eth_getLogs") && range(call) > 7
                ? CrookedNode.error(call, -32602, "query exceeds max block range 7")
                : real.ask(call));
        try (var escrow = EvmEscrow.connect(settings(crooked.url()))) {
            assertInstanceOf(Reading.Open.class, escrow.read(offer));
        }
    }

    private static long range(JsonNode call) {
        JsonNode filter = call.path("params").path(0);
        return filter.has("blockHash")
                ? 1
                : Long.decode(filter.path("toBlock").asText())
                        - Long.decode(filter.path("fromBlock").asText())
                        + 1;
    }

    @Test
    void read_afterARestartWithAProgressFile_asksForNoBlockAgain(@TempDir Path folder) {
        Path file = folder.resolve("progress");
        EscrowOffer offer = opened();
        chain.mine(20);
        long stored = Long.decode(chain.node.call("eth_blockNumber").asText()) - 1;
        try (var escrow = EvmEscrow.connect(settings(crooked.url()).withProgress(file))) {
            assertInstanceOf(Reading.Open.class, escrow.read(offer));
        }
        chain.mine(20);
        List<Long> asked = Collections.synchronizedList(new ArrayList<>());
        crooked.be((call, real) -> {
            JsonNode filter = call.path("params").path(0);
            if (CrookedNode.is(call, "eth_getLogs") && range(call) > 1) {
                asked.add(Long.decode(filter.path("fromBlock").asText()));
            }
            return real.ask(call);
        });
        try (var escrow = EvmEscrow.connect(settings(crooked.url()).withProgress(file))) {
            assertInstanceOf(Reading.Open.class, escrow.read(offer));
        }
        assertEquals(List.of(stored + 1), asked);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "nonsense\n", "computehive-events-2 31337/0x00 0x00 0 []\n0x00 5\n"})
    void read_withAProgressFileOfSomethingElse_readsAllAnew(String content, @TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("progress"), content);
        EscrowOffer offer = opened();
        try (var escrow = EvmEscrow.connect(settings(crooked.url()).withProgress(file))) {
            assertInstanceOf(Reading.Open.class, escrow.read(offer));
        }
        assertTrue(Files.readString(file).contains(OfferCodec.rental(offer)) || Files.size(file) > content.length());
    }

    @Test
    void read_afterAReorganisationDeeperThanWhatWasFinal_readsAllAnew() {
        EscrowOffer offer = chain.offer(honest, lender.account(), renter.account());
        String snapshot = chain.node.call("evm_snapshot").asText();
        renter.open(offer, lender.sign(offer.digest()));
        chain.mine(5);
        try (var escrow = EvmEscrow.connect(settings(crooked.url()))) {
            assertInstanceOf(Reading.Open.class, escrow.read(offer));
            chain.node.call("evm_revert", snapshot);
            chain.node.call("evm_increaseTime", 7);
            chain.mine(9);
            assertInstanceOf(Reading.Absent.class, escrow.read(offer));
            assertFalse(renter.open(offer, lender.sign(offer.digest())).hex().isEmpty());
            assertInstanceOf(Reading.Open.class, escrow.read(offer));
        }
    }

    @Test
    void settings_withAFeeCapOrFolderThatCantBe_areRefused(@TempDir Path folder) {
        Path nowhere = folder.resolve("missing").resolve("progress");
        var e = assertThrows(
                IllegalArgumentException.class, () -> chain.settings().withProgress(nowhere));
        assertTrue(e.getMessage().contains(nowhere.toString()), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> chain.settings().withFeeCap(BigInteger.ZERO));
    }
}
