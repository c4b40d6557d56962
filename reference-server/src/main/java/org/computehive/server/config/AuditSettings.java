package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;
import java.util.Optional;
import org.computehive.audit.NoteKey;
import org.computehive.server.platform.LocalPlatform;

/**
 * How the audit log is named, and who beside this server remembers what it was; nobody unless it says so.
 *
 * @param name the log's origin, such as {@code rent.example.org/audit}: one of its own for each replica, and a new one for a
 *     log that is begun anew
 * @param quorum how many of the {@link WitnessSettings witnesses} must cosign; all of them if it is not given
 * @param cosignEvery how often they are asked
 * @param witnessPatience how long one may take to answer
 * @param anchorEvery how often the log is anchored on the chain, which costs gas; without it, never
 * @param anchorContract the external chain's {@code AuditAnchor}
 */
@ConfigurationProperties("computehive.audit")
public record AuditSettings(
        @Bindable(defaultValue = LocalPlatform.LOG_NAME) String name,
        Optional<Integer> quorum,
        @Bindable(defaultValue = "PT1M") Duration cosignEvery,
        @Bindable(defaultValue = "PT10S") Duration witnessPatience,
        Optional<Duration> anchorEvery,
        Optional<String> anchorContract) {

    /**
     * Returns the log's name.
     *
     * @throws ConfigurationException if no log can be named so
     */
    String checkedName() {
        return ConfigurationException.parse(
                "computehive.audit.name", name, text -> NoteKey.generate(text).name());
    }
}
