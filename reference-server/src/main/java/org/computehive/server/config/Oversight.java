package org.computehive.server.config;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.computehive.audit.Anchoring;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.VerifierKey;
import org.computehive.audit.WitnessKey;
import org.computehive.audit.witness.Cosigning;
import org.computehive.audit.witness.WitnessClient;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmAnchor;
import org.computehive.market.Account;
import org.computehive.server.platform.AuditUpkeep;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Those beside this server who remember what its audit log was, as the configuration names them: witnesses, and anchors on
 * the chain. Thread-safe once open.
 */
final class Oversight implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Oversight.class);
    private static final String KEY = "computehive.audit";

    private final AuditSettings settings;
    private final Optional<Cosigning> cosigning;
    private final Optional<EvmAnchor> anchor;
    private final Optional<Anchoring> anchoring;
    private final AuditUpkeep upkeep;

    private Oversight(
            AuditSettings settings,
            FileAuditLog log,
            VerifierKey key,
            Optional<Cosigning> cosigning,
            Optional<EvmAnchor> anchor) {
        this.settings = settings;
        this.cosigning = cosigning;
        this.anchor = anchor;
        this.anchoring = anchor.map(each -> new Anchoring(log, key, each));
        this.upkeep = new AuditUpkeep(log);
    }

    /**
     * Opens what is configured, and holds the log against its anchors.
     *
     * @param chain how the chain is reached, and who pays
     * @param ownContract gives the development chain's anchor; empty on an external chain
     * @throws ConfigurationException if a key makes no sense
     * @throws IllegalStateException if the log does not continue what was anchored of it
     */
    static Oversight open(
            AuditSettings settings,
            Collection<WitnessSettings> witnesses,
            FileAuditLog log,
            VerifierKey key,
            EscrowSettings chain,
            Optional<Supplier<Account>> ownContract) {
        positive("cosign-every", settings.cosignEvery());
        settings.anchorEvery().ifPresent(every -> positive("anchor-every", every));
        Optional<Cosigning> cosigning = cosigning(settings, witnesses, log, key);
        var oversight = new Oversight(settings, log, key, cosigning, anchor(settings, chain, ownContract));
        try {
            oversight.anchoring.ifPresent(Anchoring::check);
        } catch (AuditLogException e) {
            LOG.warn("the audit log is held against its anchors later: {}", e.getMessage());
        } catch (RuntimeException e) {
            oversight.close();
            throw e;
        }
        return oversight;
    }

    /** Begins to have the log cosigned and anchored, again and again. */
    void start() {
        cosigning.ifPresent(witnesses -> upkeep.cosign(witnesses, settings.cosignEvery()));
        anchoring.ifPresent(
                anchors -> upkeep.anchor(anchors, settings.anchorEvery().orElseThrow()));
    }

    /** Stops. */
    @Override
    public void close() {
        upkeep.close();
        anchor.ifPresent(EvmAnchor::close);
    }

    /** Returns whom to ask for cosignatures, if anybody is named. */
    private static Optional<Cosigning> cosigning(
            AuditSettings settings, Collection<WitnessSettings> witnesses, FileAuditLog log, VerifierKey key) {
        if (witnesses.isEmpty()) {
            settings.quorum().ifPresent(quorum -> {
                throw new ConfigurationException(
                        "%s.quorum is %d, but no witness is named: give %s.witnesses.NAME.key and .url"
                                .formatted(KEY, quorum, KEY),
                        null);
            });
            return Optional.empty();
        }
        positive("witness-patience", settings.witnessPatience());
        var clients = new ArrayList<WitnessClient>();
        for (WitnessSettings witness : witnesses) {
            clients.add(client(witness, settings.witnessPatience()));
        }
        int needed = settings.quorum().orElse(clients.size());
        if (needed < 1) {
            throw new ConfigurationException(
                    "%s.quorum %d asks for nobody: give 1 to %d".formatted(KEY, needed, clients.size()), null);
        }
        return Optional.of(ConfigurationException.parse(
                KEY + ".quorum", needed, quorum -> new Cosigning(log, key, List.copyOf(clients), quorum)));
    }

    private static WitnessClient client(WitnessSettings witness, Duration patience) {
        String where = "%s.witnesses.%s".formatted(KEY, witness.name());
        WitnessKey key =
                ConfigurationException.parse(where + ".key", need(where, "key", witness.key()), WitnessKey::parse);
        URI url = ConfigurationException.parse(where + ".url", need(where, "url", witness.url()), Oversight::address);
        return new WitnessClient(key, url, patience);
    }

    private static URI address(String text) {
        URI url = URI.create(text);
        if (url.getHost() == null || !String.valueOf(url.getScheme()).matches("https?")) {
            throw new IllegalArgumentException("%s is no witness's address: it begins with https://".formatted(text));
        }
        return url;
    }

    private static String need(String where, String what, Optional<String> value) {
        return value.orElseThrow(
                () -> new ConfigurationException("%s.%s is missing: a witness needs it".formatted(where, what), null));
    }

    /** Returns where the log is anchored, if it is. */
    private static Optional<EvmAnchor> anchor(
            AuditSettings settings, EscrowSettings chain, Optional<Supplier<Account>> ownContract) {
        if (settings.anchorEvery().isEmpty()) {
            return Optional.empty();
        }
        Account contract = settings.anchorContract()
                .map(text -> ConfigurationException.parse(KEY + ".anchor-contract", text, Account::new))
                .or(() -> ownContract.map(Supplier::get))
                .orElseThrow(() -> new ConfigurationException(
                        "%s.anchor-contract is missing: deploy an AuditAnchor and name it".formatted(KEY), null));
        return Optional.of(EvmAnchor.connect(chain, contract));
    }

    private static void positive(String key, Duration time) {
        if (time.toMillis() < 1) {
            throw new ConfigurationException("%s.%s %s is too short".formatted(KEY, key, time), null);
        }
    }
}
