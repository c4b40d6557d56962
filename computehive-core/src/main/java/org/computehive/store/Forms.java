package org.computehive.store;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.computehive.manifest.Setup;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuCondition;
import org.computehive.market.GuestPlatform;
import org.computehive.market.Host;
import org.computehive.market.Interconnect;
import org.computehive.market.Listing;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.Stakes;
import org.computehive.rental.Quote;
import org.computehive.rental.RentalJson;

/**
 * The documents of the store, and the forms in which earlier versions wrote them. A form that was once written stays readable
 * for good.
 */
final class Forms {
    /** What listings did not say in their third form. */
    private static final Map<String, ?> SINCE_LISTING_V3 = Map.of("shape/network", NetworkPolicy.NONE);
    /** What listings did not say in their second form. */
    private static final Map<String, ?> SINCE_LISTING_V2 = both(SINCE_LISTING_V3, Map.of("rules/stakes", Stakes.NONE));
    /** What listings did not say in their first form. */
    private static final Map<String, ?> SINCE_LISTING_V1 = both(
            SINCE_LISTING_V2,
            Map.of(
                    "region",
                    "",
                    "interconnect",
                    Interconnect.NONE,
                    "rules/cancellation",
                    Cancellation.FREE,
                    "rules/reclaimNotice",
                    Listing.Rules.USUAL_RECLAIM_NOTICE));
    /** What quotes did not say in their fourth form, which held a listing in its third. */
    private static final Map<String, ?> SINCE_QUOTE_V4 = offered(SINCE_LISTING_V3);
    /** What quotes did not say in their third form, which held a listing in its second. */
    private static final Map<String, ?> SINCE_QUOTE_V3 = offered(SINCE_LISTING_V2);
    /** What quotes did not say in their second form, which held a listing in its second. */
    private static final Map<String, ?> SINCE_QUOTE_V2 = both(SINCE_QUOTE_V3, Map.of("setup", Setup.UNSTATED));
    /** What quotes did not say in their first form, which held a listing in its first. */
    private static final Map<String, ?> SINCE_QUOTE_V1 =
            both(offered(SINCE_LISTING_V1), Map.of("setup", Setup.UNSTATED));

    private Forms() {}

    private static Map<String, ?> both(Map<String, ?> one, Map<String, ?> other) {
        var all = new HashMap<String, Object>(one);
        all.putAll(other);
        return Map.copyOf(all);
    }

    private static Map<String, ?> offered(Map<String, ?> ofListing) {
        return ofListing.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(member -> "offered/" + member.getKey(), Map.Entry::getValue));
    }

    static Documents<Host> hosts(Database database) {
        return new Documents<>(
                database,
                "ch_hosts",
                Host.class,
                "host.v2",
                Map.of(
                        "host.v1",
                        json -> RentalJson.readOlder(Host.class, json, Map.of("platform", GuestPlatform.UNSTATED))));
    }

    static Documents<Listing> listings(Database database) {
        return new Documents<>(
                database,
                "ch_listings",
                Listing.class,
                "listing.v4",
                Map.of(
                        "listing.v1",
                        json -> RentalJson.readOlder(Listing.class, json, SINCE_LISTING_V1),
                        "listing.v2",
                        json -> RentalJson.readOlder(Listing.class, json, SINCE_LISTING_V2),
                        "listing.v3",
                        json -> RentalJson.readOlder(Listing.class, json, SINCE_LISTING_V3)));
    }

    static Documents<GpuCondition> conditions(Database database) {
        return new Documents<>(database, "ch_gpu_conditions", GpuCondition.class, "gpu-condition.v1", Map.of());
    }

    static Documents<Quote> quotes(Database database) {
        return new Documents<>(
                database,
                "ch_quotes",
                Quote.class,
                "quote.v5",
                Map.of(
                        "quote.v1",
                        json -> RentalJson.readOlder(Quote.class, json, SINCE_QUOTE_V1),
                        "quote.v2",
                        json -> RentalJson.readOlder(Quote.class, json, SINCE_QUOTE_V2),
                        "quote.v3",
                        json -> RentalJson.readOlder(Quote.class, json, SINCE_QUOTE_V3),
                        "quote.v4",
                        json -> RentalJson.readOlder(Quote.class, json, SINCE_QUOTE_V4)));
    }
}
