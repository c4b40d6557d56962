package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.time.Instant;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.rental.RentalEffect.Step;
import org.computehive.store.InMemoryStore;
import org.junit.jupiter.api.Test;

class FailuresTest {
    private Instant now = Sample.NOW;

    @Test
    void failure_isCountedFromWhenItWasFirstSeen_untilItWorksOrTheRentalIsForgotten() {
        try (InMemoryStore store = InMemoryStore.simulated(() -> now)) {
            var journal = new Journal(
                    store, new InMemoryAuditLog(NoteKey.generate("test.example")), () -> now, Sample.POLICY);
            var failures = new Failures(journal, Sample.POLICY);
            Rental rental = Sample.funded();
            var notify = new RentalEffect(Step.NOTIFY, now);
            assertEquals(Duration.ZERO, failures.failed(rental, notify));
            now = now.plusSeconds(60);
            assertEquals(Duration.ofMinutes(1), failures.failed(rental, notify));
            failures.worked(rental.id(), Step.NOTIFY);
            assertEquals(Duration.ZERO, failures.failed(rental, notify));
            now = now.plusSeconds(60);
            failures.forget(rental.id());
            assertEquals(Duration.ZERO, failures.failed(rental, notify));
        }
    }
}
