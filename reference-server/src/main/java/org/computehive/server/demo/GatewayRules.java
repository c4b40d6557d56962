package org.computehive.server.demo;

import java.time.Duration;
import java.util.Optional;
import org.computehive.access.GatewayLimits;
import org.computehive.access.RenterFiles;
import org.computehive.access.Traffic;
import org.computehive.rental.Rental;
import org.computehive.rental.SshAccess;

/** Step 5, what the gateway does not allow: another target, guessing, more than the rental's rate. */
final class GatewayRules {
    /** Fewer than usual, so that it doesn't take long to show. */
    private static final GatewayLimits.Penalty PENALTY =
            new GatewayLimits.Penalty(5, Duration.ofMinutes(5), Duration.ofMinutes(5));

    private static final long RATE = 512 << 10;
    private static final int LOAD = 3 * (512 << 10);
    /** What flows before the gateway counts it: one packet of SSH's in each direction. */
    private static final int UNCOUNTED = 64 << 10;

    private final Scene scene;
    private final Display display;
    private final Checks checks;

    GatewayRules(Scene scene) {
        this.scene = scene;
        this.display = scene.display;
        this.checks = scene.checks;
    }

    /** Returns how the demo's gateway listens: with limits that can be met in a few seconds. */
    static SshAccess.Settings settings(int port) {
        SshAccess.Settings usual = SshAccess.Settings.loopback(port);
        GatewayLimits limits = usual.limits();
        return new SshAccess.Settings(
                        usual.bind(),
                        usual.publicHost(),
                        new GatewayLimits(
                                limits.unauthenticated(),
                                limits.unauthenticatedPerAddress(),
                                limits.loginGrace(),
                                limits.loginAttempts(),
                                limits.connectionsPerRental(),
                                limits.channelsPerConnection(),
                                PENALTY))
                .withTraffic(new Traffic(Long.MAX_VALUE, RATE));
    }

    void run(Rental rental, OpenSsh ssh, RenterFiles.Entrance entrance) throws Exception {
        display.headline("5b What the gateway refuses, and limits");
        elsewhere(rental, ssh);
        guessing(entrance, ssh);
        rate(ssh);
    }

    private void elsewhere(Rental rental, OpenSsh ssh) throws Exception {
        String target = "127.0.0.1:" + scene.chain.settings().nodes().getFirst().getPort();
        OpenSsh.Result refused =
                display.step("the renter asks for the chain node's port instead of its VM", () -> ssh.forward(target));
        display.detail(refused.err().lines().findFirst().orElse(""));
        Optional<AuditNotes.Opened> noted = scene.notes().last("access.refused", target);
        noted.ifPresent(note -> display.detail("audit entry %d: %s".formatted(note.index(), note.words())));
        String reason = "only %s:22 is allowed".formatted(rental.id().vmName());
        checks.that(
                "the gateway leads to the renter's VM and nowhere else",
                refused.exit() != 0 && refused.err().contains("administratively prohibited"),
                "exit code " + refused.exit());
        checks.that(
                "the audit log holds that refusal's exact reason",
                noted.filter(note -> note.words().endsWith(target + ": " + reason))
                        .isPresent(),
                noted.map(note -> "entry " + note.index()).orElse("no such entry"));
    }

    private void guessing(RenterFiles.Entrance entrance, OpenSsh ssh) throws Exception {
        String address = "127.0.0.2";
        OpenSsh.Result guessed = display.step(
                "a stranger at %s tries %d keys".formatted(address, PENALTY.refusals()),
                () -> ssh.guess(entrance, address, PENALTY.refusals()));
        OpenSsh.Result again = display.step("and once more", () -> ssh.guess(entrance, address, 1));
        display.detail(guessed.err().lines().reduce("", (before, line) -> line));
        display.detail(again.err().lines().reduce("", (before, line) -> line));
        checks.that(
                "who guesses is shut out before the next key is looked at",
                guessed.err().contains("Permission denied")
                        && again.exit() == 255
                        && !again.err().contains("Permission denied"),
                "after %d refusals".formatted(PENALTY.refusals()));
    }

    private void rate(OpenSsh ssh) throws Exception {
        long begin = System.nanoTime();
        OpenSsh.Result loaded = display.step(
                "the renter, not shut out, loads %d KiB".formatted(LOAD >> 10),
                () -> ssh.run("head -c %d /dev/zero".formatted(LOAD)));
        double took = (System.nanoTime() - begin) / 1e9;
        // A second's worth may have been saved up.
        double least = (double) (LOAD - UNCOUNTED) / RATE - 1;
        display.detail("%d KiB/s is this rental's rate: no sooner than %.2f s".formatted(RATE >> 10, least));
        checks.that(
                "no more than the rental's rate flows",
                loaded.exit() == 0 && loaded.bytes() == LOAD && took >= least,
                "%d bytes in %.2f s".formatted(loaded.bytes(), took));
    }
}
