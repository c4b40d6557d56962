package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import java.util.Optional;

/**
 * Who beside this server remembers what its audit log was; nobody unless it says so.
 *
 * @param quorum how many of the {@link WitnessSettings witnesses} must cosign; all of them if it is not given
 * @param cosignEvery how often they are asked
 * @param witnessPatience how long one may take to answer
 * @param anchorEvery how often the log is anchored on the chain, which costs gas; without it, never
 * @param anchorContract the external chain's {@code AuditAnchor}
 */
@ConfigurationProperties("computehive.audit")
public record AuditSettings(
        Optional<Integer> quorum,
        @Bindable(defaultValue = "PT1M") Duration cosignEvery,
        @Bindable(defaultValue = "PT10S") Duration witnessPatience,
        Optional<Duration> anchorEvery,
        Optional<String> anchorContract) {}
