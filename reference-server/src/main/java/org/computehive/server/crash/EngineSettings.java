package org.computehive.server.crash;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.computehive.chain.EscrowSettings;
import org.computehive.chain.EvmWallet;
import org.computehive.market.Account;
import org.computehive.market.Token;
import org.computehive.rental.ExtensionPolicy;
import org.computehive.rental.RentalPolicy;

/**
 * What an engine's process is told: where its database, chain, libvirt and folders are.
 *
 * @param folder for keys, audit log, calendars and sessions
 * @param jdbcUrl the database
 * @param user its user
 * @param password the user's password
 * @param chain the address at which the engine reaches the chain
 * @param chainId the chain's number
 * @param contract the escrow contract
 * @param deployedAt the block that created it
 * @param token the contract of the token that is paid in
 * @param operator a file with the key that pays for settlements
 * @param libvirt the libvirt daemon
 * @param guests the loopback port of each gpu's guest
 * @param kinds the kind of each gpu; those of one kind are equal places
 * @param log the name of its own audit log
 * @param faults faults to build in, so that the test can be tested; none otherwise
 */
record EngineSettings(
        Path folder,
        String jdbcUrl,
        String user,
        String password,
        URI chain,
        long chainId,
        Account contract,
        long deployedAt,
        Account token,
        Path operator,
        String libvirt,
        List<Integer> guests,
        List<Integer> kinds,
        String log,
        Set<Fault> faults) {

    /** The time from the lead to the start of a session. */
    static final Duration LEAD = Duration.ofSeconds(4);
    /** Kills cost time: a session may be this late. */
    static final Duration START_LIMIT = Duration.ofSeconds(20);

    static final RentalPolicy POLICY = new RentalPolicy(
                    Duration.ofMinutes(5),
                    Duration.ofSeconds(30),
                    LEAD,
                    START_LIMIT,
                    Duration.ofMillis(500),
                    Duration.ofMillis(300))
            .with(new RentalPolicy.Recovery(
                    3,
                    Duration.ofSeconds(10),
                    START_LIMIT,
                    Duration.ofSeconds(1),
                    Duration.ofHours(1),
                    Duration.ofDays(1)))
            .with(new ExtensionPolicy(2, Duration.ofMinutes(1), Duration.ofSeconds(3)));

    /** What a killed engine was at is gone on with after this; the default would have every kill waste its eight seconds. */
    static final Duration TAKEOVER = Duration.ofSeconds(2);

    private static final int CONFIRMATIONS = 2;

    EngineSettings {
        guests = List.copyOf(guests);
        kinds = List.copyOf(kinds);
        faults = Set.copyOf(faults);
    }

    EscrowSettings escrow() {
        var paidIn = new Token(token, "dUSD", 6, true);
        return EscrowSettings.of(chain, chainId, contract, paidIn)
                .withDeployedAt(deployedAt)
                .withConfirmations(CONFIRMATIONS)
                .withOperator(EvmWallet.load(operator))
                .withTimes(Duration.ofMillis(200), Duration.ofSeconds(3), Duration.ofSeconds(20));
    }

    Path audit() {
        return folder.resolve("audit-" + log);
    }

    void write(Path file) throws IOException {
        var properties = new Properties();
        properties.setProperty("folder", folder.toString());
        properties.setProperty("jdbcUrl", jdbcUrl);
        properties.setProperty("user", user);
        properties.setProperty("password", password);
        properties.setProperty("chain", chain.toString());
        properties.setProperty("chainId", Long.toString(chainId));
        properties.setProperty("contract", contract.address());
        properties.setProperty("deployedAt", Long.toString(deployedAt));
        properties.setProperty("token", token.address());
        properties.setProperty("operator", operator.toString());
        properties.setProperty("libvirt", libvirt);
        properties.setProperty("guests", joined(guests));
        properties.setProperty("kinds", joined(kinds));
        properties.setProperty("log", log);
        properties.setProperty("faults", Fault.names(faults));
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try (Writer out = Files.newBufferedWriter(file)) {
            properties.store(out, null);
        }
    }

    private static String joined(List<Integer> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    private static List<Integer> numbers(String joined) {
        return Arrays.stream(joined.split(",")).map(Integer::valueOf).toList();
    }

    /** Returns those of another replica, with an audit log of its own. */
    EngineSettings of(String otherLog) {
        return new EngineSettings(
                folder,
                jdbcUrl,
                user,
                password,
                chain,
                chainId,
                contract,
                deployedAt,
                token,
                operator,
                libvirt,
                guests,
                kinds,
                otherLog,
                faults);
    }

    static EngineSettings read(Path file) throws IOException {
        var p = new Properties();
        try (Reader in = Files.newBufferedReader(file)) {
            p.load(in);
        }
        return new EngineSettings(
                Path.of(p.getProperty("folder")),
                p.getProperty("jdbcUrl"),
                p.getProperty("user"),
                p.getProperty("password"),
                URI.create(p.getProperty("chain")),
                Long.parseLong(p.getProperty("chainId")),
                new Account(p.getProperty("contract")),
                Long.parseLong(p.getProperty("deployedAt")),
                new Account(p.getProperty("token")),
                Path.of(p.getProperty("operator")),
                p.getProperty("libvirt"),
                numbers(p.getProperty("guests")),
                numbers(p.getProperty("kinds")),
                p.getProperty("log"),
                Fault.of(p.getProperty("faults")));
    }
}
