package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.util.Optional;

/**
 * Where rentals are kept.
 *
 * @param kind {@code sqlite} (a file in the data folder) or {@code postgres}
 * @param url the JDBC URL of a PostgreSQL database
 * @param user its user
 * @param passwordFile a file with the user's password, readable for its owner alone
 */
@ConfigurationProperties("computehive.store")
public record StoreSettings(
        @Bindable(defaultValue = "sqlite") String kind,
        Optional<String> url,
        Optional<String> user,
        Optional<String> passwordFile) {}
