package org.computehive.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micronaut.context.ApplicationContext;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.audit.WitnessKey;
import org.computehive.chain.EscrowSettings;
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Witnesses and anchors, as the command line names them. */
class OversightTest {
    private static final NoteKey LOG = NoteKey.generate("log.example");
    private static final NoteKey WITNESS = NoteKey.generate("witness.example");
    private static final String KEY = "witnesses.w1.key=" + new WitnessKey(WITNESS.name(), WITNESS.publicKey());
    private static final String URL = "witnesses.w1.url=https://witness.example/";

    @TempDir
    private Path folder;

    private void open(String... options) {
        var arguments = new ArrayList<String>();
        List.of(options).forEach(option -> arguments.add("--computehive.audit." + option));
        var nowhere = EscrowSettings.of(
                URI.create("http://127.0.0.1:1"), 1, Account.ZERO, new Token(Account.ZERO, "ETH", 18, false));
        try (var context = ApplicationContext.builder()
                        .args(arguments.toArray(String[]::new))
                        .banner(false)
                        .start();
                var log = FileAuditLog.open(folder, LOG)) {
            Oversight.open(
                            context.getBean(AuditSettings.class),
                            context.getBeansOfType(WitnessSettings.class),
                            log,
                            LOG.verifierKey(),
                            nowhere,
                            Optional.empty())
                    .close();
        }
    }

    private void refused(String expected, String... options) {
        var refusal = assertThrows(ConfigurationException.class, () -> open(options));
        assertTrue(refusal.getMessage().contains(expected), refusal.getMessage());
    }

    private static String name(String... options) {
        try (var context =
                ApplicationContext.builder().args(options).banner(false).start()) {
            return context.getBean(AuditSettings.class).checkedName();
        }
    }

    @Test
    void logsName_isAKey_andOneThatIsNoneIsRefused() {
        assertEquals("computehive.local/audit", name());
        assertEquals("replica-2.example.org/audit", name("--computehive.audit.name=replica-2.example.org/audit"));
        var refusal = assertThrows(ConfigurationException.class, () -> name("--computehive.audit.name=two words"));
        assertTrue(refusal.getMessage().contains("computehive.audit.name"), refusal.getMessage());
    }

    @Test
    void open_nothingSet_asksNobody() {
        open();
    }

    @Test
    void open_oneWitness_isEnough() {
        open(KEY, URL, "quorum=1", "cosign-every=PT1S");
    }

    @Test
    void open_whatMakesNoSense_isRefusedByItsKey() {
        refused("computehive.audit.witnesses.w1.key is missing", URL);
        refused("computehive.audit.witnesses.w1.url is missing", KEY);
        refused("computehive.audit.witnesses.w1.key: ", "witnesses.w1.key=abc", URL);
        refused("computehive.audit.witnesses.w1.url: ", KEY, "witnesses.w1.url=witness.example");
        refused("computehive.audit.quorum: 2 of 1", KEY, URL, "quorum=2");
        refused("computehive.audit.quorum 0", KEY, URL, "quorum=0");
        refused("no witness is named", "quorum=1");
        refused("computehive.audit.cosign-every", "cosign-every=PT0S");
        refused("computehive.audit.anchor-every", "anchor-every=PT-1S");
        refused("computehive.audit.anchor-contract is missing", "anchor-every=PT1H");
        refused("computehive.audit.anchor-contract: ", "anchor-every=PT1H", "anchor-contract=0x12");
    }
}
