package org.computehive.rental;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.computehive.market.HostId;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.rental.RentalEvent.EndCause;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out one step for one rental, by whoever knows its subject. Every step is safe to repeat: it first looks at what
 * is there. What a step finds out is an event; a step that has to wait says until when.
 */
final class Steps {
    private static final Logger LOG = LoggerFactory.getLogger(Steps.class);

    private final Invitations invitations;
    private final Journal journal;
    private final Hosts hosts = new Hosts();
    private final Relocation relocation;
    private final Extending extending;
    private final Settling settling;
    private final Funding funding;
    private final Launch launch;
    private final Teardown teardown;

    Steps(
            RentalStore store,
            Escrow escrow,
            SessionAccess access,
            Invitations invitations,
            Journal journal,
            RentalPolicy policy,
            Attestor attestor) {
        this.invitations = invitations;
        this.journal = journal;
        var health = new GpuHealth(store, journal);
        var watch = new SessionWatch(hosts, store, access, journal, policy);
        relocation = new Relocation(store, hosts, health, watch, journal, policy);
        extending = new Extending(escrow, access, journal, policy);
        settling = new Settling(escrow, extending, journal, policy);
        funding = new Funding(escrow, watch, settling, journal, policy);
        launch = new Launch(
                store,
                hosts,
                access,
                health,
                watch,
                relocation,
                journal,
                policy,
                new ConfidentialLaunch(access, attestor));
        teardown = new Teardown(hosts, access, health, watch, relocation, journal, policy);
    }

    void attach(HostId host, Hypervisor hypervisor) {
        hosts.attach(host, hypervisor);
    }

    Map<HostId, Hypervisor> hosts() {
        return hosts.all();
    }

    /** What became of a step. */
    sealed interface Outcome {
        /** Something happened. */
        record Happened(RentalEvent event) implements Outcome {}

        /** Nothing yet; look again then. */
        record Wait(Instant until) implements Outcome {}

        /** It did not work; try again later. */
        record Failed(String why) implements Outcome {}

        static Outcome happened(RentalEvent event) {
            return new Happened(event);
        }

        /** What is outside did not do its part. */
        static Outcome retry(Rental rental, RuntimeException why) {
            String reason = Reason.of(why);
            LOG.warn("{}: trying again later: {}", rental, reason);
            return new Failed(reason);
        }

        static Outcome unread(Rental rental, Escrow.Reading.Unknown unknown) {
            LOG.warn("{}: the chain can't be read, so nothing is decided: {}", rental, unknown.why());
            return new Failed(Reason.of("the chain can't be read: " + unknown.why()));
        }
    }

    Outcome carryOut(Rental rental, Step step) {
        return switch (step) {
            case WRITE_OFFER -> funding.writeOffer(rental);
            case WATCH_FUNDING -> funding.watchOpening(rental);
            case NOTIFY -> inform(rental);
            case WATCH_ESCROW -> funding.watchEscrow(rental);
            case START -> funding.begin(rental);
            case BOOT -> launch.boot(rental);
            case PROVE -> launch.prove(rental);
            case PLACE -> relocation.place(rental);
            case SWEEP -> teardown.sweep(rental);
            case WRITE_EXTENSION -> extending.writeOffer(rental);
            case WATCH_EXTENSION -> extending.watch(rental);
            case MOVE_END -> extending.moveEnd(rental, hosts);
            case END_NO_SHOW -> Outcome.happened(new RentalEvent.Ending(journal.now(), EndCause.NO_SHOW));
            case END -> end(rental);
            case CUT_ACCESS -> teardown.cutAccess(rental);
            case DESTROY -> teardown.destroy(rental);
            case ERASE -> teardown.erase(rental);
            case TURN_OVER -> teardown.turnOver(rental);
            case SETTLE -> settling.settle(rental);
        };
    }

    private Outcome inform(Rental rental) {
        try {
            return Outcome.happened(invitations.send(rental, journal.now()));
        } catch (RuntimeException e) {
            return Outcome.retry(rental, e);
        }
    }

    private Outcome end(Rental rental) {
        if (rental.isLeaving()) {
            return Outcome.happened(relocation.givenUp(rental));
        }
        boolean reclaimed = rental.reclaimedAt().isPresent();
        Optional<RentalEvent> further = reclaimed ? Optional.empty() : extending.lastMoment(rental);
        if (further.isPresent()) {
            return Outcome.happened(further.get());
        }
        return Outcome.happened(
                new RentalEvent.Ending(journal.now(), reclaimed ? EndCause.RECLAIMED : EndCause.WINDOW_OVER));
    }
}
