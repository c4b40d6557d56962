package org.computehive.server.config;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Function;
import org.computehive.access.CertificateAuthority;
import org.computehive.audit.VerifierKey;
import org.computehive.caldav.CalDavNotifier;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmWallet;
import org.computehive.feed.CalendarFeeds;
import org.computehive.feed.FeedKeys;
import org.computehive.market.Account;
import org.computehive.market.HostId;
import org.computehive.market.Token;
import org.computehive.rental.RentalCalendar;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalPolicy;
import org.computehive.rental.RentalStore;
import org.computehive.rental.SshAccess;
import org.computehive.server.platform.LocalPlatform;
import org.computehive.server.platform.VmHost;
import org.computehive.store.JdbcStore;
import org.jspecify.annotations.Nullable;

/**
 * The engine on its real parts, as the configuration says: running, with this machine as a host.
 *
 * <p>Thread-safe.
 */
public final class ReferencePlatform implements AutoCloseable {
    private static final Function<String, Optional<String>> ENVIRONMENT =
            name -> Optional.ofNullable(System.getenv(name));

    private final Folders folders;
    private final @Nullable DevNode devNode;
    private final JdbcStore store;
    private final LocalPlatform local;
    private final CalendarFeeds feeds;
    private final Oversight oversight;
    private final Account lender;
    private final Optional<Account> renter;
    private final Account operator;
    private final ExecutorService checkpoints = Executors.newSingleThreadExecutor();

    /**
     * All that the configuration says.
     *
     * @param server the server itself
     * @param host what guests may have of this machine
     * @param proxmox the node of a Proxmox VE cluster, where that runs the VMs
     * @param store where rentals are kept
     * @param gateway how renters get in
     * @param authorities where the keys lie that certify renters and hosts
     * @param chain where rent is locked
     * @param audit who beside the server remembers what the audit log was
     * @param witnesses who cosigns it
     * @param policy how long to wait for what
     * @param caldav how calendars on CalDAV servers are written to
     * @param calendars those calendars
     */
    public record Settings(
            ServerSettings server,
            HostSettings host,
            ProxmoxKeys proxmox,
            StoreSettings store,
            GatewaySettings gateway,
            Collection<AuthoritySettings> authorities,
            ChainSettings chain,
            AuditSettings audit,
            Collection<WitnessSettings> witnesses,
            PolicySettings policy,
            CalDavSettings caldav,
            Collection<CalDavCalendar> calendars) {}

    private ReferencePlatform(
            Settings settings, Folders folders, @Nullable DevNode devNode, Consumer<String> progress) {
        this.folders = folders;
        this.devNode = devNode;
        ServerSettings server = settings.server();
        HostId host = ConfigurationException.parse("computehive.host-id", server.hostId(), HostId::new);
        Optional<Account> named =
                server.lender().map(text -> ConfigurationException.parse("computehive.lender", text, Account::new));
        renter = server.renter()
                .map(text -> ConfigurationException.parse("computehive.renter", text, Account::new))
                .or(() -> Optional.ofNullable(devNode).map(DevNode::renter));
        EscrowSettings chain;
        if (devNode == null) {
            lender = named.orElseThrow(() -> new ConfigurationException(
                    "computehive.lender is missing: name the account that owns this machine", null));
            chain = external(settings.chain()).withProgress(folders.chainEvents());
        } else {
            lender = named.orElse(devNode.lender());
            chain = devNode.settings();
        }
        EvmWallet payer = chain.operator();
        operator = payer == null ? Account.ZERO : payer.account();
        VmHost vms = vmHost(server.hypervisor(), settings.host(), settings.proxmox());
        SshAccess.Settings gateway = settings.gateway().access();
        LocalPlatform.Layout layout = folders.layout(server);
        RentalPolicy policy = settings.policy().policy();
        CalDavNotifier calendars = CalDavCalendars.notifier(settings.caldav(), settings.calendars(), ENVIRONMENT);
        CertificateAuthority authority =
                Authorities.open(settings.authorities(), layout.keys(), ENVIRONMENT, InstantSource.system());
        store = store(settings.store());
        local = LocalPlatform.open(
                new LocalPlatform.Parts(
                        layout,
                        settings.audit().checkedName(),
                        store,
                        chain,
                        vms,
                        Optional.of(authority),
                        gateway,
                        policy,
                        List.of(calendars)),
                progress);
        try {
            if (devNode != null) {
                local.engine().listen(event -> checkpoints.execute(devNode::checkpoint));
            }
            feeds = new CalendarFeeds(
                    store,
                    store,
                    FeedKeys.loadOrGenerate(local.layout().keys().resolve("feeds")),
                    new RentalCalendar(),
                    InstantSource.system());
            // Before anything is appended to a log that may not be what it was.
            oversight = Oversight.open(
                    settings.audit(),
                    settings.witnesses(),
                    local.auditLog(),
                    VerifierKey.parse(local.auditVerifierKey()),
                    chain,
                    Optional.ofNullable(devNode).map(node -> node::anchorContract));
        } catch (RuntimeException e) {
            local.close();
            throw e;
        }
        try {
            local.engine().registerHost(host, lender, local.hypervisor());
            local.engine().start();
            oversight.start();
        } catch (RuntimeException e) {
            oversight.close();
            local.close();
            throw e;
        }
    }

    /**
     * Opens every part, registers this machine as a host, and starts the engine.
     *
     * @param settings what the configuration says
     * @param progress gets a line for what takes long
     * @throws ConfigurationException if a key makes no sense
     */
    public static ReferencePlatform open(Settings settings, Consumer<String> progress) {
        Folders folders = Folders.open(settings.server());
        DevNode devNode = switch (settings.chain().kind()) {
            case "dev" -> {
                progress.accept("starting a development chain");
                yield DevNode.open(
                        AnvilNode.find(sourceTree()), settings.chain().port(), folders.chain());
            }
            case "external" -> null;
            default ->
                throw new ConfigurationException(
                        "computehive.chain.kind %s is not known: use dev or external"
                                .formatted(settings.chain().kind()),
                        null);
        };
        try {
            return new ReferencePlatform(settings, folders, devNode, progress);
        } catch (RuntimeException e) {
            if (devNode != null) {
                devNode.close();
            }
            throw e;
        }
    }

    /** Returns the source tree that this program is run in, where npm put the node; else the working folder. */
    private static Path sourceTree() {
        Path here = Path.of("").toAbsolutePath();
        for (Path folder = here; folder != null; folder = folder.getParent()) {
            if (Files.isDirectory(folder.resolve("computehive-chain"))) {
                return folder;
            }
        }
        return here;
    }

    private static EscrowSettings external(ChainSettings chain) {
        if (chain.rpcUrls().isEmpty()) {
            throw new ConfigurationException(
                    "computehive.chain.rpc-urls is missing: name at least one node of the chain", null);
        }
        Account contract = ConfigurationException.parse(
                "computehive.chain.contract", need("contract", chain.contract()), Account::new);
        Account token =
                ConfigurationException.parse("computehive.chain.token", need("token", chain.token()), Account::new);
        Path key = Path.of(need("operator-key-file", chain.operatorKeyFile()));
        try {
            return EscrowSettings.of(
                            URI.create(chain.rpcUrls().getFirst()),
                            chain.id(),
                            contract,
                            new Token(token, chain.tokenSymbol(), chain.tokenDecimals(), chain.tokenUsdPegged()))
                    .withNodes(chain.rpcUrls().stream().map(URI::create).toList())
                    .withDeployedAt(chain.deployedAt())
                    .withConfirmations(chain.confirmations())
                    .withOperator(EvmWallet.load(key));
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("computehive.chain: " + e.getMessage(), e);
        }
    }

    private static String need(String key, Optional<String> value) {
        return value.orElseThrow(() -> new ConfigurationException(
                "computehive.chain.%s is missing: an external chain needs it".formatted(key), null));
    }

    /** An https address is that of Proxmox VE; libvirt has none of that kind. */
    static VmHost vmHost(Optional<String> hypervisor, HostSettings host, ProxmoxKeys proxmox) {
        Optional<URI> uri =
                hypervisor.map(text -> ConfigurationException.parse("computehive.hypervisor", text, URI::create));
        if (uri.isPresent() && "https".equals(uri.get().getScheme())) {
            return new VmHost.ProxmoxVe(proxmox.settings(uri.get()));
        }
        return new VmHost.Libvirt(uri, host.options(), host.imageRules());
    }

    private JdbcStore store(StoreSettings store) {
        return switch (store.kind()) {
            case "sqlite" -> JdbcStore.sqlite(folders.database(), InstantSource.system());
            case "postgres" ->
                JdbcStore.postgres(
                        store.url()
                                .orElseThrow(() -> new ConfigurationException(
                                        "computehive.store.url is missing: PostgreSQL needs a JDBC URL", null)),
                        store.user().orElse("computehive"),
                        store.passwordFile().map(Secrets::read).orElse(""),
                        InstantSource.system());
            default ->
                throw new ConfigurationException(
                        "computehive.store.kind %s is not known: use sqlite or postgres".formatted(store.kind()), null);
        };
    }

    /** Returns the engine, which is running. */
    public RentalEngine engine() {
        return local.engine();
    }

    /** Returns its parts. */
    public LocalPlatform local() {
        return local;
    }

    /** Returns where rentals are kept; closed with the platform. */
    public RentalStore store() {
        return store;
    }

    /** Returns the calendars that parties subscribe to. */
    public CalendarFeeds feeds() {
        return feeds;
    }

    /** Returns where things lie. */
    public Folders folders() {
        return folders;
    }

    /** Returns the account that owns this machine. */
    public Account lender() {
        return lender;
    }

    /** Returns the account of the first renter's token, if one is known. */
    public Optional<Account> renter() {
        return renter;
    }

    /** Returns the account that pays for settlements; {@link Account#ZERO} for none. */
    public Account operator() {
        return operator;
    }

    /** Returns where the development chain's node listens, if there is one. */
    public Optional<URI> devNode() {
        return Optional.ofNullable(devNode).map(DevNode::url);
    }

    /** Closes every part, last opened first: the engine, the gateway, the VMs of a private libvirt, the chain's node. */
    @Override
    public void close() {
        oversight.close();
        local.close();
        checkpoints.close();
        if (devNode != null) {
            devNode.close();
        }
    }
}
