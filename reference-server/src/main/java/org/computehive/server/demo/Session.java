package org.computehive.server.demo;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.computehive.access.RenterFiles;
import org.computehive.chain.EvmParty;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalState;
import org.computehive.rental.SessionAccess.Grant;
import org.computehive.server.platform.LocalPlatform;

/** Steps 4 to 6: the VM boots, the renter enters, the session ends. */
final class Session {
    private static final String LOOK_AROUND = "hostname; id -un; uname -sr; lspci -nn | grep -i -E 'vga|display|3d';"
            + " df -h \"$HOME\" | tail -n 1; echo computehive-was-here > \"$HOME/note\" && cat \"$HOME/note\"";
    private static final Pattern DEVICE = Pattern.compile("[0-9a-f:.]+ (VGA|Display|3D) .*");

    private final Scene scene;
    private final DemoOptions options;
    private final LocalPlatform platform;
    private final Display display;
    private final Checks checks;
    private final RentalEngine engine;
    private final EvmParty renter;
    private final Path artefacts;

    Session(Scene scene) {
        this.scene = scene;
        this.options = scene.options;
        this.platform = scene.platform;
        this.display = scene.display;
        this.checks = scene.checks;
        this.engine = scene.engine;
        this.renter = scene.renter;
        this.artefacts = scene.artefacts;
    }

    /** Step 4: returns the rental, its session usable. */
    Rental start(Rental rental) throws Exception {
        display.headline("4  The VM boots with an encrypted disk; the meter starts at the SSH banner");
        Rental booted = display.step(
                "boot the guest, ahead of the window",
                () -> scene.awaitSession(rental, now -> now.machine().isPresent()));
        display.facts(new TreeMap<>(booted.machine().orElseThrow()));
        Rental active = display.step(
                "the window starts; SSH banner through the gateway",
                () -> scene.awaitSession(rental, now -> now.state() == RentalState.ACTIVE));
        Instant since = active.activeSince().orElseThrow();
        display.detail("metered since " + since);
        checks.that(
                "the meter starts inside the window, at proof of usability",
                active.terms().window().contains(since),
                since.toString());
        return active;
    }

    /** Step 5: returns what lets the renter in. */
    Grant enter(Rental rental, OpenSsh ssh) throws Exception {
        display.headline("5  The renter gets a certificate and logs in with plain ssh");
        String publicKey = display.step("the renter makes a key pair", ssh::generateKey);
        Grant grant = display.step(
                "the authority certifies it for this rental and window",
                () -> engine.issueCertificate(rental.id(), renter.account(), publicKey));
        RenterFiles files = ssh.accept(grant);
        display.detail("%s, serial %s, worth nothing after %s"
                .formatted(grant.entrance().principal(), grant.serial(), grant.notAfter()));
        display.detail(files.command());
        checks.that(
                "the certificate ends with the window",
                !grant.notAfter().isAfter(rental.terms().window().end()),
                grant.notAfter().toString());
        if (options.publicKey().isPresent()) {
            certifyOwnKey(rental, options.publicKey().get());
        }
        OpenSsh.Result seen = display.step("ssh -J through the gateway, strict host keys", () -> ssh.run(LOOK_AROUND));
        display.detail(seen.exit() == 0 ? seen.out() : seen.err());
        boolean inside = seen.exit() == 0
                && seen.out().lines().anyMatch("renter"::equals)
                && seen.out().contains("computehive-was-here");
        checks.that("the renter is in its VM, at first contact", inside, "exit code " + seen.exit());
        OpenSsh.Result blind = display.step("the same without knowing the host authority", () -> ssh.runBlind("true"));
        checks.that(
                "no host is trusted on first use",
                blind.exit() == 255 && blind.err().contains("Host key verification failed"),
                "exit code " + blind.exit());
        boolean device =
                seen.out().lines().anyMatch(line -> DEVICE.matcher(line).matches());
        checks.that("the VM has the device", device, device ? "seen by lspci" : "not seen by lspci");
        return grant;
    }

    /** Certifies a public key that the renter brought, beside the one made here. */
    private void certifyOwnKey(Rental rental, Path file) throws Exception {
        Grant grant = display.step(
                "certify the renter's own key",
                () -> engine.issueCertificate(
                        rental.id(), renter.account(), OwnKey.read(file).line()));
        Path certificate = artefacts.resolve("own-key-cert.pub");
        Files.writeString(certificate, grant.certificate() + "\n");
        display.detail("%s, serial %s, for %s".formatted(file, grant.serial(), grant.keyFingerprint()));
    }

    /** Step 6: returns the rental, its session over. */
    Rental end(Rental rental, OpenSsh ssh, Grant grant) throws Exception {
        display.headline("6  The session ends: access first, then the VM, then the disk key");
        var remains = new Remains(scene);
        Remains.Seen running = remains.look(rental.id());
        Process live = display.step("the renter has a live connection", ssh::connect);
        Instant cut;
        try {
            if (options.untilEnd()) {
                display.step(
                        "the window runs out at " + rental.terms().window().end(),
                        () -> scene.await(rental, now -> now.endedAt().isPresent()));
            } else {
                display.step("the renter ends it early", () -> engine.end(rental.id(), renter.account()));
            }
            boolean gone = display.step(
                    "the live connection is cut", () -> live.waitFor(Scene.PATIENCE.toSeconds(), TimeUnit.SECONDS));
            cut = Instant.now();
            checks.that("the live connection was cut", gone && live.exitValue() != 0, "exit code " + live.exitValue());
        } finally {
            live.destroyForcibly();
        }
        Rental ended = display.step(
                "VM destroyed, disk key erased, device turned over",
                () -> scene.await(rental, now -> now.state() == RentalState.ENDED));
        Instant end = ended.endedAt().orElseThrow();
        display.detail("client gone %d ms after the end; %d s used of %d s"
                .formatted(
                        Math.max(0, Duration.between(end, cut).toMillis()),
                        ended.used().toSeconds(),
                        ended.terms().window().length().toSeconds()));
        remains.check(ended, running);
        checks.that("no VM is left", platform.hypervisor().list().isEmpty(), "asked libvirt");
        ssh.accept(grant);
        OpenSsh.Result again = display.step("a second login is tried", () -> ssh.run("true"));
        checks.that(
                "a second login is refused",
                again.exit() == 255 && again.err().contains("Permission denied"),
                "exit code " + again.exit());
        display.detail(again.err().lines().findFirst().orElse(""));
        return ended;
    }
}
