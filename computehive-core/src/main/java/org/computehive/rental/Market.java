package org.computehive.rental;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Assurance;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.Offering;
import org.computehive.market.Token;
import org.computehive.rental.Asking.Answering;

/** Hosts and listings: who may offer what, and what is on offer. */
final class Market {
    private static final int KEPT = 10_000;

    private final RentalStore store;
    private final Steps steps;
    private final Token token;
    private final RentalPolicy policy;
    private final Journal journal;
    private final GpuHealth health;
    private final Attestor attestor;
    private final Map<ListingId, Offered> offered = Collections.synchronizedMap(new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ListingId, Offered> eldest) {
            return size() > KEPT;
        }
    });

    Market(RentalStore store, Steps steps, Token token, RentalPolicy policy, Journal journal, Attestor attestor) {
        this.store = store;
        this.steps = steps;
        this.token = token;
        this.policy = policy;
        this.journal = journal;
        this.attestor = attestor;
        this.health = new GpuHealth(store, journal);
    }

    Host register(HostId id, Account lender, Hypervisor hypervisor, Answering<Host> answering) {
        store.host(id).filter(known -> !known.lender().equals(lender)).ifPresent(known -> {
            throw new RentalException.NotAllowed("host name %s is another lender's: choose another".formatted(id));
        });
        Hypervisor.Inventory found = hypervisor.inventory();
        var host = new Host(
                id,
                lender,
                found.cpus(),
                found.memoryMiB(),
                found.gpus(),
                found.acceleration(),
                found.assurance(),
                found.platform());
        answering.keeping(host).ifPresentOrElse(answer -> store.putHost(host, answer), () -> store.putHost(host));
        return host;
    }

    /** Runs VMs on a host from now on. */
    void attach(HostId id, Hypervisor hypervisor) {
        steps.attach(id, hypervisor);
    }

    Listing list(Listing listing, Answering<Listing> answering) {
        Host host = store.host(listing.host())
                .filter(known -> known.lender().equals(listing.lender()))
                .orElseThrow(() -> new RentalException.NotFound(
                        "lender %s has no host %s: register it first".formatted(listing.lender(), listing.host())));
        store.listing(listing.id())
                .filter(known -> !known.lender().equals(listing.lender()))
                .ifPresent(known -> {
                    throw new RentalException.NotAllowed(
                            "listing name %s is another lender's: choose another".formatted(listing.id()));
                });
        if (listing.assurance() == Assurance.CONFIDENTIAL && attestor == Attestor.NONE) {
            throw new RentalException.Unacceptable(
                    "listing %s promises CONFIDENTIAL, but nobody here can judge an attestation: give the engine's builder an attestor"
                            .formatted(listing.id()));
        }
        ListingRules.check(listing, host, token, policy);
        try {
            Setup unused = Setups.promised(host, listing.gpus(), listing.shape());
        } catch (Setup.TooLong e) {
            throw new RentalException.Unacceptable("listing %s: %s".formatted(listing.id(), e.getMessage()));
        }
        answering
                .keeping(listing)
                .ifPresentOrElse(answer -> store.putListing(listing, answer), () -> store.putListing(listing));
        return listing;
    }

    /**
     * What is on offer.
     *
     * @param listing the listing
     * @param setup what a VM is promised to run on
     * @param change tells the store whether it is still so
     */
    record Offered(Listing listing, Setup setup, long change) {}

    /** Returns what was on offer when it was last read, perhaps long ago: the store checks it when it keeps a quote. */
    Offered lastOffered(ListingId id) {
        Offered known = offered.get(id);
        return known == null ? offered(id) : known;
    }

    /** Returns what is on offer now. */
    Offered offered(ListingId id) {
        Offering read = store.offering(id).orElseThrow(() -> unknown(id));
        Listing listing = read.listing();
        var now = new Offered(listing, Setups.promised(read.host(), listing.gpus(), listing.shape()), read.change());
        offered.put(id, now);
        return now;
    }

    /** Returns what a VM of a listing is promised to run on. */
    Setup setupOf(Listing listing) {
        return store.host(listing.host())
                .map(host -> Setups.promised(host, listing.gpus(), listing.shape()))
                .orElse(Setup.UNSTATED);
    }

    Listing listing(ListingId id) {
        return store.listing(id).orElseThrow(() -> unknown(id));
    }

    private static RentalException.NotFound unknown(ListingId id) {
        return new RentalException.NotFound("there is no listing %s".formatted(id));
    }

    GpuCondition release(GpuId gpu, Account operator, String why, Answering<GpuCondition> answering) {
        Host host = store.host(gpu.host())
                .orElseThrow(() -> new RentalException.NotFound("there is no host %s".formatted(gpu.host())));
        if (host.lender().equals(operator)) {
            throw new RentalException.NotAllowed(
                    "gpu %s is of lender %s, who can't release it: an operator with another account has to"
                            .formatted(gpu, operator));
        }
        if (host.gpus().stream().noneMatch(known -> known.address().equals(gpu.address()))) {
            throw new RentalException.NotFound("host %s has no gpu at %s".formatted(host.id(), gpu.address()));
        }
        String said = "%s (released by operator %s)".formatted(why, operator);
        var condition = new GpuCondition(gpu, GpuCondition.State.AVAILABLE, said, journal.now());
        journal.note("gpu.released", gpu.toString(), condition.since(), said);
        answering
                .keeping(condition)
                .ifPresentOrElse(answer -> store.putCondition(condition, answer), () -> store.putCondition(condition));
        return condition;
    }

    boolean isQuarantined(GpuId gpu) {
        return health.isQuarantined(gpu);
    }
}
