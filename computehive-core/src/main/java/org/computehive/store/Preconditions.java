package org.computehive.store;

import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.market.ListingStore;
import org.computehive.market.Maintenance;
import org.computehive.once.Answer;
import org.computehive.once.KeyTakenException;
import org.computehive.rental.Occupancy;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Audited;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/** What every store checks in the same way, and says in the same words. */
final class Preconditions {
    private static final int MOST_NAMES = 1_000;

    static final Comparator<Maintenance> BY_START = Comparator.comparing(
                    (Maintenance maintenance) -> maintenance.window().start())
            .thenComparing(Maintenance::name);

    private Preconditions() {}

    static void limit(int limit) {
        if (limit < 1 || limit > RentalStore.MOST) {
            throw new IllegalArgumentException("limit %d is out of range: 1 to %d".formatted(limit, RentalStore.MOST));
        }
    }

    static void names(Collection<?> names) {
        if (names.size() > MOST_NAMES) {
            throw new IllegalArgumentException(
                    "%d names at once are too many: ask for %d at most".formatted(names.size(), MOST_NAMES));
        }
    }

    /** Refuses what no database here can keep: times finer than a microsecond, and gpus taken twice by one rental. */
    static void storable(Recorded recorded) {
        Rental after = recorded.after();
        if (!after.holdingsChanged()) {
            return;
        }
        Occupancy before = null;
        for (Occupancy occupancy :
                after.occupied().stream().sorted(Occupancy.ORDER).toList()) {
            whole(after, occupancy.window().start());
            whole(after, occupancy.window().end());
            if (before != null && before.overlaps(occupancy)) {
                throw new IllegalArgumentException("rental %s would have gpu %s twice, in %s and in %s"
                        .formatted(after.id(), occupancy.gpu(), before.window(), occupancy.window()));
            }
            before = occupancy;
        }
        long gpus = after.terms().gpus().stream().distinct().count();
        if (gpus == 0 || gpus != after.terms().gpus().size()) {
            throw new IllegalArgumentException("rental %s needs at least one gpu and none twice".formatted(after.id()));
        }
    }

    /** Refuses events that do not follow one another, and those that can't be kept. */
    static void storable(List<Recorded> events) {
        for (int i = 0; i < events.size(); i++) {
            Rental after = events.get(i).after();
            Rental first = events.getFirst().after();
            if (!after.id().equals(first.id()) || after.version() != first.version() + i) {
                throw new IllegalArgumentException(
                        "event %d of %d is %s, which does not follow %s: give those of one rental"
                                .formatted(i + 1, events.size(), after, first));
            }
            storable(events.get(i));
        }
        if (events.isEmpty()) {
            throw new IllegalArgumentException("no events came: append one at least");
        }
    }

    private static void whole(Rental rental, Instant bound) {
        if (bound.getNano() % 1000 != 0) {
            throw new IllegalArgumentException(
                    "rental %s occupies its gpus from or to %s: give whole microseconds".formatted(rental.id(), bound));
        }
    }

    /** Refuses a quote that can't be taken up as far as a store can see. */
    static void open(RentalStore store, Quote quote, long change) {
        unchanged(store, quote.listing(), change);
        for (GpuId gpu : quote.offered().gpus()) {
            store.condition(gpu).ifPresent(Preconditions::mayBeRented);
        }
        for (GpuId gpu : quote.offered().gpus()) {
            if (!store.isFree(List.of(gpu), quote.occupied())) {
                throw overlap(new Occupancy(gpu, quote.occupied()));
            }
        }
    }

    /** Refuses what is made from a listing or a host that was kept anew since. */
    static void unchanged(ListingStore store, ListingId listing, long change) {
        if (store.offering(listing).filter(now -> now.change() == change).isEmpty()) {
            throw changed(listing);
        }
    }

    static void mayBeRented(GpuCondition condition) {
        if (condition.state() == GpuCondition.State.QUARANTINED) {
            throw quarantined(condition.gpu());
        }
    }

    static RentalException.Unacceptable quarantined(GpuId gpu) {
        return new RentalException.Unacceptable(
                "gpu %s is quarantined: choose another listing, or wait for an operator to release it".formatted(gpu));
    }

    static RentalException.Superseded changed(ListingId listing) {
        return new RentalException.Superseded(
                "listing %s or its host was changed meanwhile: read it again".formatted(listing));
    }

    static RentalException.Superseded superseded(Rental after, long stored) {
        return new RentalException.Superseded("rental %s is at version %d, so version %d can't follow: read it again"
                .formatted(after.id(), stored, after.version()));
    }

    static RentalException.Overlap overlap(Occupancy wanted) {
        return new RentalException.Overlap("gpu %s is taken in %s (turnover included): choose another window or gpu"
                .formatted(wanted.gpu(), wanted.window()));
    }

    static RentalException.Overlap taken(Occupancy wanted, Optional<Window> by) {
        return new RentalException.Overlap("gpu %s can't be kept free in %s: it is taken in %s, turnover included"
                .formatted(
                        wanted.gpu(), wanted.window(), by.map(Window::toString).orElse("a part of it")));
    }

    static String maintenanceId(HostId host, String name) {
        return host + "/" + name;
    }

    static IllegalArgumentException otherMaintenance(Maintenance maintenance) {
        return new IllegalArgumentException(
                "host %s has another maintenance of the name %s: choose another name, or remove it first"
                        .formatted(maintenance.host(), maintenance.name()));
    }

    static RentalException.LaneTaken laneTaken(Rental after, long lane) {
        return new RentalException.LaneTaken("lane %d of lender %s is held by another rental: choose another"
                .formatted(lane, after.terms().lender()));
    }

    static KeyTakenException keyTaken(Answer answer) {
        return new KeyTakenException(
                "idempotency key %s of %s has an answer already: look it up".formatted(answer.key(), answer.caller()));
    }

    static IllegalArgumentException otherQuote(Quote quote) {
        return new IllegalArgumentException(
                "another quote is kept as %s: a quote never changes, write a new one".formatted(quote.id()));
    }

    static IllegalArgumentException unknownEvent(Object id, long version) {
        return new IllegalArgumentException("rental %s has no version %d".formatted(id, version));
    }

    static IllegalStateException placeTaken(List<Audited> places, @Nullable Throwable cause) {
        return new IllegalStateException(
                "one of %s is another event's place: two engines use one audit log, or one log's name is given to two"
                        .formatted(places),
                cause);
    }
}
