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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.computehive.server.api.Tokens;
import org.computehive.server.config.AuditSettings;
import org.computehive.server.config.AuthoritySettings;
import org.computehive.server.config.CalDavCalendar;
import org.computehive.server.config.CalDavSettings;
import org.computehive.server.config.ChainSettings;
import org.computehive.server.config.ConfigurationException;
import org.computehive.server.config.GatewaySettings;
import org.computehive.server.config.HostSettings;
import org.computehive.server.config.PolicySettings;
import org.computehive.server.config.ProxmoxKeys;
import org.computehive.server.config.ReferencePlatform;
import org.computehive.server.config.ServerSettings;
import org.computehive.server.config.StoreSettings;
import org.computehive.server.config.WitnessSettings;
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
            System.out.print(CommandLine.USAGE);
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
        } catch (CommandLine.UsageException e) {
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

    /**
     * Starts everything; returns once the API answers.
     *
     * @param arguments as on the command line
     * @param progress gets a line for what takes long
     * @throws RuntimeException if it could not; nothing is left running then
     */
    static Application start(List<String> arguments, Consumer<String> progress) {
        ApplicationContext context = ApplicationContext.builder()
                .args(CommandLine.properties(arguments))
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
                            context.getBean(HostSettings.class),
                            context.getBean(ProxmoxKeys.class),
                            context.getBean(StoreSettings.class),
                            context.getBean(GatewaySettings.class),
                            context.getBeansOfType(AuthoritySettings.class),
                            context.getBean(ChainSettings.class),
                            context.getBean(AuditSettings.class),
                            context.getBeansOfType(WitnessSettings.class),
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
