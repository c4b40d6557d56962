package org.computehive.server.api;

import io.micronaut.http.HttpStatus;
import io.micronaut.http.exceptions.HttpStatusException;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.computehive.market.Account;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalId;
import org.computehive.server.config.ReferencePlatform;

/** Waits for a rental to change, so that nobody has to ask again and again. Thread-safe. */
@Singleton
final class Changes {
    private static final Duration LONGEST = Duration.ofSeconds(30);
    private static final int MOST = 256;

    private final RentalEngine engine;
    private final Semaphore places = new Semaphore(MOST);

    Changes(ReferencePlatform platform) {
        this.engine = platform.engine();
    }

    /** Returns a rental once it is past a version, or as it is after 30 seconds. */
    Rental await(RentalId id, Account caller, long version) {
        if (!places.tryAcquire()) {
            throw new HttpStatusException(
                    HttpStatus.SERVICE_UNAVAILABLE, "%d requests wait already: ask again later".formatted(MOST));
        }
        var changed = new CompletableFuture<Rental>();
        try (var subscription = engine.listen(recorded -> {
            if (recorded.after().id().equals(id) && recorded.after().version() > version) {
                changed.complete(recorded.after());
            }
        })) {
            Rental now = engine.rental(id, caller);
            return now.version() > version ? now : changed.get(LONGEST.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return engine.rental(id, caller);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HttpStatusException(HttpStatus.SERVICE_UNAVAILABLE, "the server is stopping");
        } catch (ExecutionException e) {
            throw new IllegalStateException("waiting for a rental failed", e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("a subscription could not be ended", e);
        } finally {
            places.release();
        }
    }
}
