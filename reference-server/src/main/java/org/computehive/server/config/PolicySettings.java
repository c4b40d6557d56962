package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import org.computehive.rental.ExtensionPolicy;
import org.computehive.rental.RentalPolicy;

/**
 * How long the engine waits for what, and how often it tries; see {@link RentalPolicy}, whose defaults these are, its
 * {@link RentalPolicy.Recovery} and {@link ExtensionPolicy}.
 *
 * @param moves how often a rental is given another place at the most
 * @param hostSilence how long a host may not answer before its session counts as lost
 * @param recovery how long after an interruption a session must be usable again
 * @param slowest how long to wait at the most before something that failed is tried again
 * @param stuckAfter how long a step may fail before an operator is told
 * @param teardownLimit how long taking a session down may fail before the rental is settled without waiting for it
 * @param extensions how many extensions a rental may have
 * @param longestExtension how long after the booked end the last one may end
 * @param confirmExtension how long before the end an extension must be funded
 */
@ConfigurationProperties("computehive.policy")
public record PolicySettings(
        @Bindable(defaultValue = "PT10M") Duration quoteLife,
        @Bindable(defaultValue = "PT15M") Duration hold,
        @Bindable(defaultValue = "PT5M") Duration lead,
        @Bindable(defaultValue = "PT10M") Duration startLimit,
        @Bindable(defaultValue = "PT15S") Duration watch,
        @Bindable(defaultValue = "PT5S") Duration retry,
        @Bindable(defaultValue = "3") int moves,
        @Bindable(defaultValue = "PT2M") Duration hostSilence,
        @Bindable(defaultValue = "PT10M") Duration recovery,
        @Bindable(defaultValue = "PT5M") Duration slowest,
        @Bindable(defaultValue = "PT1H") Duration stuckAfter,
        @Bindable(defaultValue = "P1D") Duration teardownLimit,
        @Bindable(defaultValue = "12") int extensions,
        @Bindable(defaultValue = "P7D") Duration longestExtension,
        @Bindable(defaultValue = "PT1M") Duration confirmExtension) {

    /**
     * Returns the policy.
     *
     * @throws ConfigurationException if a value is out of range
     */
    RentalPolicy policy() {
        return ConfigurationException.parse(
                "computehive.policy",
                this,
                keys -> new RentalPolicy(
                        quoteLife,
                        hold,
                        lead,
                        startLimit,
                        watch,
                        retry,
                        new RentalPolicy.Recovery(moves, hostSilence, recovery, slowest, stuckAfter, teardownLimit),
                        new ExtensionPolicy(extensions, longestExtension, confirmExtension)));
    }
}
