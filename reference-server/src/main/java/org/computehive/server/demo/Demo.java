package org.computehive.server.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.computehive.audit.VerifierKey;
import org.computehive.chain.AnvilNode;
import org.computehive.rental.RentalPolicy;
import org.computehive.server.platform.DevChain;
import org.computehive.server.platform.FolderTree;
import org.computehive.server.platform.LocalPlatform;
import org.computehive.server.platform.VmHost;
import org.computehive.store.JdbcStore;
import org.computehive.vm.ImageCatalogue;
import org.computehive.vm.PrivateLibvirt;

/** {@code ./computehive demo}: sets the stage, walks, cleans up, and says whether every check held. */
public final class Demo {
    private static final RentalPolicy POLICY = new RentalPolicy(
            Duration.ofMinutes(5),
            Duration.ofMinutes(2),
            Duration.ofMinutes(10),
            Duration.ofSeconds(100),
            Duration.ofSeconds(1),
            Duration.ofSeconds(1));
    private static final int HELD = 0;
    private static final int FAILED = 1;
    private static final int USAGE = 2;

    private final DemoOptions options;
    private final Display display;
    private final Interruption interruption;
    private final Checks checks = new Checks();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();

    private Demo(DemoOptions options, Display display, Interruption interruption) {
        this.options = options;
        this.display = display;
        this.interruption = interruption;
    }

    /**
     * Runs the demo; exits with 0 only if every check held, 1 if something did not, 2 if it can't be run as asked. Told to
     * end ({@code Ctrl-C}) it cleans up first.
     *
     * @param arguments see {@code --help}
     */
    public static void main(String[] arguments) {
        if (List.of(arguments).contains("--help")) {
            System.out.print(DemoOptions.USAGE);
            return;
        }
        System.exit(run(List.of(arguments)));
    }

    private static int run(List<String> arguments) {
        DemoOptions options;
        try {
            options = DemoOptions.parse(arguments, Instant.now());
            Preflight.check(options);
        } catch (DemoOptions.UsageException e) {
            System.err.println("demo: " + e.getMessage() + " (demo --help lists the options)");
            return USAGE;
        } catch (DemoFailure e) {
            System.err.println("demo: " + e.getMessage());
            return USAGE;
        }
        System.setProperty("logback.configurationFile", "logback-demo.xml");
        System.setProperty("computehive.demo.folder", options.folder().toString());
        try (var display = new Display(System.out, Boolean.getBoolean("computehive.terminal"))) {
            return new Demo(options, display, Interruption.watch(Thread.currentThread())).run();
        }
    }

    private int run() {
        Instant begin = Instant.now();
        boolean walked = false;
        try {
            display.headline("0  The stage");
            walked = walk(open());
        } catch (Exception e) {
            if (!interruption.requested()) {
                display.complaint(Complaint.of(e));
            }
        } finally {
            interruption.hold();
            clean();
        }
        if (interruption.requested()) {
            display.complaint("stopped; nothing is left running, artefacts are in " + options.folder());
        } else if (walked || !checks.all().isEmpty()) {
            new Summary(display, checks, options.folder()).print(Duration.between(begin, Instant.now()), walked);
        }
        interruption.unwound();
        return walked && checks.allHeld() ? HELD : FAILED;
    }

    private Scene open() throws Exception {
        StateFolder state = keep(StateFolder.in(options.state().orElseGet(PrivateLibvirt::defaultState)));
        if (state.hasVms()) {
            display.step("end what a demo before this one left when it was killed", () -> {
                PrivateLibvirt.open(state.vms()).close();
                return true;
            });
        }
        DevChain chain = keep(display.step(
                "start a chain node and deploy the escrow contract",
                () -> DevChain.start(
                        AnvilNode.find(Path.of("").toAbsolutePath()), options.chainPort(), state.chain())));
        // For the bonds of two rentals.
        chain.mint(chain.lender().account(), DevChain.POCKET_MONEY);
        var layout = new LocalPlatform.Layout(
                options.folder().resolve("audit"),
                options.folder().resolve("calendar"),
                state.keys(),
                state.vms(),
                ImageCatalogue.defaultFolder());
        LocalPlatform platform = keep(display.step(
                "open store, libvirt, gateway, audit log and price model",
                () -> LocalPlatform.open(
                        new LocalPlatform.Parts(
                                layout,
                                LocalPlatform.LOG_NAME,
                                JdbcStore.sqlite(options.folder().resolve("rentals.sqlite"), InstantSource.system()),
                                chain.settings(),
                                VmHost.libvirt(options.hypervisor()),
                                Optional.empty(),
                                GatewayRules.settings(options.gatewayPort()),
                                POLICY,
                                List.of()),
                        display::detail)));
        Witnesses witnesses = keep(display.step(
                "start three witnesses of the audit log",
                () -> Witnesses.start(VerifierKey.parse(platform.auditVerifierKey()), state.witnesses())));
        var scene = new Scene(options, platform, chain, witnesses, display, checks);
        keep(() -> scene.platform.endSessions(scene.unfinished()));
        return scene;
    }

    /** Returns whether the walk came to its end; the one with {@code --kill-chain} ends with the money's recovery. */
    private boolean walk(Scene scene) throws Exception {
        try {
            new Walk(scene).run();
            return true;
        } catch (Exception e) {
            if (interruption.requested()) {
                throw e;
            }
            display.complaint(Complaint.of(e));
            afterTheWindow(scene).ifPresent(display::line);
            new Recovery(scene).run();
            return options.killChain() && e instanceof DemoFailure.ChainGone;
        }
    }

    private Optional<String> afterTheWindow(Scene scene) {
        return scene.rental()
                .map(rental -> rental.terms().window())
                .filter(window -> !Instant.now().isBefore(window.end()))
                .map(window -> "  The window ended at %s: if this machine is slow, give it a longer --window than %d."
                        .formatted(window.end(), options.window().toSeconds()));
    }

    private <T extends AutoCloseable> T keep(T part) {
        opened.push(part);
        return part;
    }

    /** Ends everything that was started, last opened first. */
    private void clean() {
        while (!opened.isEmpty()) {
            AutoCloseable part = opened.pop();
            try {
                part.close();
            } catch (Exception e) {
                System.err.println("demo: could not close " + part.getClass().getSimpleName() + ": " + Complaint.of(e));
            }
        }
        forget(options.folder().resolve("renter/id"));
        forget(options.folder().resolve("renter/live.err"));
    }

    private static void forget(Path file) {
        try {
            FolderTree.delete(file);
        } catch (IOException e) {
            System.err.println("demo: could not remove " + file + ": " + Complaint.of(e));
        }
    }
}
