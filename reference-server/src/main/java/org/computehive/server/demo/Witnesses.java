package org.computehive.server.demo;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.computehive.audit.AuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.audit.VerifierKey;
import org.computehive.audit.WitnessKey;
import org.computehive.audit.witness.Cosigning;
import org.computehive.audit.witness.Witness;
import org.computehive.audit.witness.WitnessClient;
import org.computehive.audit.witness.WitnessServer;

/** Three witnesses of the audit log, each a server of its own on loopback; two must cosign. Used by one thread. */
final class Witnesses implements AutoCloseable {
    /** How many must cosign. */
    static final int NEEDED = 2;

    private static final List<String> NAMES = List.of("alice.example", "bob.example", "carol.example");
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final VerifierKey log;
    private final List<WitnessClient> clients = new ArrayList<>();
    private final List<WitnessServer> servers = new ArrayList<>();

    private Witnesses(VerifierKey log) {
        this.log = log;
    }

    /**
     * Starts them.
     *
     * @param log the key of the log that they witness
     * @param folder where they remember what they cosigned; made
     */
    static Witnesses start(VerifierKey log, Path folder) throws IOException {
        var witnesses = new Witnesses(log);
        try {
            for (String name : NAMES) {
                var witness = new Witness(
                        NoteKey.generate(name),
                        List.of(log),
                        Files.createDirectories(folder.resolve(name)),
                        InstantSource.system());
                WitnessServer server =
                        WitnessServer.start(witness, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                witnesses.servers.add(server);
                witnesses.clients.add(new WitnessClient(
                        witness.witnessKey(),
                        URI.create("http://127.0.0.1:" + server.address().getPort()),
                        PATIENCE));
            }
            return witnesses;
        } catch (IOException | RuntimeException e) {
            witnesses.close();
            throw e;
        }
    }

    /** Switches the last one off; returns its name. */
    String switchOneOff() {
        servers.getLast().close();
        return NAMES.getLast();
    }

    /** Returns their keys. */
    List<WitnessKey> keys() {
        return clients.stream().map(WitnessClient::key).toList();
    }

    /** Returns how enough of them are asked about a log. */
    Cosigning cosigning(AuditLog of) {
        return new Cosigning(of, log, clients, NEEDED);
    }

    @Override
    public void close() {
        servers.forEach(WitnessServer::close);
    }
}
