package org.computehive.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.computehive.audit.Anchored;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLog;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.audit.Quorum;
import org.computehive.audit.VerificationReport;
import org.computehive.audit.Verifier;
import org.computehive.audit.witness.Witness;
import org.computehive.audit.witness.WitnessServer;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmAnchor;
import org.computehive.market.Account;
import org.computehive.server.platform.LocalPlatform;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The server's audit log, cosigned by one of two witnesses and anchored on the chain, before and after it was rewritten. */
@Timeout(300)
class OversightIT {
    private static final Duration LIMIT = Duration.ofMinutes(1);

    @TempDir
    private Path work;

    private Path data;
    private NoteKey key;
    private Witness witness;
    private WitnessServer witnesses;

    @BeforeEach
    void begin() throws Exception {
        data = Files.setPosixFilePermissions(
                Files.createTempDirectory("computehive-oversight-"), PosixFilePermissions.fromString("rwx--x--x"));
        Path keys = Files.createDirectory(
                data.resolve("keys"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        key = NoteKey.loadOrGenerate(keys.resolve("audit-log"), LocalPlatform.LOG_NAME);
        witness = new Witness(
                NoteKey.generate("witness.example"),
                List.of(key.verifierKey()),
                Files.createDirectory(work.resolve("witness")),
                InstantSource.system());
        witnesses = WitnessServer.start(witness, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    @AfterEach
    void end() throws Exception {
        witnesses.close();
        delete(data);
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    private Application start() {
        String silent = new Witness(NoteKey.generate("silent.example"), List.of(), work, InstantSource.system())
                .witnessKey()
                .toString();
        return Application.start(
                List.of(
                        "--data=" + data,
                        "--port=0",
                        "--chain.port=0",
                        "--gateway.port=0",
                        "--audit.witnesses.theirs.key=" + witness.witnessKey(),
                        "--audit.witnesses.theirs.url=http://127.0.0.1:"
                                + witnesses.address().getPort(),
                        "--audit.witnesses.silent.key=" + silent,
                        "--audit.witnesses.silent.url=http://127.0.0.1:1",
                        "--audit.quorum=1",
                        "--audit.cosign-every=PT0.2S",
                        "--audit.anchor-every=PT0.2S"),
                line -> {});
    }

    private static void append(AuditLog log, String what) {
        byte[] salt = AuditEntry.newSalt();
        log.append(AuditEntry.commit("test.entry", Instant.now(), what.getBytes(StandardCharsets.UTF_8), salt)
                .bytes());
    }

    /** Asks again and again until there is an answer; each question takes its time, at the server or the node. */
    private static <T> T await(Callable<Optional<T>> question) throws Exception {
        Instant limit = Instant.now().plus(LIMIT);
        Optional<T> answer = question.call();
        while (answer.isEmpty()) {
            assertTrue(Instant.now().isBefore(limit), "no answer within " + LIMIT);
            answer = question.call();
        }
        return answer.get();
    }

    /** What an auditor's command reads from the chain, by the words of its command line. */
    private static List<Anchored> exported(Application server, Account contract) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        var command = new AuditAnchors(new PrintStream(out, true), new PrintStream(err, true));
        EscrowSettings chain = server.platform().local().escrow().settings();
        List<String> words = List.of(
                "--rpc",
                chain.nodes().getFirst().toString(),
                "--chain",
                Long.toString(chain.chainId()),
                "--contract",
                contract.address(),
                "--author",
                server.platform().operator().address(),
                "--origin");
        assertEquals(0, command.run(with(words, LocalPlatform.LOG_NAME)), err::toString);
        byte[] origin = Anchored.originHash(LocalPlatform.LOG_NAME);
        List<Anchored> anchors = out.toString()
                .lines()
                .map(line -> line.split(":"))
                .map(parts -> new Anchored(
                        origin, Long.parseLong(parts[0]), HexFormat.of().parseHex(parts[1])))
                .toList();
        assertEquals(1, command.run(with(words, "another.example")), "nothing is anchored of it");
        assertEquals(2, command.run(words), "a value is missing");
        assertEquals(2, command.run(words.subList(0, 8)), "the origin is missing");
        return anchors;
    }

    private static List<String> with(List<String> words, String last) {
        return Stream.concat(words.stream(), Stream.of(last)).toList();
    }

    @Test
    void log_isCosignedAndAnchored_andOneThatWasRewrittenMeanwhileIsRefusedAtTheNextStart() throws Exception {
        Path audit = data.resolve("audit");
        var quorum = new Quorum(1, List.of(witness.witnessKey()));
        List<Anchored> exported;
        try (Application server = start()) {
            ApiClient api = ApiClient.of(server);
            append(server.platform().local().auditLog(), "what was");
            append(server.platform().local().auditLog(), "and then");
            String cosigned = await(() -> {
                var answer =
                        api.send("auditor", "GET", "/audit/checkpoint.cosigned", Optional.empty(), Optional.empty());
                return Optional.of(answer.body())
                        .filter(note -> answer.statusCode() == 200 && note.split("\n")[1].equals("2"));
            });
            assertEquals(List.of("witness.example"), quorum.check(cosigned));

            var contract = new Account(Files.readString(data.resolve("chain/anchor")));
            try (var auditors = EvmAnchor.connect(
                    server.platform().local().escrow().settings(),
                    contract,
                    server.platform().operator())) {
                List<Anchored> anchors =
                        await(() -> Optional.of(auditors.anchors(Anchored.originHash(LocalPlatform.LOG_NAME)))
                                .filter(all -> !all.isEmpty() && all.getLast().size() == 2));
                VerificationReport report =
                        new Verifier(key.verifierKey()).verify(audit, List.of(), List.of(), anchors, quorum);
                assertTrue(report.holds(), () -> report.findings().toString());
                exported = exported(server, contract);
                assertEquals(anchors, exported);
            }
        }

        delete(audit);
        Files.createDirectory(audit);
        try (var other = FileAuditLog.open(audit, key)) {
            append(other, "what was not");
            append(other, "and then");
            append(other, "and more");
        }
        VerificationReport rewritten =
                new Verifier(key.verifierKey()).verify(audit, List.of(), List.of(), exported, Quorum.NONE);
        assertTrue(
                rewritten.failures().stream().anyMatch(failure -> failure.why().contains("history was rewritten")),
                () -> rewritten.findings().toString());
        var caught = assertThrows(IllegalStateException.class, () -> start().close());
        assertTrue(caught.getMessage().contains("does not continue what was anchored"), caught.getMessage());
    }
}
