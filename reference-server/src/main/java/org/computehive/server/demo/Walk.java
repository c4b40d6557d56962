package org.computehive.server.demo;

import java.util.concurrent.TimeUnit;
import org.computehive.market.Listing;
import org.computehive.rental.Rental;
import org.computehive.rental.SessionAccess.Grant;

/** One rental, step by step, as its lender and its renter would walk it. Used by one thread. */
final class Walk {
    private final Scene scene;

    Walk(Scene scene) {
        this.scene = scene;
    }

    void run() throws Exception {
        Listing listing = new Offering(scene).run();
        Rental rental = new Booking(scene).run(listing);
        Rental calledOff = new CalledOff(scene).run(listing, rental.terms().window());
        var session = new Session(scene);
        rental = session.start(rental);
        var ssh = new OpenSsh(scene.artefacts.resolve("renter"), rental.id().vmName());
        Grant grant = session.enter(rental, ssh);
        new GatewayRules(scene).run(rental, ssh, grant.entrance());
        if (scene.options.killChain()) {
            killChain();
        }
        rental = session.end(rental, ssh, grant);
        var closing = new Closing(scene);
        Rental settled = closing.settle(rental);
        new Papers(scene).run(settled, calledOff);
        new Oversight(scene).run();
    }

    private void killChain() throws Exception {
        scene.display.headline("!  The chain node is killed (--kill-chain)");
        int exit = scene.display.step("kill -9 the node", () -> {
            ProcessHandle.of(scene.chain.pid()).ifPresent(ProcessHandle::destroyForcibly);
            return scene.chain.onExit().get(Scene.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        });
        throw new DemoFailure.ChainGone(exit);
    }
}
