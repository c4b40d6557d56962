package org.computehive.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.computehive.audit.Anchor;
import org.computehive.audit.AnchorContract;
import org.computehive.audit.Anchored;
import org.computehive.audit.Anchoring;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.audit.Quorum;
import org.computehive.audit.Verifier;
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.computehive.rental.EscrowException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** The contract of every anchor on a real chain node, final after 2 blocks; and what only a chain can go wrong at. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EvmAnchorIT extends AnchorContract {
    private static final int CONFIRMATIONS = 2;

    private AnvilNode node;
    private EvmWallet operator;
    private EscrowDeployment deployment;
    private EvmAnchor anchor;

    @BeforeAll
    void start() {
        node = AnvilNode.start(DevChain.options().withBlockTime(Duration.ofSeconds(1)));
        operator = node.fundedWallet();
        deployment = EscrowDeployment.anchor(node.url(), operator);
    }

    @BeforeEach
    void connect() {
        anchor = EvmAnchor.connect(settings().withOperator(operator), deployment.contract());
    }

    @AfterEach
    void disconnect() {
        anchor.close();
    }

    @AfterAll
    void stop() {
        node.close();
    }

    private EscrowSettings settings() {
        return deployment
                .settings(node.url(), new Token(Account.ZERO, "ETH", 18, false))
                .withConfirmations(CONFIRMATIONS)
                .withTimes(Duration.ofMillis(50), Duration.ofSeconds(2), Duration.ofSeconds(20));
    }

    @Override
    protected Anchor anchor() {
        return anchor;
    }

    private static Anchored anchored(String origin, long size, int root) {
        byte[] hash = new byte[32];
        hash[0] = (byte) root;
        return new Anchored(Anchored.originHash(origin), size, hash);
    }

    @Test
    void anchor_isThereForAnotherProcessOnceItReturned_andForAuditors() {
        anchor.anchor(anchored("it.example/a", 7, 1));
        try (EvmAnchor auditor = EvmAnchor.connect(settings(), deployment.contract(), operator.account())) {
            assertEquals(List.of(anchored("it.example/a", 7, 1)), auditor.anchors(Anchored.originHash("it.example/a")));
            var refusal = assertThrows(AuditLogException.class, () -> auditor.anchor(anchored("it.example/a", 8, 1)));
            assertTrue(refusal.getMessage().contains("not at hand"), refusal.getMessage());
        }
    }

    @Test
    void anchor_ofAnotherAccount_isAListOfItsOwn() {
        EvmWallet other = node.fundedWallet();
        try (EvmAnchor others = EvmAnchor.connect(settings().withOperator(other), deployment.contract())) {
            others.anchor(anchored("it.example/b", 1_000, 9));
            anchor.anchor(anchored("it.example/b", 1, 1));
            assertEquals(List.of(anchored("it.example/b", 1, 1)), anchor.anchors(Anchored.originHash("it.example/b")));
        }
    }

    @Test
    void connect_toAnotherContractOrNone_isRefused() {
        EscrowDeployment escrow = EscrowDeployment.escrow(node.url(), operator);
        for (Account wrong : List.of(escrow.contract(), operator.account())) {
            assertThrows(
                    EscrowException.WrongContract.class,
                    () -> EvmAnchor.connect(settings().withOperator(operator), wrong));
        }
        assertThrows(IllegalArgumentException.class, () -> EvmAnchor.connect(settings(), deployment.contract()));
    }

    @Test
    void rewrittenHistory_isCaughtByItsOperatorAndByAnAuditor(@TempDir Path folder) {
        NoteKey key = NoteKey.generate("it.example/audit");
        try (var log = new InMemoryAuditLog(key);
                var rewritten = FileAuditLog.open(folder, key)) {
            for (int i = 0; i < 20; i++) {
                log.append(("entry " + i).getBytes(StandardCharsets.US_ASCII));
                rewritten.append(("entry " + (i == 3 ? "forged" : i)).getBytes(StandardCharsets.US_ASCII));
            }
            Anchored anchored =
                    new Anchoring(log, key.verifierKey(), anchor).anchor().orElseThrow();
            assertEquals(20, anchored.size());
            rewritten.append(new byte[1]);

            var operators = new Anchoring(rewritten, key.verifierKey(), anchor);
            var caught = assertThrows(IllegalStateException.class, operators::anchor);
            assertTrue(caught.getMessage().contains("rewritten or cut"), caught.getMessage());
        }
        List<Anchored> anchors = anchor.anchors(Anchored.originHash("it.example/audit"));
        assertEquals(1, anchors.size());
        assertTrue(new Verifier(key.verifierKey())
                .verify(folder, List.of(), List.of(), List.of(), Quorum.NONE)
                .holds());
        assertTrue(!new Verifier(key.verifierKey())
                .verify(folder, List.of(), List.of(), anchors, Quorum.NONE)
                .holds());
    }
}
