package org.computehive.rental;

import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.computehive.market.Account;
import org.computehive.once.Answer;
import org.computehive.once.IdempotencyKey;
import org.computehive.once.KeyTakenException;

/**
 * Carries a command out once for a caller's key. What it changes and its answer are kept in one transaction, so that
 * whoever asks again, also after a crash or on another replica, gets the answer; and of two who ask at once, one is carried
 * out.
 */
final class OncePerKey implements Asking {
    private final RentalStore store;
    private final Journal journal;
    private final Account caller;
    private final IdempotencyKey key;

    OncePerKey(RentalStore store, Journal journal, Account caller, IdempotencyKey key) {
        this.store = store;
        this.journal = journal;
        this.caller = caller;
        this.key = key;
    }

    @Override
    public <T> T ask(AnswerForm<T> form, Supplier<String> request, Function<Answering<T>, T> command) {
        String digest = request.get();
        while (true) {
            Optional<T> given = given(form, digest);
            if (given.isPresent()) {
                return given.get();
            }
            try {
                return command.apply(answer -> Optional.of(new Answer(
                        caller,
                        key,
                        digest,
                        journal.now(),
                        form.name(),
                        form.write().apply(answer))));
            } catch (KeyTakenException e) {
                // The same key at the same time: look again.
            } catch (RuntimeException e) {
                // It may be refused because the same request was carried out meanwhile.
                return given(form, digest).orElseThrow(() -> e);
            }
        }
    }

    private <T> Optional<T> given(AnswerForm<T> form, String digest) {
        return store.answer(caller, key).map(answer -> {
            if (!answer.request().equals(digest)) {
                throw RentalException.KeyReused.by(answer);
            }
            if (!answer.format().equals(form.name())) {
                throw new IllegalStateException(
                        "stored answer %s is not known here, only %s: the database was written by another version"
                                .formatted(answer.format(), form.name()));
            }
            T again = form.read().apply(store, answer.payload());
            // Whoever was carrying it out may have died before the audit log had it.
            form.rental().apply(again).flatMap(store::rental).ifPresent(journal::ensureAudited);
            return again;
        });
    }
}
