package org.computehive.server.crash;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.computehive.audit.NoteKey;
import org.computehive.chain.AnvilNode;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmEscrow;
import org.computehive.chain.EvmParty;
import org.computehive.market.Amount;
import org.computehive.market.HostId;
import org.computehive.server.platform.DevChain;
import org.computehive.server.platform.FolderTree;
import org.computehive.store.JdbcStore;

/** Everything that outlives the engine: database, chain node, libvirt, guests. Closes what it opened, last first. */
final class Stage implements AutoCloseable {
    static final HostId HOST = new HostId("test-host");
    /** The replicas, each with an audit log of its own name. */
    static final List<String> LOGS = List.of("a", "b");

    private static final Amount DEPOSITED =
            Amount.of(DevChain.POCKET_MONEY.units().longValueExact() / 2);

    final Path folder;
    final Calm calm = new Calm();
    final PostgresCluster postgres;
    final DevChain chain;
    final LibvirtDaemon libvirt;
    final Guests guests;
    final ChainRelay relay;
    final EngineSettings settings;
    final JdbcStore store;
    final EvmEscrow escrow;
    final EvmParty renter;
    final EvmParty lender;
    /** Every coming and going of a domain, in order, with the mark of those that came. */
    final List<Seen> seen = new CopyOnWriteArrayList<>();

    private final List<Integer> kinds;
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private final Map<String, Integer> ports = new java.util.concurrent.ConcurrentHashMap<>();

    /** A change of a domain with the attributes of its mark. */
    record Seen(LibvirtDaemon.Change change, Map<String, String> mark) {}

    private Stage(int gpus, Set<Fault> faults, Consumer<String> points) throws Exception {
        folder = Files.createTempDirectory("ch-crash-");
        // Other users' programs pass through it.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path engine = privateFolder(folder.resolve("engine"));
        for (String name : List.of("keys", "calendar", "sessions")) {
            privateFolder(engine.resolve(name));
        }
        for (String log : LOGS) {
            privateFolder(engine.resolve("audit-" + log));
        }
        try {
            postgres = keep(PostgresCluster.start(folder.resolve("postgres")));
            String url = postgres.create("crash");
            chain = keep(DevChain.start(
                    AnvilNode.find(Path.of("").toAbsolutePath()), 0, privateFolder(folder.resolve("chain"))));
            relay = keep(ChainRelay.start(chain.settings().nodes().getFirst(), points));
            kinds = kinds(gpus);
            guests = keep(Guests.start(kinds.size(), deaf(gpus)));
            libvirt = keep(LibvirtDaemon.start(folder.resolve("libvirt"), this::changed));
            settings = settings(engine, url, faults);
            for (String log : LOGS) {
                NoteKey.loadOrGenerate(engine.resolve("keys/audit-" + log), "computehive.crash/" + log);
            }
            store = keep(JdbcStore.postgres(url, postgres.user(), postgres.password(), InstantSource.system()));
            escrow = keep(chain.connect());
            renter = DevChain.party(escrow, chain.renter());
            lender = DevChain.party(escrow, chain.lender());
            renter.deposit(DEPOSITED);
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    /**
     * Opens everything.
     *
     * @param gpus how many gpus the host has
     * @param points hears of each point between engine and chain
     */
    static Stage open(int gpus, Set<Fault> faults, Consumer<String> points) throws Exception {
        return new Stage(gpus, faults, points);
    }

    private EngineSettings settings(Path engine, String url, Set<Fault> faults) throws IOException {
        EscrowSettings direct = chain.settings();
        Path operator = engine.resolve("keys/operator");
        Objects.requireNonNull(direct.operator()).save(operator);
        return new EngineSettings(
                engine,
                url,
                postgres.user(),
                postgres.password(),
                relay.address(),
                direct.chainId(),
                direct.contract(),
                direct.deployedAt(),
                direct.token().contract(),
                operator,
                libvirt.uri(),
                guests.ports(),
                kinds,
                LOGS.getFirst(),
                faults);
    }

    /** Each gpu is of a kind of its own, but for those whose course takes a spare one: that comes after them all. */
    private static List<Integer> kinds(int gpus) {
        return Stream.concat(
                        IntStream.range(0, gpus).boxed(),
                        IntStream.range(0, gpus)
                                .filter(number -> Course.of(number).hasSpare())
                                .boxed())
                .toList();
    }

    private static Set<Integer> deaf(int gpus) {
        var deaf = new HashSet<Integer>();
        for (int i = 0; i < gpus; i++) {
            if (Course.of(i).isDeaf()) {
                deaf.add(i);
            }
        }
        return deaf;
    }

    private static Path privateFolder(Path path) throws IOException {
        return Files.createDirectory(
                path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }

    private void changed(LibvirtDaemon.Change change, Map<String, String> mark) {
        if (change.up() && mark.containsKey("ssh-port")) {
            int port = Integer.parseInt(mark.get("ssh-port"));
            ports.put(change.name(), port);
            guests.up(port);
        } else if (!change.up() && ports.get(change.name()) != null) {
            guests.down(ports.get(change.name()));
        }
        seen.add(new Seen(change, mark));
    }

    private <T extends AutoCloseable> T keep(T part) {
        opened.push(part);
        return part;
    }

    /** Ends everything; the folder stays. */
    void end() {
        var failures = new ArrayList<String>();
        while (!opened.isEmpty()) {
            AutoCloseable part = opened.pop();
            try {
                part.close();
            } catch (Exception e) {
                failures.add(part.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
        failures.forEach(failure -> System.err.println("crash-test: could not close " + failure));
    }

    @Override
    public void close() {
        end();
        try {
            FolderTree.delete(folder);
        } catch (IOException e) {
            System.err.println("crash-test: could not remove " + folder + ": " + e.getMessage());
        }
    }
}
