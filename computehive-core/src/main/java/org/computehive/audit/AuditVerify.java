package org.computehive.audit;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.computehive.audit.VerificationReport.Finding;

/**
 * The auditor's command line: {@code DIR --key VKEY [--since CHECKPOINT_FILE]... [--entry ENTRY_FILE]... [--anchor SIZE:ROOT]...
 * [--anchors FILE]... [--witness VKEY]... [--quorum K]}, or {@code --proof PROOF_FILE --entry ENTRY_FILE --key VKEY} without the log.
 *
 * <p>Exit code 0 if everything holds, 1 if something fails, 2 if it could not be tried.
 */
public final class AuditVerify {
    private static final int HOLDS = 0;
    private static final int FAILS = 1;
    private static final int USAGE = 2;
    private static final int ANCHORS_LIMIT = 64 << 20;
    private static final String HELP = """
            usage: DIR --key VERIFIER_KEY [--since CHECKPOINT_FILE]... [--entry ENTRY_FILE]...
                       [--anchor SIZE:ROOT]... [--anchors FILE]... [--witness WITNESS_KEY]... [--quorum K]
                   --proof PROOF_FILE --entry ENTRY_FILE --key VERIFIER_KEY [--witness WITNESS_KEY]... [--quorum K]
              DIR                the log's folder, or a copy of its checkpoint and tile/
              --key              the log's verifier key, <name>+<hash>+<key>
              --since            a checkpoint kept from before, which the log must continue
              --anchor           what a chain holds of the log: its size then and its root in hexadecimal, which it must continue
              --anchors          a file of such, a line each, at least one; `audit anchors` makes it
              --entry            a file with the bytes of an entry that must be in the log
              --witness          a witness's key; --quorum K of them (all, if it is not given) must have cosigned
              --proof            a proof of the one entry (C2SP tlog-proof), instead of DIR
            exit code: 0 everything holds, 1 something fails, 2 it could not be tried""";
    private static final Pattern ANCHOR = Pattern.compile("([1-9][0-9]{0,17}):(?:0x)?([0-9a-fA-F]{64})");

    private final PrintStream out;
    private final PrintStream err;

    AuditVerify(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /** Verifies and ends the process with the exit code. */
    public static void main(String[] args) {
        System.exit(new AuditVerify(System.out, System.err).run(List.of(args)));
    }

    int run(List<String> args) {
        List<String> folders = new ArrayList<>();
        List<String> keys = new ArrayList<>();
        List<String> since = new ArrayList<>();
        List<byte[]> entries = new ArrayList<>();
        List<String> anchors = new ArrayList<>();
        List<WitnessKey> witnesses = new ArrayList<>();
        List<String> proofs = new ArrayList<>();
        int needed = -1;
        try {
            for (int i = 0; i < args.size(); i++) {
                switch (args.get(i)) {
                    case "--key" -> keys.add(value(args, ++i));
                    case "--since" -> since.add(Files.readString(file(value(args, ++i), Note.MAX_CHARS)));
                    case "--entry" -> entries.add(Files.readAllBytes(file(value(args, ++i), AuditLog.MAX_ENTRY_BYTES)));
                    case "--anchor" -> anchors.add(value(args, ++i));
                    case "--anchors" -> anchors.addAll(lines(value(args, ++i)));
                    case "--witness" -> witnesses.add(WitnessKey.parse(value(args, ++i)));
                    case "--quorum" -> needed = Integer.parseInt(value(args, ++i));
                    case "--proof" -> proofs.add(Files.readString(file(value(args, ++i), 2 * Note.MAX_CHARS)));
                    default -> folders.add(args.get(i));
                }
            }
            var quorum = new Quorum(needed < 0 ? witnesses.size() : needed, witnesses);
            if (proofs.size() == 1 && entries.size() == 1 && keys.size() == 1 && folders.isEmpty()) {
                return proof(VerifierKey.parse(keys.getFirst()), proofs.getFirst(), entries.getFirst(), quorum);
            }
            if (folders.size() != 1 || keys.size() != 1 || folders.getFirst().startsWith("-")) {
                return usage("one DIR and one --key are needed");
            }
            Path folder = Path.of(folders.getFirst());
            if (!Files.isDirectory(folder)) {
                return usage("there is no folder " + folder);
            }
            VerifierKey key = VerifierKey.parse(keys.getFirst());
            List<Anchored> anchored =
                    anchors.stream().map(anchor -> anchored(key, anchor)).toList();
            return print(new Verifier(key).verify(folder, since, entries, anchored, quorum));
        } catch (IOException e) {
            return usage("a file can't be read: " + e);
        } catch (IllegalArgumentException e) {
            return usage(String.valueOf(e.getMessage()));
        }
    }

    private int proof(VerifierKey key, String proof, byte[] entry, Quorum quorum) {
        try {
            out.println("log       " + new Verifier(key).verifyProof(proof, entry, quorum));
            out.println("holds     the entry is entry %d"
                    .formatted(ProofFile.parse(proof).index()));
            out.println("VERIFIED");
            return HOLDS;
        } catch (IllegalArgumentException e) {
            out.println("FAILS     " + e.getMessage());
            out.println("NOT VERIFIED");
            return FAILS;
        }
    }

    /** The log's name is its key's. */
    private static Anchored anchored(VerifierKey key, String anchor) {
        var form = ANCHOR.matcher(anchor);
        if (!form.matches()) {
            throw new IllegalArgumentException(
                    "--anchor %s is not SIZE:ROOT, a whole number and 64 hexadecimal digits".formatted(anchor));
        }
        return new Anchored(
                Anchored.originHash(key.name()),
                Long.parseLong(form.group(1)),
                HexFormat.of().parseHex(form.group(2)));
    }

    private static List<String> lines(String name) throws IOException {
        List<String> lines = Files.readAllLines(file(name, ANCHORS_LIMIT));
        if (lines.isEmpty()) {
            throw new IllegalArgumentException("%s is empty, so that nothing is held against it".formatted(name));
        }
        return lines;
    }

    private static String value(List<String> args, int i) {
        if (i >= args.size()) {
            throw new IllegalArgumentException(args.get(i - 1) + " needs a value");
        }
        return args.get(i);
    }

    private static Path file(String name, int limit) throws IOException {
        Path file = Path.of(name);
        if (Files.size(file) > limit) {
            throw new IllegalArgumentException(
                    "%s has more than %d bytes, the most that it can have".formatted(file, limit));
        }
        return file;
    }

    private int usage(String why) {
        err.println("audit verify: " + why);
        err.println(HELP);
        return USAGE;
    }

    private int print(VerificationReport report) {
        report.checkpoint().ifPresent(checkpoint -> out.println("log       " + checkpoint));
        for (Finding finding : report.findings()) {
            switch (finding) {
                case Finding.Holds holds -> out.println("holds     " + holds.what());
                case Finding.Unjudged unjudged -> out.println("unjudged  " + unjudged.file() + ": " + unjudged.why());
                case Finding.Fails fails ->
                    out.println("FAILS     " + fails.file()
                            + (fails.index().isPresent()
                                    ? ", entry " + fails.index().getAsLong()
                                    : "") + ": "
                            + fails.why());
            }
        }
        out.println(report.holds() ? "VERIFIED" : "NOT VERIFIED");
        return report.holds() ? HOLDS : FAILS;
    }
}
