package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.AnvilOptions;
import org.computehive.chain.EscrowDeployment;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Token;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The server on a chain that is not its own: what it tells of a rental, and how it goes on reading after a restart. */
@Timeout(300)
class ExternalChainIT {
    private static final long CHAIN_ID = 31338;
    private static final Amount GAS_MONEY = new Amount(BigInteger.TEN.pow(21));
    /** The file is written anew after so many blocks, and at the server's end. */
    private static final int SAVED_AFTER = 1_000;

    private Path data;
    private AnvilNode node;
    private ListeningNode rpc;
    private EvmWallet operator;
    private EscrowDeployment deployed;
    private Account lender;
    private Account renter;

    @BeforeEach
    void begin() throws Exception {
        // QEMU's own user, where this process is root, must pass through.
        data = Files.setPosixFilePermissions(
                Files.createTempDirectory("computehive-external-"), PosixFilePermissions.fromString("rwx--x--x"));
        Path program = AnvilNode.find(Path.of("..").toAbsolutePath().normalize());
        node = AnvilNode.start(AnvilOptions.of(program)
                .withChainId(CHAIN_ID)
                .withBlockTime(Duration.ofSeconds(1))
                .withUnlocked(2));
        rpc = new ListeningNode(node.url());
        operator = EvmWallet.random();
        operator.save(data.resolve("operator.key"));
        node.fund(operator, GAS_MONEY);
        deployed = EscrowDeployment.escrow(node.url(), operator);
        lender = node.unlockedAccounts().get(0);
        renter = node.unlockedAccounts().get(1);
    }

    @AfterEach
    void end() throws Exception {
        if (rpc != null) {
            rpc.close();
        }
        if (node != null) {
            node.close();
        }
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private Application serve(Token token) {
        return Application.start(
                List.of(
                        "--data=" + data.resolve("server"),
                        "--port=0",
                        "--gateway.port=0",
                        "--policy.watch=PT1S",
                        "--policy.retry=PT1S",
                        "--lender=" + lender,
                        "--renter=" + renter,
                        "--chain.kind=external",
                        "--chain.rpc-urls=" + rpc.url(),
                        "--chain.id=" + CHAIN_ID,
                        "--chain.contract=" + deployed.contract(),
                        "--chain.deployed-at=" + deployed.block(),
                        "--chain.confirmations=2",
                        "--chain.token=" + token.contract(),
                        "--chain.token-symbol=" + token.symbol(),
                        "--chain.token-decimals=" + token.decimals(),
                        "--chain.token-usd-pegged=" + token.usdPegged(),
                        "--chain.operator-key-file=" + data.resolve("operator.key")),
                line -> {});
    }

    private ApiClient client(Application server) {
        return new ApiClient(
                server.url(), node.url(), server.platform().folders().tokens());
    }

    @Test
    void rentalInAToken_isToldInEachState_alsoAfterARestartThatReadsFromWhereItStopped() throws Exception {
        Token token = EscrowDeployment.devToken(node.url(), operator);
        EscrowDeployment.mint(node.url(), operator, token, renter, Amount.of(1_000_000_000));
        String id;
        long kept;
        try (Application server = serve(token)) {
            ApiClient api = client(server);
            id = reserve(api);
            assertState(api, id, "RESERVED", false);
            assertHiddenFromOthers(api, id);
            api.fund(id, 0);
            assertState(api, id, "FUNDED", true);
            assertHiddenFromOthers(api, id);
        }
        kept = assertKept(id);
        assertTrue(kept >= deployed.block(), "kept up to block " + kept);

        rpc.forget();
        try (Application server = serve(token)) {
            ApiClient api = client(server);
            assertState(api, id, "FUNDED", true);
            assertTrue(lookAtTheChain(api, id).contains("time lock"), "it is open");
            assertReadFrom(kept);
            mine(SAVED_AFTER + 10);
            release(api, id);
            assertState(api, id, "SETTLED", true);
            assertTrue(assertKept(id) >= kept + SAVED_AFTER, "while it runs");
            assertHiddenFromOthers(api, id);
        }

        long last = assertKept(id);
        rpc.forget();
        try (Application server = serve(token)) {
            ApiClient api = client(server);
            assertState(api, id, "SETTLED", true);
            assertTrue(lookAtTheChain(api, id).contains("closed it"), "it is closed");
        }
        assertReadFrom(last);
    }

    @Test
    void rentalInTheNativeCoin_isFundedWithoutApprovalAndPaidBack() throws Exception {
        try (Application server = serve(new Token(Account.ZERO, "ETH", 18, false))) {
            ApiClient api = client(server);
            String id = reserve(api);
            api.fund(id, 0);
            BigInteger held = coins(deployed.contract());
            release(api, id);
            JsonNode settled = api.call(200, "renter", "GET", "/rentals/" + id, "");
            assertEquals(
                    held.toString(), settled.path("settlement").path("refunded").asText());
            JsonNode account = api.call(200, "renter", "GET", "/account", "");
            assertEquals(held.toString(), account.path("balance").asText(), "waits in the ledger");
        }
    }

    private BigInteger coins(Account account) throws Exception {
        ApiClient chain = new ApiClient(node.url(), node.url(), data);
        ArrayNode asked =
                ApiClient.MAPPER.createArrayNode().add(account.address()).add("latest");
        return new BigInteger(chain.rpc("eth_getBalance", asked).asText().substring(2), 16);
    }

    private void mine(int blocks) throws Exception {
        ApiClient chain = new ApiClient(node.url(), node.url(), data);
        chain.rpc("anvil_mine", ApiClient.MAPPER.createArrayNode().add("0x" + Integer.toHexString(blocks)));
    }

    private String reserve(ApiClient api) throws Exception {
        api.call(200, "lender", "PUT", "/listings/external", api.listing().toString());
        Instant day = Instant.now().truncatedTo(ChronoUnit.DAYS).plus(2, ChronoUnit.DAYS);
        int taken = api.call(200, "renter", "GET", "/rentals", "").size();
        return api.reserve("external", day.plus(taken * 4L, ChronoUnit.HOURS), Duration.ofHours(1));
    }

    private static void release(ApiClient api, String id) throws Exception {
        String path = "/rentals/" + id + "/release";
        String signature = api.signed("lender", api.call(200, "lender", "GET", path, ""));
        api.call(200, "lender", "PUT", path + "/signature", ApiClient.body("signature", signature));
        api.await(id, "SETTLED");
    }

    /** Asks to settle by oneself, which is refused by what the escrow's events say. */
    private static String lookAtTheChain(ApiClient api, String id) throws Exception {
        HttpResponse<String> refused =
                api.send("renter", "GET", "/rentals/" + id + "/escrow/settlement", Optional.empty(), Optional.empty());
        assertTrue(refused.statusCode() == 409 || refused.statusCode() == 422, refused::body);
        return refused.body();
    }

    private static void assertState(ApiClient api, String id, String state, boolean funded) throws Exception {
        for (String role : List.of("lender", "renter")) {
            JsonNode rental = api.call(200, role, "GET", "/rentals/" + id, "");
            assertEquals(state, rental.path("state").asText(), rental::toString);
            assertEquals(funded, rental.path("legs").path(0).path("funded").asBoolean(), rental::toString);
            assertEquals(state.equals("SETTLED"), rental.path("settlement").has("paid"), rental::toString);
        }
    }

    /** A renter of other rentals learns nothing of this one, also not that it is there. */
    private void assertHiddenFromOthers(ApiClient api, String id) throws Exception {
        String body = ApiClient.body("account", "0x" + "cd".repeat(20), "role", "RENTER");
        String token =
                api.call(201, "operator", "POST", "/tokens", body).path("token").asText();
        Files.writeString(data.resolve("server/tokens/stranger"), "Authorization: Bearer " + token + "\n");
        assertEquals(0, api.call(200, "stranger", "GET", "/rentals", "").size());
        for (String path : List.of("", "/history", "/offer", "/escrow/end", "/escrow/settlement")) {
            JsonNode problem = api.call(404, "stranger", "GET", "/rentals/" + id + path, "");
            for (Account party : List.of(lender, renter)) {
                assertFalse(problem.toString().contains(party.address()), problem::toString);
            }
        }
    }

    /** Returns the block up to which the file keeps the chain's events, by lane: who rents is not in it. */
    private long assertKept(String id) throws IOException {
        Path file = data.resolve("server/chain-events");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        List<String> lines = Files.readAllLines(file);
        for (String hidden : List.of(renter.address().substring(2), id)) {
            assertFalse(lines.stream().anyMatch(line -> line.contains(hidden)), lines::toString);
        }
        String last = lines.getLast();
        return Long.parseLong(last.substring(last.indexOf(' ') + 1));
    }

    /** What was read before is not searched again; the single blocks that hold a rental's events are asked for. */
    private void assertReadFrom(long kept) {
        List<Long> asked = List.copyOf(rpc.asked());
        assertEquals(List.of(), asked.stream().filter(block -> block <= kept).toList(), "kept up to block " + kept);
    }

    /** A node's address at which is heard from which blocks on it is searched for events. */
    private static final class ListeningNode implements AutoCloseable {
        private final HttpServer server;
        private final URI node;
        private final HttpClient http = HttpClient.newHttpClient();
        private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        private final Collection<Long> asked = new ConcurrentLinkedQueue<>();

        ListeningNode(URI node) throws IOException {
            this.node = node;
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(threads);
            server.createContext("/", this::pass);
            server.start();
        }

        URI url() {
            return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        }

        Collection<Long> asked() {
            return asked;
        }

        void forget() {
            asked.clear();
        }

        private void pass(HttpExchange exchange) throws IOException {
            try (exchange) {
                byte[] question = exchange.getRequestBody().readAllBytes();
                listen(ApiClient.MAPPER.readTree(question));
                byte[] answer = http.send(
                                HttpRequest.newBuilder(node)
                                        .header("Content-Type", "application/json")
                                        .POST(HttpRequest.BodyPublishers.ofByteArray(question))
                                        .build(),
                                BodyHandlers.ofByteArray())
                        .body();
                exchange.getResponseHeaders().add("Content-Type", "application/json");
                exchange.sendResponseHeaders(200, answer.length);
                exchange.getResponseBody().write(answer);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        private void listen(JsonNode question) {
            for (JsonNode call : question.isArray() ? question : List.of(question)) {
                JsonNode filter = call.path("params").path(0);
                String from = filter.path("fromBlock").asText();
                if (call.path("method").asText().equals("eth_getLogs")
                        && from.startsWith("0x")
                        && !from.equals(filter.path("toBlock").asText())) {
                    asked.add(Long.decode(from));
                }
            }
        }

        @Override
        public void close() {
            server.stop(0);
            threads.close();
            http.close();
        }
    }
}
