package org.computehive.server.demo;

import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * What the demo was asked to do.
 *
 * @param folder where its artefacts go
 * @param state where keys and the VMs' disks lie while it runs; nothing of it stays; empty
 *     for the usual place
 * @param hypervisor the libvirt daemon to use; empty for a private one
 * @param window how long the window is
 * @param untilEnd whether the session runs to the window's end instead of being ended early by the renter
 * @param standIn the gpu that an emulated device is priced as
 * @param gatewayPort the gateway's port, 0 for a free one
 * @param chainPort the chain node's port, 0 for a free one
 * @param publicKey a public key of the renter's own to be certified too
 * @param fast whether waiting is shortened: a shorter lead to the window, and a shorter window; never a check
 * @param killChain whether the chain node is killed in the middle, to show that the money is recovered
 */
record DemoOptions(
        Path folder,
        Optional<Path> state,
        Optional<URI> hypervisor,
        Duration window,
        boolean untilEnd,
        String standIn,
        int gatewayPort,
        int chainPort,
        Optional<Path> publicKey,
        boolean fast,
        boolean killChain) {

    static final String USAGE = """
            Usage: ./computehive demo [OPTION...]
            One rental from listing to settlement, on real parts. Exit code 0 only if every check held.

              --folder DIR          where the artefacts go, new or empty (default: demo-<time> here)
              --state DIR           where keys and the VMs' disks lie while it runs; nothing of it stays (default:
                                    /var/lib/computehive for root, ~/.local/state/computehive for others)
              --hypervisor URI      a libvirt daemon, such as qemu:///system (default: a private, unprivileged one)
              --window SECONDS      how long the window is, 30 to 3600 (default: 120; the renter ends it early)
              --until-end           let the window run out instead
              --fast                wait less, check the same: the window starts 5 s after it is booked instead of 12, and is
                                    60 s long unless --window says otherwise
              --priced-as MODEL     the gpu that an emulated device is priced as (default: RTX 4090)
              --gateway-port PORT   the gateway's port on loopback (default: a free one)
              --chain-port PORT     the chain node's port on loopback (default: a free one)
              --public-key FILE     certify this public key of yours too
              --kill-chain          kill the chain node in the middle, and show that nothing is torn down for it and that
                                    the renter gets the money back alone
              --help                this text
            """;

    private static final Duration USUAL = Duration.ofSeconds(120);
    private static final Duration SHORTEST = Duration.ofSeconds(30);
    private static final Duration LONGEST = Duration.ofHours(1);

    /** The command line made no sense; the message says why. */
    static final class UsageException extends Exception {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    /** Returns how long before its start a window is booked: the time to sign, to fund, and to boot ahead. */
    Duration notice() {
        return Duration.ofSeconds(fast ? 5 : 12);
    }

    static DemoOptions parse(List<String> arguments, Instant now) throws UsageException {
        String stamp = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss")
                .withZone(ZoneOffset.UTC)
                .format(now);
        Path folder = Path.of("demo-" + stamp);
        Optional<URI> hypervisor = Optional.empty();
        Optional<Path> state = Optional.empty();
        Optional<Duration> window = Optional.empty();
        boolean untilEnd = false;
        String standIn = "RTX 4090";
        int gatewayPort = 0;
        int chainPort = 0;
        Optional<Path> publicKey = Optional.empty();
        boolean fast = false;
        boolean killChain = false;
        Deque<String> left = new ArrayDeque<>(arguments);
        while (!left.isEmpty()) {
            String option = left.removeFirst();
            switch (option) {
                case "--folder" -> folder = path(option, left);
                case "--state" -> state = Optional.of(path(option, left));
                case "--hypervisor" -> hypervisor = Optional.of(uri(value(option, left)));
                case "--window" ->
                    window = Optional.of(Duration.ofSeconds(
                            number(option, value(option, left), SHORTEST.toSeconds(), LONGEST.toSeconds())));
                case "--until-end" -> untilEnd = true;
                case "--priced-as" -> standIn = value(option, left);
                case "--gateway-port" -> gatewayPort = (int) number(option, value(option, left), 0, 65_535);
                case "--chain-port" -> chainPort = (int) number(option, value(option, left), 0, 65_535);
                case "--public-key" -> publicKey = Optional.of(path(option, left));
                case "--fast" -> fast = true;
                case "--kill-chain" -> killChain = true;
                default -> throw new UsageException("%s is not an option".formatted(option));
            }
        }
        return new DemoOptions(
                folder.toAbsolutePath(),
                state.map(Path::toAbsolutePath),
                hypervisor,
                window.orElse(fast ? USUAL.dividedBy(2) : USUAL),
                untilEnd,
                standIn,
                gatewayPort,
                chainPort,
                publicKey,
                fast,
                killChain);
    }

    private static String value(String option, Deque<String> left) throws UsageException {
        if (left.isEmpty() || left.getFirst().startsWith("--")) {
            throw new UsageException("%s needs a value".formatted(option));
        }
        return left.removeFirst();
    }

    private static Path path(String option, Deque<String> left) throws UsageException {
        String text = value(option, left);
        try {
            if (!text.isBlank()) {
                return Path.of(text);
            }
        } catch (InvalidPathException e) {
            // Said below.
        }
        throw new UsageException("%s '%s' is not a file name".formatted(option, text));
    }

    private static URI uri(String text) throws UsageException {
        try {
            URI uri = URI.create(text);
            if (uri.getScheme() == null) {
                throw new UsageException(
                        "--hypervisor %s has no scheme: give one such as qemu:///system".formatted(text));
            }
            return uri;
        } catch (IllegalArgumentException e) {
            throw new UsageException("--hypervisor %s is not a URI: give one such as qemu:///system".formatted(text));
        }
    }

    private static long number(String option, String text, long least, long most) throws UsageException {
        try {
            long number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, with the range.
        }
        throw new UsageException("%s %s is not a whole number from %d to %d".formatted(option, text, least, most));
    }
}
