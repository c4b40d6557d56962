package org.computehive.server;

import io.micronaut.context.ApplicationContext;
import io.micronaut.runtime.server.EmbeddedServer;
import io.swagger.v3.oas.annotations.OpenAPIDefinition;
import io.swagger.v3.oas.annotations.enums.SecuritySchemeType;
import io.swagger.v3.oas.annotations.info.Info;
import io.swagger.v3.oas.annotations.info.License;
import io.swagger.v3.oas.annotations.security.SecurityScheme;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.computehive.server.api.Tokens;
import org.computehive.server.config.CalDavCalendar;
import org.computehive.server.config.CalDavSettings;
import org.computehive.server.config.ChainSettings;
import org.computehive.server.config.ConfigurationException;
import org.computehive.server.config.GatewaySettings;
import org.computehive.server.config.PolicySettings;
import org.computehive.server.config.ReferencePlatform;
import org.computehive.server.config.ServerSettings;
import org.computehive.server.config.StoreSettings;
import org.slf4j.LoggerFactory;

/** The reference server: {@code ./computehive serve}. Stays up until it is told to end, and leaves nothing running. */
@OpenAPIDefinition(
        info =
                @Info(
                        title = "ComputeHive",
                        version = "0.1",
                        description =
                                "One GPU rental from listing to settlement: listings, quotes, rentals, sessions, audit."
                                        + " Lenders and renters sign and send with wallets of their own.",
                        license = @License(name = "Apache-2.0")))
@SecurityScheme(name = "token", type = SecuritySchemeType.HTTP, scheme = "bearer")
public final class Application implements AutoCloseable {
    static final String USAGE = """
            Usage: ./computehive serve [--KEY=VALUE...]
            The reference server with its REST API; stays up until Ctrl-C. Every key may also come from the environment
            (COMPUTEHIVE_STORE_KIND=postgres) or a YAML file (computehive: store: kind: postgres) named by --config=FILE.

              --data=DIR               where everything is kept (root: /var/lib/computehive/server,
                                       others: ~/.local/state/computehive/server)
              --bind=ADDRESS           the API's address (127.0.0.1)
              --port=PORT              the API's port, 0 for a free one (8080)
              --host-id=NAME           this machine's name as a host (local)
              --lender=ACCOUNT         who owns this machine (the development chain's first account)
              --renter=ACCOUNT         the account of the first renter's token (the development chain's second account)
              --hypervisor=URI         a libvirt daemon, such as qemu:///system (a private, unprivileged one)
              --images=DIR             where guest images are kept (the user's cache)
              --store.kind=KIND        sqlite, or postgres with --store.url=JDBC-URL --store.user=USER
                                       --store.password-file=FILE (sqlite)
              --gateway.bind=ADDRESS   the SSH gateway's address (127.0.0.1)
              --gateway.port=PORT      its port, 0 for a free one (2222)
              --gateway.public-host=H  the host name or address under which renters reach it
              --chain.kind=KIND        dev: a local node with worthless money; or external (dev)
              --chain.port=PORT        the development chain's port on loopback, 0 for a free one (8545)
              --chain.rpc-urls=URLS --chain.id=ID --chain.contract=ADDRESS --chain.deployed-at=BLOCK
              --chain.confirmations=N --chain.token=ADDRESS --chain.token-symbol=TEXT --chain.token-decimals=N
              --chain.token-usd-pegged=BOOLEAN --chain.operator-key-file=FILE
                                       an external chain
              --policy.quote-life=PT10M --policy.hold=PT15M --policy.lead=PT5M --policy.start-limit=PT10M
              --policy.watch=PT15S --policy.retry=PT5S --policy.slowest=PT5M --policy.stuck-after=PT1H
              --policy.host-silence=PT2M --policy.recovery=PT10M --policy.moves=3 --policy.teardown-limit=P1D
              --policy.extensions=12 --policy.longest-extension=P7D --policy.confirm-extension=PT1M
                                       how long the engine waits for what, and how often it tries
              --caldav.calendars.NAME.account=ACCOUNT --caldav.calendars.NAME.url=URL
              --caldav.calendars.NAME.user=USER
              --caldav.calendars.NAME.password-file=FILE or --caldav.calendars.NAME.password-variable=VARIABLE
              --caldav.calendars.NAME.on-cancel=mark|remove
                                       a party's calendar on a CalDAV server; NAME is yours; no password is an option
              --caldav.patience=PT10S --caldav.private-addresses=BOOLEAN
                                       how long one message may take; whether a server may be in a network of your own
              --help                   this text
            """;

    private static final List<String> KEYS = List.of(
            "data",
            "bind",
            "port",
            "host-id",
            "lender",
            "renter",
            "hypervisor",
            "images",
            "store.kind",
            "store.url",
            "store.user",
            "store.password-file",
            "gateway.bind",
            "gateway.port",
            "gateway.public-host",
            "chain.kind",
            "chain.port",
            "chain.rpc-urls",
            "chain.id",
            "chain.contract",
            "chain.deployed-at",
            "chain.confirmations",
            "chain.token",
            "chain.token-symbol",
            "chain.token-decimals",
            "chain.token-usd-pegged",
            "chain.operator-key-file",
            "policy.quote-life",
            "policy.hold",
            "policy.lead",
            "policy.start-limit",
            "policy.watch",
            "policy.retry",
            "policy.moves",
            "policy.host-silence",
            "policy.recovery",
            "policy.slowest",
            "policy.stuck-after",
            "policy.teardown-limit",
            "policy.extensions",
            "policy.longest-extension",
            "policy.confirm-extension",
            "caldav.patience",
            "caldav.private-addresses");
    private static final Pattern CALENDAR_KEY = Pattern.compile(
            "caldav\\.calendars\\.[a-z0-9-]{1,40}\\.(account|url|user|password-file|password-variable|on-cancel)");
    private static final int FAILED = 1;
    private static final int WRONG_USAGE = 2;
    private static final int STOP_SECONDS = 60;

    private final ApplicationContext context;
    private final ReferencePlatform platform;
    private final EmbeddedServer server;

    private Application(ApplicationContext context, ReferencePlatform platform, EmbeddedServer server) {
        this.context = context;
        this.platform = platform;
        this.server = server;
    }

    /** Runs the server. Exit code 2 for wrong usage, 1 if it could not start; the message says why. */
    public static void main(String[] arguments) {
        if (List.of(arguments).contains("--help")) {
            System.out.print(USAGE);
            return;
        }
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "logback-server.xml");
        }
        var started = new CompletableFuture<Application>();
        Thread stop = Thread.ofPlatform().name("computehive-stop").unstarted(() -> stop(started));
        Runtime.getRuntime().addShutdownHook(stop);
        try {
            Application application = start(List.of(arguments), line -> System.err.println("computehive: " + line));
            started.complete(application);
            application.describe(System.out);
        } catch (UsageException e) {
            started.completeExceptionally(e);
            System.err.println("computehive: " + e.getMessage() + " (--help lists what there is)");
            System.exit(WRONG_USAGE);
        } catch (RuntimeException e) {
            started.completeExceptionally(e);
            LoggerFactory.getLogger(Application.class).debug("the server could not start", e);
            System.err.println("computehive: the server could not start: " + reason(e));
            System.exit(FAILED);
        }
    }

    private static void stop(CompletableFuture<Application> started) {
        try {
            started.get(STOP_SECONDS, TimeUnit.SECONDS).close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            LoggerFactory.getLogger(Application.class).debug("there was nothing to stop", e);
        }
    }

    /** The command line made no sense; the message says why. */
    static final class UsageException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    /**
     * Starts everything; returns once the API answers.
     *
     * @param arguments as on the command line
     * @param progress gets a line for what takes long
     * @throws RuntimeException if it could not; nothing is left running then
     */
    static Application start(List<String> arguments, Consumer<String> progress) {
        ApplicationContext context = ApplicationContext.builder()
                .args(properties(arguments))
                .mainClass(Application.class)
                .banner(false)
                .start();
        ReferencePlatform platform = null;
        try {
            ServerSettings settings = context.getBean(ServerSettings.class);
            requireFree(settings);
            platform = ReferencePlatform.open(
                    new ReferencePlatform.Settings(
                            settings,
                            context.getBean(StoreSettings.class),
                            context.getBean(GatewaySettings.class),
                            context.getBean(ChainSettings.class),
                            context.getBean(PolicySettings.class),
                            context.getBean(CalDavSettings.class),
                            context.getBeansOfType(CalDavCalendar.class)),
                    progress);
            context.registerSingleton(platform);
            context.getBean(Tokens.class);
            return new Application(
                    context, platform, context.getBean(EmbeddedServer.class).start());
        } catch (RuntimeException e) {
            context.close();
            if (platform != null) {
                platform.close();
            }
            throw e;
        }
    }

    private static String[] properties(List<String> arguments) {
        var properties = new ArrayList<String>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String key = equals < 0 || !argument.startsWith("--") ? argument : argument.substring(2, equals);
            if (equals > 0 && key.equals("config")) {
                System.setProperty("micronaut.config.files", argument.substring(equals + 1));
            } else if (equals > 0
                    && (KEYS.contains(key) || CALENDAR_KEY.matcher(key).matches())) {
                properties.add("--computehive." + argument.substring(2));
            } else {
                throw new UsageException("%s is not an option; options are --KEY=VALUE".formatted(key));
            }
        }
        return properties.toArray(String[]::new);
    }

    /** Looks before anything else is started; the port may still be taken meanwhile. */
    private static void requireFree(ServerSettings settings) {
        try (var probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(InetAddress.getByName(settings.bind()), settings.port()));
        } catch (IOException e) {
            throw new ConfigurationException(
                    "can't listen at %s port %d (%s): stop what does, or choose another with --port"
                            .formatted(settings.bind(), settings.port(), e.getMessage()),
                    e);
        }
    }

    /** Returns the innermost message that is ours, or the innermost at all. */
    private static String reason(Throwable error) {
        Throwable deepest = error;
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause.getClass().getName().startsWith("org.computehive.") && cause.getMessage() != null) {
                return cause.getMessage();
            }
            deepest = cause;
        }
        return deepest.getMessage() == null ? deepest.toString() : deepest.getMessage();
    }

    /** Returns where the API listens. */
    URI url() {
        return server.getURI();
    }

    ReferencePlatform platform() {
        return platform;
    }

    private void describe(PrintStream out) {
        var lines = new LinkedHashMap<String, Object>();
        lines.put("API", url() + " (described at /openapi.yml)");
        lines.put("tokens", platform.folders().tokens() + ", a request header each for curl -H @FILE");
        InetSocketAddress gateway = platform.local().access().address();
        lines.put("SSH gateway", gateway.getHostString() + ":" + gateway.getPort());
        platform.devNode().ifPresent(node -> {
            lines.put("chain", node + ", which signs and sends for:");
            lines.put("  lender", platform.lender());
            lines.put("  renter", platform.renter().orElseThrow());
        });
        lines.put("escrow", platform.local().escrow().settings().contract());
        lines.put("audit log", platform.local().layout().audit());
        for (Map.Entry<String, Object> line : lines.entrySet()) {
            out.printf("%-12s %s%n", line.getKey(), line.getValue());
        }
        out.println("ready; Ctrl-C stops it");
    }

    /** Stops the API, then every part. */
    @Override
    public void close() {
        // Each is closed whatever the ones before it say: no VM and no chain node is left.
        try (platform;
                context) {
            server.stop();
        }
    }
}
