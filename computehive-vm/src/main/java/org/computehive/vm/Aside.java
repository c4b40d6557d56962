package org.computehive.vm;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;

/** Work that is done while its caller does something else. */
final class Aside<T> {
    private final CompletableFuture<T> result = new CompletableFuture<>();

    private Aside() {}

    /** Begins work in a thread of its own. */
    static <T> Aside<T> begin(Supplier<T> work) {
        var aside = new Aside<T>();
        Thread.ofVirtual().name("aside").start(() -> {
            try {
                aside.result.complete(work.get());
            } catch (RuntimeException | Error e) {
                aside.result.completeExceptionally(e);
            }
        });
        return aside;
    }

    /** Waits for its end and returns what it returned, or throws what it threw. */
    T await() {
        try {
            return result.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            if (e.getCause() instanceof Error failure) {
                throw failure;
            }
            throw e;
        }
    }
}
