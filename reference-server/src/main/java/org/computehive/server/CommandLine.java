package org.computehive.server;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** The options of {@code ./computehive serve}. */
final class CommandLine {
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
                                       or the https address of Proxmox VE's API
              --images=DIR             where guest images are kept (the user's cache)
              --host.networks=NONE,RESTRICTED,INTERNET --host.resolvers=ADDRESSES
              --host.network-in-bytes-per-second=N --host.network-out-bytes-per-second=N
              --host.image-signers-file=FILE --host.image-quota-mib=N --host.ready-limit=PT2M
              --host.memory-lock=where-it-swaps|always|never --host.huge-page-kib=N --host.numa-node=N
              --host.cpus=2-7,10 --host.disk-bytes-per-second=N --host.disk-operations-per-second=N
                                       what guests may have of this machine, with libvirt (computehive-vm/HOST.md)
              --proxmox.node=NAME --proxmox.token-id=USER@REALM!NAME --proxmox.token-file=FILE
              --proxmox.tls-pins=SHA256 or --proxmox.tls-authority-file=FILE
              --proxmox.templates=NAME=VMID:SHA256 --proxmox.pool=NAME --proxmox.seeds=STORAGE
              --proxmox.addresses=ADDRESSES --proxmox.prefix=24 --proxmox.router=ADDRESS --proxmox.ssh-port=22
              --proxmox.network=NONE|INTERNET --proxmox.ready-limit=PT3M
                                       the node that runs the VMs, with Proxmox VE (computehive-vm/HOST.md)
              --store.kind=KIND        sqlite, or postgres with --store.url=JDBC-URL --store.user=USER
                                       --store.password-file=FILE (sqlite)
              --gateway.bind=ADDRESS   the SSH gateway's address (127.0.0.1)
              --gateway.port=PORT      its port, 0 for a free one (2222)
              --gateway.public-host=H  the host name or address under which renters reach it
              --gateway.unauthenticated=256 --gateway.unauthenticated-per-address=16 --gateway.login-grace=PT20S
              --gateway.login-attempts=6 --gateway.connections-per-rental=32 --gateway.channels-per-connection=16
              --gateway.penalty-refusals=60 --gateway.penalty-within=PT5M --gateway.penalty-shut-out=PT5M
                                       what it puts up with
              --gateway.rental-bytes=N --gateway.rental-bytes-per-second=N
                                       what a rental may send and receive, in all and a second (any number)
              --gateway.revocations=FILE --gateway.feed-limit=PT5M
                                       certificates that count no more, in a file that you keep (none), and how old
                                       it may be before nobody is let in
              --gateway.break-glass=PT1H
                                       how long an operator may be let into a session at the most (never)
              --authorities.user.file=FILE
              --authorities.user.passphrase-file=FILE or --authorities.user.passphrase-variable=VARIABLE
                                       the key that certifies renters and its passphrase (unencrypted, in the data
                                       folder); or, in a token:
              --authorities.user.pkcs11=FILE --authorities.user.alias=LABEL
              --authorities.user.pin-file=FILE or --authorities.user.pin-variable=VARIABLE
              --authorities.user.also-trust=FILE
                                       public keys that count as well while it is replaced;
                                       all of these also with host for the key that certifies gateway and VMs
              --chain.kind=KIND        dev: a local node with worthless money; or external (dev)
              --chain.port=PORT        the development chain's port on loopback, 0 for a free one (8545)
              --chain.rpc-urls=URLS --chain.id=ID --chain.contract=ADDRESS --chain.deployed-at=BLOCK
              --chain.confirmations=N --chain.token=ADDRESS --chain.token-symbol=TEXT --chain.token-decimals=N
              --chain.token-usd-pegged=BOOLEAN --chain.operator-key-file=FILE
                                       an external chain
              --audit.name=NAME        the audit log's origin: one of its own for each replica (computehive.local/audit)
              --audit.witnesses.NAME.key=KEY --audit.witnesses.NAME.url=URL
                                       a witness of the audit log (C2SP tlog-witness); NAME is yours
              --audit.quorum=N --audit.cosign-every=PT1M --audit.witness-patience=PT10S
                                       how many must cosign (all), how often they are asked, how long one may take
              --audit.anchor-every=PT1H
                                       how often the audit log is anchored on the chain (never)
              --audit.anchor-contract=ADDRESS
                                       the external chain's AuditAnchor
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
            "host.networks",
            "host.resolvers",
            "host.network-in-bytes-per-second",
            "host.network-out-bytes-per-second",
            "host.image-signers-file",
            "host.image-quota-mib",
            "host.ready-limit",
            "host.memory-lock",
            "host.huge-page-kib",
            "host.numa-node",
            "host.cpus",
            "host.disk-bytes-per-second",
            "host.disk-operations-per-second",
            "proxmox.node",
            "proxmox.token-id",
            "proxmox.token-file",
            "proxmox.tls-pins",
            "proxmox.tls-authority-file",
            "proxmox.templates",
            "proxmox.pool",
            "proxmox.seeds",
            "proxmox.addresses",
            "proxmox.prefix",
            "proxmox.router",
            "proxmox.ssh-port",
            "proxmox.network",
            "proxmox.ready-limit",
            "store.kind",
            "store.url",
            "store.user",
            "store.password-file",
            "gateway.bind",
            "gateway.port",
            "gateway.public-host",
            "gateway.unauthenticated",
            "gateway.unauthenticated-per-address",
            "gateway.login-grace",
            "gateway.login-attempts",
            "gateway.connections-per-rental",
            "gateway.channels-per-connection",
            "gateway.penalty-refusals",
            "gateway.penalty-within",
            "gateway.penalty-shut-out",
            "gateway.rental-bytes",
            "gateway.rental-bytes-per-second",
            "gateway.revocations",
            "gateway.feed-limit",
            "gateway.break-glass",
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
            "audit.name",
            "audit.quorum",
            "audit.cosign-every",
            "audit.witness-patience",
            "audit.anchor-every",
            "audit.anchor-contract",
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
    private static final Pattern AUTHORITY_KEY =
            Pattern.compile("authorities\\.(user|host)\\.(file|passphrase-file|passphrase-variable|pkcs11|pin-file"
                    + "|pin-variable|alias|also-trust)");
    private static final Pattern WITNESS_KEY = Pattern.compile("audit\\.witnesses\\.[a-z0-9-]{1,40}\\.(key|url)");

    private CommandLine() {}

    /** The command line made no sense; the message says why. */
    static final class UsageException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    /**
     * Returns the arguments as the configuration takes them. A file named by {@code --config} is set as a system property.
     *
     * @throws UsageException if one is no option; its value is not repeated
     */
    static String[] properties(List<String> arguments) {
        var properties = new ArrayList<String>();
        for (String argument : arguments) {
            int equals = argument.indexOf('=');
            String key = equals < 0 || !argument.startsWith("--") ? argument : argument.substring(2, equals);
            if (equals > 0 && key.equals("config")) {
                System.setProperty("micronaut.config.files", argument.substring(equals + 1));
            } else if (equals > 0
                    && (KEYS.contains(key)
                            || CALENDAR_KEY.matcher(key).matches()
                            || AUTHORITY_KEY.matcher(key).matches()
                            || WITNESS_KEY.matcher(key).matches())) {
                properties.add("--computehive." + argument.substring(2));
            } else {
                throw new UsageException("%s is not an option; options are --KEY=VALUE".formatted(key));
            }
        }
        return properties.toArray(String[]::new);
    }
}
