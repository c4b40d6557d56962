package org.computehive.server;

import java.io.PrintStream;
import java.net.URI;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.computehive.audit.Anchored;
import org.computehive.audit.AuditLogException;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmAnchor;
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.computehive.rental.EscrowException;

/**
 * Reads from a chain what was anchored of an audit log, for an auditor, who need not ask the server: {@code --rpc URL
 * --chain ID --contract ADDRESS --author ADDRESS --origin NAME [--confirmations N]}. Prints the lines that {@code audit
 * verify --anchors} takes.
 *
 * <p>Exit code 0 if there is an anchor, 1 if there is none, 2 if it could not be tried.
 */
public final class AuditAnchors {
    private static final Set<String> NEEDED = Set.of("--rpc", "--chain", "--contract", "--author", "--origin");
    private static final String CONFIRMATIONS = "--confirmations";
    private static final String HELP = """
            usage: --rpc URL --chain ID --contract ADDRESS --author ADDRESS --origin NAME [--confirmations N]
              --rpc              a node of the chain that you trust: one that lies can hide anchors
              --chain            the chain's id
              --contract         the AuditAnchor
              --author           the account whose anchors count, the platform operator's
              --origin           the log's name, the first line of its checkpoint
              --confirmations    how many blocks, its own included, make an anchor count (1)
            prints a line for each anchor, for `audit verify --anchors FILE`
            exit code: 0 there is one, 1 there is none, 2 it could not be tried""";

    private final PrintStream out;
    private final PrintStream err;

    AuditAnchors(PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
    }

    /** Prints the anchors and ends the process with the exit code. */
    public static void main(String[] args) {
        System.exit(new AuditAnchors(System.out, System.err).run(List.of(args)));
    }

    int run(List<String> args) {
        try {
            Map<String, String> options = options(args);
            byte[] origin = Anchored.originHash(option(options, "--origin"));
            try (var anchor = EvmAnchor.connect(
                    settings(options),
                    new Account(option(options, "--contract")),
                    new Account(option(options, "--author")))) {
                List<Anchored> anchors = anchor.anchors(origin);
                anchors.forEach(anchored ->
                        out.println(anchored.size() + ":" + HexFormat.of().formatHex(anchored.root())));
                if (anchors.isEmpty()) {
                    err.printf("audit anchors: %s has anchored nothing of this log%n", anchor.author());
                    return 1;
                }
                return 0;
            }
        } catch (IllegalArgumentException | EscrowException | AuditLogException e) {
            err.println("audit anchors: " + e.getMessage());
            err.println(HELP);
            return 2;
        }
    }

    private static EscrowSettings settings(Map<String, String> options) {
        var contract = new Account(option(options, "--contract"));
        // An anchor has no token.
        return EscrowSettings.of(
                        URI.create(option(options, "--rpc")),
                        Long.parseLong(option(options, "--chain")),
                        contract,
                        new Token(Account.ZERO, "NONE", 0, true))
                .withConfirmations(Integer.parseInt(options.getOrDefault(CONFIRMATIONS, "1")));
    }

    private static Map<String, String> options(List<String> args) {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i < args.size(); i += 2) {
            String name = args.get(i);
            if (!NEEDED.contains(name) && !name.equals(CONFIRMATIONS)) {
                throw new IllegalArgumentException("there is no option " + name);
            }
            if (i + 1 == args.size() || options.put(name, args.get(i + 1)) != null) {
                throw new IllegalArgumentException(name + " needs one value");
            }
        }
        return options;
    }

    private static String option(Map<String, String> options, String name) {
        String value = options.get(name);
        if (value == null) {
            throw new IllegalArgumentException(name + " is missing");
        }
        return value;
    }
}
