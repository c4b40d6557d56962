package org.computehive.server.config;

import io.micronaut.context.annotation.EachProperty;
import io.micronaut.context.annotation.Parameter;
import io.micronaut.core.bind.annotation.Bindable;
import java.util.Optional;

/**
 * A party's calendar on a CalDAV server, under {@code computehive.caldav.calendars} and a name of its own. The password
 * itself stands in no key: keys may be on a command line, which everybody on a machine can read.
 *
 * @param name what the operator calls it
 * @param account whose calendar it is
 * @param url the collection's own address, ending in {@code /}
 * @param user who may write there
 * @param passwordFile a file with the user's password, readable for its owner alone
 * @param passwordVariable the environment variable that holds the password, instead of a file
 * @param onCancel what becomes of a rental that is called off: {@code mark} or {@code remove}
 */
@EachProperty("computehive.caldav.calendars")
public record CalDavCalendar(
        @Parameter String name,
        Optional<String> account,
        Optional<String> url,
        Optional<String> user,
        Optional<String> passwordFile,
        Optional<String> passwordVariable,
        @Bindable(defaultValue = "mark") String onCancel) {}
