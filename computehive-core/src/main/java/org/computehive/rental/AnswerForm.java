package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.computehive.access.RenterFiles;
import org.computehive.access.SshPublicKey;
import org.computehive.market.GpuCondition;
import org.computehive.market.Host;

/**
 * How a kind of answer is kept, so that it can be given again long after.
 *
 * @param name the form's name and version, stored beside it
 * @param write its JSON
 * @param read the answer that a JSON means, with the store at hand
 * @param rental the rental whose events must be in an audit log before it is given, if there is one
 */
record AnswerForm<T>(
        String name,
        Function<T, String> write,
        BiFunction<RentalStore, String, T> read,
        Function<T, Optional<RentalId>> rental) {

    /** The rental as it was then: its events are kept, so its version says all. */
    static final AnswerForm<Rental> RENTAL = new AnswerForm<>(
            "rental.v1",
            rental -> RentalJson.write(new RentalThen(rental.id(), rental.version())),
            (store, json) -> RentalJson.read(RentalThen.class, json).in(store),
            rental -> Optional.of(rental.id()));

    /** A quote never changes, and is kept longer than answers are. */
    static final AnswerForm<Quote> QUOTE = new AnswerForm<>(
            "quote-id.v1",
            quote -> RentalJson.write(new QuoteName(quote.id())),
            (store, json) -> RentalJson.read(QuoteName.class, json).in(store),
            quote -> Optional.empty());

    static final AnswerForm<GpuCondition> CONDITION = new AnswerForm<>(
            "gpu-condition.v1",
            RentalJson::write,
            (store, json) -> RentalJson.read(GpuCondition.class, json),
            condition -> Optional.empty());

    static final AnswerForm<Host> HOST = new AnswerForm<>(
            "host.v2", RentalJson::write, (store, json) -> RentalJson.read(Host.class, json), host -> Optional.empty());

    /** Whether there was what was to be removed. */
    static final AnswerForm<Boolean> REMOVED = new AnswerForm<>(
            "removed.v1",
            removed -> RentalJson.write(new Removed(removed)),
            (store, json) -> RentalJson.read(Removed.class, json).removed(),
            removed -> Optional.empty());

    static final AnswerForm<SessionAccess.Grant> GRANT = new AnswerForm<>(
            "grant.v1",
            grant -> RentalJson.write(StoredGrant.of(grant)),
            (store, json) -> RentalJson.read(StoredGrant.class, json).grant(),
            grant -> RentalId.ofPrincipal(grant.entrance().principal()));

    /** The answer is what was asked with, so the digest of the request says all. */
    static <T> AnswerForm<T> asAsked(T asked) {
        return new AnswerForm<>("as-asked.v1", answer -> "{}", (store, json) -> asked, answer -> Optional.empty());
    }

    private record RentalThen(RentalId rental, long version) {
        Rental in(RentalStore store) {
            List<RentalStore.Recorded> history = store.history(rental);
            if (history.size() < version) {
                throw new IllegalStateException(
                        "rental %s has no version %d, which was answered once: the database was changed by hand"
                                .formatted(rental, version));
            }
            return history.get(Math.toIntExact(version) - 1).after();
        }
    }

    private record QuoteName(RentalId quote) {
        Quote in(RentalStore store) {
            return store.quote(quote)
                    .orElseThrow(() -> new IllegalStateException(
                            "quote %s, which was answered once, is gone: the database was changed by hand"
                                    .formatted(quote)));
        }
    }

    private record Removed(boolean removed) {}

    /** A certificate without its private key, and where to use it: worth nothing to others. */
    private record StoredGrant(
            String certificate,
            RenterFiles.Entrance entrance,
            String hostAuthority,
            String serial,
            String keyFingerprint,
            Instant notAfter) {
        static StoredGrant of(SessionAccess.Grant grant) {
            return new StoredGrant(
                    grant.certificate(),
                    grant.entrance(),
                    grant.hostAuthorities().stream().map(SshPublicKey::line).collect(Collectors.joining("\n")),
                    grant.serial(),
                    grant.keyFingerprint(),
                    grant.notAfter());
        }

        SessionAccess.Grant grant() {
            return new SessionAccess.Grant(
                    certificate,
                    entrance,
                    hostAuthority.lines().map(SshPublicKey::parse).toList(),
                    serial,
                    keyFingerprint,
                    notAfter);
        }
    }
}
