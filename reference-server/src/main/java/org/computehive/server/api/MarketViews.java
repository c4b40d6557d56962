package org.computehive.server.api;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.computehive.market.Gpu;
import org.computehive.market.GpuCondition;
import org.computehive.market.GpuId;
import org.computehive.market.Host;
import org.computehive.market.Listing;
import org.computehive.market.Token;
import org.computehive.market.search.FreeWindow;
import org.computehive.server.api.ListingBodies.RulesBody;
import org.computehive.server.api.ListingBodies.ShapeBody;
import org.computehive.server.api.Views.RateView;
import org.computehive.server.api.Views.TokenView;
import org.computehive.server.api.Views.WindowView;
import org.jspecify.annotations.Nullable;

/** What answers say of hosts, their gpus and listings; in the forms of {@link Views}. */
final class MarketViews {
    private MarketViews() {}

    /** What a gpu's last turnover, or its lender, said of it. */
    @Schema(name = "GpuCondition")
    record ConditionView(
            @Schema(description = "AVAILABLE, or QUARANTINED until an operator releases it")
            String state,

            String why,
            Instant since) {
        static ConditionView of(GpuCondition condition) {
            return new ConditionView(condition.state().name(), condition.why(), condition.since());
        }
    }

    /** A gpu of a host's; {@code unavailable} says why its host can't give it to a VM. */
    @Schema(name = "Gpu")
    record GpuView(
            String id,
            String model,
            int memoryMiB,
            boolean emulated,
            @Nullable String unavailable,

            @Nullable @Schema(description = "none before its first turnover")
            ConditionView condition) {
        static GpuView of(Host host, Gpu gpu, Function<GpuId, Optional<GpuCondition>> conditions) {
            var id = new GpuId(host.id(), gpu.address());
            return new GpuView(
                    id.toString(),
                    gpu.model(),
                    gpu.memoryMiB(),
                    gpu.emulated(),
                    gpu.unavailable().orElse(null),
                    conditions.apply(id).map(ConditionView::of).orElse(null));
        }
    }

    /** A machine of a lender's. */
    @Schema(name = "Host")
    record HostView(
            String id,
            String lender,
            int cpus,
            int memoryMiB,
            List<GpuView> gpus,
            String acceleration,
            String assurance) {
        static HostView of(Host host, Function<GpuId, Optional<GpuCondition>> conditions) {
            return new HostView(
                    host.id().value(),
                    host.lender().address(),
                    host.cpus(),
                    host.memoryMiB(),
                    host.gpus().stream()
                            .map(gpu -> GpuView.of(host, gpu, conditions))
                            .toList(),
                    host.acceleration(),
                    host.assurance().name());
        }
    }

    /** What a lender offers. */
    @Schema(name = "Listing")
    record ListingView(
            String id,
            String lender,
            String host,
            List<String> gpus,
            ShapeBody shape,
            TokenView token,
            RateView floor,
            RateView ceiling,
            RateView price,
            String availability,
            RulesBody rules,
            String assurance,
            boolean emulated,
            String region,
            String interconnect) {
        static ListingView of(Listing listing) {
            Token token = listing.token();
            var shape = listing.shape();
            return new ListingView(
                    listing.id().value(),
                    listing.lender().address(),
                    listing.host().value(),
                    listing.gpus().stream().map(GpuId::toString).toList(),
                    ShapeBody.of(shape),
                    TokenView.of(token),
                    RateView.of(listing.floor(), token),
                    RateView.of(listing.ceiling(), token),
                    RateView.of(listing.price(), token),
                    listing.availability().toString(),
                    RulesBody.of(listing.rules()),
                    listing.assurance().name(),
                    listing.emulated(),
                    listing.region(),
                    listing.interconnect().name());
        }
    }

    /** A listing, a window in which it is free, and the price for all of that. */
    @Schema(name = "FreeWindow")
    record FreeWindowView(@JsonUnwrapped ListingView listing, WindowView window, String total) {
        static FreeWindowView of(FreeWindow free) {
            return new FreeWindowView(
                    ListingView.of(free.listing()),
                    WindowView.of(free.window()),
                    free.total().toString());
        }
    }
}
