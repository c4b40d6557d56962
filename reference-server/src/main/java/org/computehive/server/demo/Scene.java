package org.computehive.server.demo;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.computehive.chain.EvmParty;
import org.computehive.market.Amount;
import org.computehive.market.ListingQuery;
import org.computehive.market.Token;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.schedule.Window;
import org.computehive.server.platform.DevChain;
import org.computehive.server.platform.LocalPlatform;

/** Where the walk takes place and who takes part. Used by one thread. */
final class Scene {
    /** How long anything may take before the walk gives up on it. */
    static final Duration PATIENCE = Duration.ofMinutes(4);

    final DemoOptions options;
    final LocalPlatform platform;
    final DevChain chain;
    final Display display;
    final Checks checks;
    final RentalEngine engine;
    final EvmParty lender;
    final EvmParty renter;
    final Token token;
    final Witnesses witnesses;
    final Path artefacts;
    private Optional<Rental> latest = Optional.empty();

    Scene(
            DemoOptions options,
            LocalPlatform platform,
            DevChain chain,
            Witnesses witnesses,
            Display display,
            Checks checks) {
        this.options = options;
        this.platform = platform;
        this.chain = chain;
        this.witnesses = witnesses;
        this.display = display;
        this.checks = checks;
        this.engine = platform.engine();
        this.lender = platform.escrow().party(chain.lender());
        this.renter = platform.escrow().party(chain.renter());
        this.token = platform.escrow().token();
        this.artefacts = options.folder();
    }

    /** Returns the rental as it is now; empty before its reservation. */
    Optional<Rental> rental() {
        return latest.map(known -> engine.rental(known.id(), renter.account()));
    }

    /** Returns the rentals whose sessions may still run. */
    List<RentalId> unfinished() {
        return rental().filter(rental -> !rental.occupied().isEmpty()).map(Rental::id).stream()
                .toList();
    }

    /** Waits until the rental is as asked, or the chain node ends. */
    Rental await(Rental rental, Predicate<Rental> condition) throws InterruptedException {
        latest = Optional.of(rental);
        CompletableFuture<Rental> reached = engine.when(rental.id(), condition);
        CompletableFuture<Integer> chainGone = chain.onExit();
        try {
            CompletableFuture.anyOf(reached, chainGone).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new DemoFailure("rental %s did not get on within %d s; it is %s"
                    .formatted(
                            rental.id(),
                            PATIENCE.toSeconds(),
                            engine.rental(rental.id(), renter.account()).state()));
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
        if (!reached.isDone()) {
            throw new DemoFailure.ChainGone(chainGone.join());
        }
        return reached.join();
    }

    /** Waits until the session is as asked; fails if it could not start. */
    Rental awaitSession(Rental rental, Predicate<Rental> condition) throws InterruptedException {
        Rental now = await(rental, seen -> condition.test(seen) || seen.fault().isPresent());
        now.fault().ifPresent(fault -> {
            throw new DemoFailure("the session could not start (the %s answers for it): %s"
                    .formatted(fault.blame().name().toLowerCase(Locale.ROOT), fault.what()));
        });
        return now;
    }

    /** Returns where the chain's state is written to once the escrow is funded. */
    Path checkpoint() {
        return artefacts.resolve("chain-state.json");
    }

    /** Returns whether the listing can be had in a window. */
    boolean isFree(Window window) {
        return !engine.search(ListingQuery.free(window)).isEmpty();
    }

    /** Returns the gateway's decisions as the audit log holds them. */
    AuditNotes notes() {
        return new AuditNotes(artefacts.resolve("demo.log"), platform.auditLog());
    }

    /** Returns an amount as people read it, such as {@code 0.004 dUSD}. */
    String shown(Amount amount) {
        return amount.inTokens(token);
    }
}
