package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.computehive.audit.AuditEntry;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.InMemoryAuditLog;
import org.computehive.audit.NoteKey;
import org.computehive.rental.RentalStore.Recorded;
import org.junit.jupiter.api.Test;

/** What a replica commits and never puts in its log, another that lives puts in its own. */
class AuditSweepTest {
    private static final String SALT = "5a".repeat(AuditEntry.SALT_BYTES);

    private static long logged(World world, RentalId id) {
        return world.log.entries(0, world.log.size()).stream()
                .map(AuditEntry::parse)
                .filter(entry -> entry.number().isPresent() && entry.rental().equals(Optional.of(id.value())))
                .count();
    }

    @Test
    void replicaThatDiesBeforeItsLog_leavesItsEventToTheOther() {
        try (World world = World.ofHosts(1)) {
            var dead = new InMemoryAuditLog(NoteKey.generate("test.example/dead"));
            dead.close();
            RentalEngine dying = RentalEngine.builder()
                    .store(world.store)
                    .escrow(world.escrow)
                    .access(world.access)
                    .auditLog(dead)
                    .notifier(notice -> {})
                    .clock(world.clock)
                    .policy(world.policy)
                    .build();
            RentalId id = dying.quote(world.renter.account(), world.lot(1), world.window())
                    .id();
            assertThrows(AuditLogException.class, () -> dying.reserve(id, world.renter.account()));
            assertEquals(1, world.store.unaudited(10).size());

            world.pass(Duration.ofSeconds(1));

            assertEquals(List.of(), world.store.unaudited(10));
            assertEquals(world.of(id).version(), logged(world, id));
        }
    }

    @Test
    void eventThatNothingWakesFor_isTakenOverWhenItsReplicaHadTimeEnough() {
        try (World world = World.ofHosts(1)) {
            Rental other = world.funded();
            world.pass(Duration.ofMinutes(2));
            var event = new RentalEvent.Reserved(world.clock.instant(), Sample.terms());
            Rental left = Rental.of(RentalId.random(), event);
            world.store.append(new Recorded(left, event, SALT, Optional.empty()));

            world.passSlowly(Duration.ofSeconds(45), Duration.ofSeconds(15));
            assertEquals(0, logged(world, left.id()), "its replica may be about to");

            world.passSlowly(Duration.ofMinutes(2), Duration.ofSeconds(15));
            assertEquals(1, logged(world, left.id()));
            assertEquals(List.of(), world.store.unaudited(10));
            assertEquals(world.of(other.id()).version(), logged(world, other.id()));
        }
    }
}
