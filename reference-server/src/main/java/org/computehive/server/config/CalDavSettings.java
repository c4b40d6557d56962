package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.time.Duration;

/**
 * How the parties' calendars on CalDAV servers are written to.
 *
 * @param patience how long one delivery may take, up to a minute
 * @param privateAddresses whether a server may have an address that is not one of the public Internet's, such as this
 *     machine or a company's own network
 */
@ConfigurationProperties("computehive.caldav")
public record CalDavSettings(
        @Bindable(defaultValue = "PT10S") Duration patience,
        @Bindable(defaultValue = "false") boolean privateAddresses) {}
