package org.computehive.server.crash;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.computehive.audit.AuditLog;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.chain.EvmEscrow;
import org.computehive.market.Account;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.Maintenance;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.pricing.TribuoPriceAdvisor;
import org.computehive.rental.Escrow;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.Notifier;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.rental.SessionAccess;
import org.computehive.rental.SshAccess;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;
import org.computehive.store.JdbcStore;

/**
 * The process that is killed: an engine on real parts. It obeys lines on standard input, each {@code NUMBER COMMAND
 * ARGUMENT...}, and answers each with {@code ok}, {@code refused} or {@code failed} and its number; what was answered with
 * {@code ok} was acknowledged. It ends when its input does.
 */
public final class EngineMain {
    private static final MachineShape SHAPE = new MachineShape(1, 128, 16, "none");
    private static final Rate PRICE = Rate.of(700);
    static final Listing.Rules RULES = new Listing.Rules(
            Duration.ofSeconds(5),
            Duration.ofMinutes(10),
            Duration.ofSeconds(2),
            EngineSettings.START_LIMIT.plusSeconds(1),
            Duration.ofSeconds(3),
            Cancellation.FREE,
            Duration.ofSeconds(2));

    private final Wire wire;
    private final Gate gate;
    private final RentalEngine engine;

    private EngineMain(Wire wire, Gate gate, RentalEngine engine) {
        this.wire = wire;
        this.gate = gate;
        this.engine = engine;
    }

    /**
     * Runs.
     *
     * @param arguments the file with the settings, and the lender's account
     */
    public static void main(String[] arguments) throws IOException {
        var wire = new Wire(System.out);
        EngineSettings settings = EngineSettings.read(Path.of(arguments[0]));
        var gate = new Gate(wire);
        try {
            SshAccess access = SshAccess.open(
                    settings.folder().resolve("keys/access"), SshAccess.Settings.loopback(0), InstantSource.system());
            RentalEngine engine = open(settings, access, new Account(arguments[1]), gate, wire);
            wire.say("ready " + access.address().getPort());
            new EngineMain(wire, gate, engine).obey();
            Runtime.getRuntime().halt(0);
        } catch (RuntimeException e) {
            e.printStackTrace();
            wire.say("broken " + e);
            Runtime.getRuntime().halt(1);
        }
    }

    private static RentalEngine open(
            EngineSettings settings, SessionAccess access, Account lender, Gate gate, Wire wire) {
        InstantSource clock = InstantSource.system();
        Path folder = settings.folder();
        RentalStore store = JdbcStore.postgres(
                settings.jdbcUrl(), settings.user(), settings.password(), clock, EngineSettings.TAKEOVER);
        NoteKey key = NoteKey.load(folder.resolve("keys/audit-" + settings.log()));
        AuditLog log = FileAuditLog.open(settings.audit(), key);
        var boundaries = new Boundaries(gate, new Precedence(settings, log, wire));
        Escrow escrow = EvmEscrow.connect(settings.escrow());
        Notifier notifier = new EvidenceNotifier(folder.resolve("calendar"), settings.faults());
        var faults = new Faults(settings);
        Hypervisor hypervisor = TestDriverHypervisor.open(settings, gate);
        RentalEngine engine = RentalEngine.builder()
                .store(boundaries.around(RentalStore.class, faults.in(store)))
                .auditLog(boundaries.around(AuditLog.class, faults.in(log)))
                .escrow(boundaries.around(Escrow.class, faults.in(escrow)))
                .access(boundaries.around(SessionAccess.class, access))
                .notifier(boundaries.around(Notifier.class, notifier))
                .priceAdvisor(request -> TribuoPriceAdvisor.bundled().suggest(request))
                .clock(clock)
                .policy(EngineSettings.POLICY)
                .build();
        engine.registerHost(Stage.HOST, lender, boundaries.around(Hypervisor.class, hypervisor));
        engine.start();
        return engine;
    }

    private void obey() throws IOException {
        try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
                ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor()) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                List<String> words = Arrays.asList(line.split(" "));
                if (words.get(1).equals("arm")) {
                    gate.arm(new LinkedHashSet<>(words.subList(2, words.size())));
                } else if (words.get(1).equals("stop")) {
                    engine.close();
                    wire.say("stopped");
                    System.exit(0);
                } else {
                    workers.execute(() -> answer(words));
                }
            }
            // The test is gone: nobody is left who could ask anything.
            Runtime.getRuntime().halt(0);
        }
    }

    private void answer(List<String> words) {
        String number = words.getFirst();
        try {
            wire.say("ok %s %s".formatted(number, carryOut(words)));
        } catch (RentalException e) {
            wire.say("refused %s %s %s".formatted(number, e.getClass().getSimpleName(), e.getMessage()));
        } catch (RuntimeException e) {
            wire.say("failed %s %s %s".formatted(number, e.getClass().getSimpleName(), e.getMessage()));
        }
    }

    private String carryOut(List<String> words) {
        String command = words.get(1);
        if (command.equals("list")) {
            return list();
        }
        if (command.equals("book")) {
            return book(words);
        }
        if (command.equals("block")) {
            return block(words);
        }
        if (command.equals("unblock")) {
            return Boolean.toString(engine.unblock(new Account(words.get(2)), Stage.HOST, words.get(3)));
        }
        var id = new RentalId(words.get(2));
        return switch (command) {
            case "sign" -> said(engine.signOffer(id, new Signature(words.get(3))));
            case "cancel" -> said(engine.cancel(id, new Account(words.get(3))));
            case "end" -> said(engine.end(id, new Account(words.get(3))));
            case "extend" -> extend(id, words);
            case "reclaim" -> said(engine.reclaim(id, new Account(words.get(3)), second(words.get(4))));
            case "release" -> said(engine.signReleases(id, signatures(words.subList(3, words.size()))));
            case "receipt" ->
                said(engine.signReceipts(id, new Account(words.get(3)), signatures(words.subList(4, words.size()))));
            case "certificate" -> {
                String key = words.get(4) + " " + words.get(5);
                SessionAccess.Grant grant = engine.issueCertificate(id, new Account(words.get(3)), key);
                yield "%s %s %d %s"
                        .formatted(
                                id,
                                grant.serial(),
                                grant.notAfter().getEpochSecond(),
                                grant.certificate().strip().replace(' ', '~'));
            }
            default -> throw new IllegalArgumentException("no such command: " + command);
        };
    }

    private String book(List<String> words) {
        var renter = new Account(words.get(3));
        var listing = new ListingId(words.get(2));
        Window window = window(words.get(4), words.get(5));
        // Both ways to book, each about half of the time.
        return window.start().getEpochSecond() % 2 == 0
                ? said(engine.reserve(renter, listing, window, PRICE.cost(window.length())))
                : said(engine.reserve(engine.quote(renter, listing, window).id(), renter));
    }

    private String extend(RentalId id, List<String> words) {
        var renter = new Account(words.get(3));
        return said(engine.extend(
                id,
                renter,
                engine.quoteExtension(id, renter, second(words.get(4))).id()));
    }

    private String block(List<String> words) {
        List<GpuId> gpus = engine.listing(new ListingId(words.get(2))).gpus();
        var lender = new Account(words.get(3));
        return engine.block(
                        lender,
                        new Maintenance(Stage.HOST, words.get(4), gpus, window(words.get(5), words.get(6)), "new fans"))
                .name();
    }

    private static Window window(String start, String seconds) {
        return Window.of(second(start), Duration.ofSeconds(Long.parseLong(seconds)));
    }

    private static Instant second(String number) {
        return Instant.ofEpochSecond(Long.parseLong(number));
    }

    private static List<Signature> signatures(List<String> words) {
        return words.stream().map(Signature::new).toList();
    }

    private static String said(Rental rental) {
        return rental.id() + " " + rental.version();
    }

    /** Offers each gpu by itself. */
    private String list() {
        Host host = engine.hosts().getFirst();
        Token token = engine.escrow().token();
        for (int i = 0; i < host.gpus().size(); i++) {
            engine.list(new Listing(
                    Slot.listing(i),
                    host.lender(),
                    host.id(),
                    List.of(new GpuId(host.id(), host.gpus().get(i).address())),
                    SHAPE,
                    token,
                    PRICE,
                    PRICE,
                    PRICE,
                    Availability.always(),
                    RULES,
                    host.assurance(),
                    true));
        }
        return "listed";
    }
}
