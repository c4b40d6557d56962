package org.computehive.server.config;

import java.net.URI;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.computehive.caldav.CalDavCollection;
import org.computehive.caldav.CalDavCollection.OnCancel;
import org.computehive.caldav.CalDavCredential;
import org.computehive.caldav.CalDavNotifier;
import org.computehive.caldav.CalDavOptions;
import org.computehive.market.Account;

/** Makes of the configuration a notifier that writes to the parties' calendars. */
final class CalDavCalendars {
    private static final String KEY = "computehive.caldav";

    private CalDavCalendars() {}

    /**
     * Returns the notifier; a party without a calendar gets nothing from it.
     *
     * @param environment returns the value of an environment variable
     * @throws ConfigurationException if a key makes no sense; the message names it, and no password
     */
    static CalDavNotifier notifier(
            CalDavSettings settings,
            Collection<CalDavCalendar> calendars,
            Function<String, Optional<String>> environment) {
        var collections = new HashMap<Account, CalDavCollection>();
        for (CalDavCalendar calendar : calendars) {
            String key = "%s.calendars.%s".formatted(KEY, calendar.name());
            Account account = ConfigurationException.parse(
                    key + ".account", need(key, "account", calendar.account()), Account::new);
            if (collections.putIfAbsent(account, collection(key, calendar, environment)) != null) {
                throw new ConfigurationException(
                        "%s.account %s has a calendar already: name one for each account".formatted(key, account),
                        null);
            }
        }
        CalDavOptions options = ConfigurationException.parse(
                KEY + ".patience",
                settings.patience(),
                patience -> new CalDavOptions(settings.privateAddresses(), patience));
        Map<Account, CalDavCollection> known = Map.copyOf(collections);
        return new CalDavNotifier(account -> Optional.ofNullable(known.get(account)), options);
    }

    private static CalDavCollection collection(
            String key, CalDavCalendar calendar, Function<String, Optional<String>> environment) {
        String user = need(key, "user", calendar.user());
        String password = password(key, calendar, environment);
        CalDavCredential credential =
                ConfigurationException.parse(key + ".user", user, name -> new CalDavCredential.Basic(name, password));
        OnCancel onCancel = switch (calendar.onCancel()) {
            case "mark" -> OnCancel.MARK;
            case "remove" -> OnCancel.REMOVE;
            default ->
                throw new ConfigurationException(
                        "%s.on-cancel %s is not known: use mark or remove".formatted(key, calendar.onCancel()), null);
        };
        return ConfigurationException.parse(
                key + ".url",
                need(key, "url", calendar.url()),
                url -> new CalDavCollection(URI.create(url), credential, onCancel));
    }

    private static String password(
            String key, CalDavCalendar calendar, Function<String, Optional<String>> environment) {
        return Secrets.oneOf(key, "password", calendar.passwordFile(), calendar.passwordVariable(), environment)
                .orElseThrow(() -> new ConfigurationException(
                        "%s needs either password-file or password-variable, the name of an environment variable"
                                .formatted(key),
                        null));
    }

    private static String need(String key, String what, Optional<String> value) {
        return value.orElseThrow(
                () -> new ConfigurationException("%s.%s is missing: a calendar needs it".formatted(key, what), null));
    }
}
