package org.computehive.rental;

import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.PciAddress;
import org.computehive.market.Token;
import org.computehive.schedule.Window;

/** What a listing must keep to, and what a window must keep to for a listing. */
final class ListingRules {
    /** Times beyond this are somebody's mistake; it also keeps every time within what the chain can count. */
    private static final Duration FURTHEST = Duration.ofDays(5 * 366);
    /** Offers hold the grace and the dispute window in 24 bits each. */
    private static final Duration LONGEST_WAIT = Duration.ofSeconds((1 << 24) - 1);

    private ListingRules() {}

    static void check(Listing listing, Host host, Token token, RentalPolicy policy) {
        Duration latestStart = policy.startLimit().plus(policy.watch());
        if (listing.rules().grace().compareTo(latestStart) < 0) {
            throw unacceptable(
                    "grace %s of listing %s is too short: a session may take until %s after the start to be usable, and a renter whose session never is must be able to end it for nothing"
                            .formatted(listing.rules().grace(), listing.id(), latestStart));
        }
        withinOffer(listing, "grace", listing.rules().grace());
        withinOffer(listing, "disputeWindow", listing.rules().disputeWindow());
        if (listing.rules().stakes().arbiter().equals(listing.lender())) {
            throw unacceptable(
                    "listing %s names its lender %s as the arbiter: name somebody that both parties can trust"
                            .formatted(listing.id(), listing.lender()));
        }
        if (!listing.token().equals(token)) {
            throw unacceptable("listing %s asks for %s, but rent is paid in %s here"
                    .formatted(listing.id(), listing.token().symbol(), token.symbol()));
        }
        if (listing.assurance().compareTo(host.assurance()) > 0) {
            throw unacceptable("listing %s promises %s, but host %s can keep %s at most"
                    .formatted(listing.id(), listing.assurance(), host.id(), host.assurance()));
        }
        if (listing.shape().cpus() > host.cpus() || listing.shape().memoryMiB() > host.memoryMiB()) {
            throw unacceptable("listing %s needs %d cpus and %d MiB, but host %s has %d and %d"
                    .formatted(
                            listing.id(),
                            listing.shape().cpus(),
                            listing.shape().memoryMiB(),
                            host.id(),
                            host.cpus(),
                            host.memoryMiB()));
        }
        Map<PciAddress, Gpu> devices =
                host.gpus().stream().collect(Collectors.toMap(Gpu::address, Function.identity()));
        boolean emulated = false;
        for (GpuId id : listing.gpus()) {
            Gpu gpu = devices.get(id.address());
            if (gpu == null) {
                throw unacceptable("host %s has no gpu at %s".formatted(host.id(), id.address()));
            }
            gpu.unavailable().ifPresent(why -> {
                throw unacceptable("gpu %s can't be passed through: %s".formatted(id, why));
            });
            emulated |= gpu.emulated();
        }
        if (emulated != listing.emulated()) {
            throw unacceptable(
                    "listing %s must be marked emulated=%s, as its gpus are".formatted(listing.id(), emulated));
        }
    }

    static void check(Listing listing, Window window, Instant now) {
        Duration length = window.length();
        if (window.start().getNano() != 0 || window.end().getNano() != 0) {
            throw unacceptable(
                    "window %s is not in whole seconds, which is what the escrow meters in".formatted(window));
        }
        if (!window.end().isAfter(now)) {
            throw unacceptable("window %s is in the past: it is %s".formatted(window, now));
        }
        if (window.start().isBefore(now)) {
            throw unacceptable("window %s began already: it is %s".formatted(window, now));
        }
        if (window.end().isAfter(now.plus(FURTHEST))) {
            throw unacceptable("window %s ends more than %d days ahead: it is %s, book one that ends sooner"
                    .formatted(window, FURTHEST.toDays(), now));
        }
        if (length.compareTo(listing.rules().shortest()) < 0
                || length.compareTo(listing.rules().longest()) > 0) {
            throw unacceptable("window %s is %s long: listing %s is rented for %s to %s"
                    .formatted(
                            window,
                            length,
                            listing.id(),
                            listing.rules().shortest(),
                            listing.rules().longest()));
        }
        if (!listing.availability().covers(window)) {
            throw unacceptable("window %s is outside the times that listing %s is offered: %s"
                    .formatted(window, listing.id(), listing.availability().summary()));
        }
    }

    /** What more time must keep to: the length of the whole, and when the listing is offered. */
    static void checkExtension(Listing listing, Window agreed, Window further) {
        if (further.end().getNano() != 0) {
            throw unacceptable(
                    "end %s is not in whole seconds, which is what the escrow meters in".formatted(further.end()));
        }
        var whole = new Window(agreed.start(), further.end());
        if (whole.length().compareTo(listing.rules().longest()) > 0) {
            throw unacceptable("window %s would be %s long: listing %s is rented for %s at most"
                    .formatted(
                            whole, whole.length(), listing.id(), listing.rules().longest()));
        }
        if (!listing.availability().covers(whole)) {
            throw unacceptable("window %s is outside the times that listing %s is offered: %s"
                    .formatted(whole, listing.id(), listing.availability()));
        }
    }

    private static void withinOffer(Listing listing, String what, Duration time) {
        if (time.compareTo(LONGEST_WAIT) > 0) {
            throw unacceptable("%s %s of listing %s is longer than an offer can say: ask for %s at most"
                    .formatted(what, time, listing.id(), LONGEST_WAIT));
        }
    }

    private static RentalException.Unacceptable unacceptable(String message) {
        return new RentalException.Unacceptable(message);
    }
}
