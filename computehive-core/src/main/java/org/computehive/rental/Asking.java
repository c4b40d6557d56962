package org.computehive.rental;

import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.computehive.once.Answer;

/** How commands are asked for: by themselves, or once for a key. Thread-safe. */
interface Asking {
    /** Carries a command out each time it is asked. */
    Asking PLAINLY = new Asking() {
        @Override
        public <T> T ask(AnswerForm<T> form, Supplier<String> request, Function<Answering<T>, T> command) {
            return command.apply(Answering.none());
        }
    };

    /**
     * Carries a command out, or gives the answer that was given before.
     *
     * @param form how its answer is kept
     * @param request the digest of what is asked
     * @param command does it, and keeps its answer in the transaction of what it changes
     */
    <T> T ask(AnswerForm<T> form, Supplier<String> request, Function<Answering<T>, T> command);

    /** What is to be kept about a command that gives an answer. */
    @FunctionalInterface
    interface Answering<T> {
        /** Returns what is to be kept together with what the command changes; empty if nothing is. */
        Optional<Answer> keeping(T answer);

        /** Keeps nothing. */
        static <T> Answering<T> none() {
            return answer -> Optional.empty();
        }
    }
}
