package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import org.computehive.rental.RentalPolicy;

/** How long the engine waits for what; see {@link RentalPolicy}, whose defaults these are. */
@ConfigurationProperties("computehive.policy")
public record PolicySettings(
        @Bindable(defaultValue = "PT10M") Duration quoteLife,
        @Bindable(defaultValue = "PT15M") Duration hold,
        @Bindable(defaultValue = "PT5M") Duration lead,
        @Bindable(defaultValue = "PT10M") Duration startLimit,
        @Bindable(defaultValue = "PT15S") Duration watch,
        @Bindable(defaultValue = "PT5S") Duration retry) {

    RentalPolicy policy() {
        return new RentalPolicy(quoteLife, hold, lead, startLimit, watch, retry);
    }
}
