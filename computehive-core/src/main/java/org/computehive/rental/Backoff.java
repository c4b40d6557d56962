package org.computehive.rental;

import java.time.Duration;
import org.computehive.rental.RentalEffect.Step;

/**
 * How long to wait before a step that failed is tried again. Stateless: each wait is half of how long it has failed, so that
 * waits grow by half each time, within the policy's bounds; a quarter more or less, by rental and step, keeps many that
 * failed together from coming back together.
 */
final class Backoff {
    private Backoff() {}

    static Duration delay(RentalPolicy policy, RentalId id, Step step, Duration failedFor) {
        Duration half = failedFor.dividedBy(2);
        Duration longest = policy.recovery().slowest();
        Duration wait = half.compareTo(policy.retry()) < 0 ? policy.retry() : half;
        wait = wait.compareTo(longest) > 0 ? longest : wait;
        int jitter = Math.floorMod(31 * id.hashCode() + step.name().hashCode(), 51);
        return wait.multipliedBy(75 + jitter).dividedBy(100);
    }
}
