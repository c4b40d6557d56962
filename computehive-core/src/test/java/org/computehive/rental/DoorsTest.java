package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import org.computehive.access.AccessException;
import org.computehive.rental.memory.InMemoryAccess;
import org.junit.jupiter.api.Test;

/** The gateway of a replica that did not itself end or move a session. */
class DoorsTest {
    private static final InetSocketAddress VM = new InetSocketAddress("127.0.0.1", 2201);
    private static final InetSocketAddress OTHER_VM = new InetSocketAddress("127.0.0.1", 2202);

    private static Doors doors(World world, InMemoryAccess gateway) {
        return new Doors(gateway, world.store, Duration.ofDays(1));
    }

    @Test
    void sessionThatEndedElsewhere_isCutHere() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            var gateway = new InMemoryAccess(world.clock);
            Doors doors = doors(world, gateway);
            doors.admit(rental.id(), rental.window(), VM);
            doors.look();
            assertEquals(Optional.of(VM), gateway.enter(rental.id()));

            world.engine.end(rental.id(), world.renter.account());
            doors.look();

            assertEquals(Optional.empty(), gateway.enter(rental.id()));
            assertThrows(AccessException.LeaseRefused.class, () -> doors.admit(rental.id(), rental.window(), VM));
        }
    }

    @Test
    void login_afterTheSessionEndedElsewhere_isRefusedBeforeTheNextLook() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            var gateway = new InMemoryAccess(world.clock);
            Doors doors = doors(world, gateway);
            doors.onDecision(decision -> {});
            doors.admit(rental.id(), rental.window(), VM);
            assertTrue(gateway.enter(rental.id()).isPresent());

            world.engine.end(rental.id(), world.renter.account());

            assertThrows(RentalException.WrongState.class, () -> gateway.enter(rental.id()));
        }
    }

    @Test
    void login_whileTheStoreCantBeRead_isRefused() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            var gateway = new InMemoryAccess(world.clock);
            var silent = (RentalStore) Proxy.newProxyInstance(
                    RentalStore.class.getClassLoader(),
                    new Class<?>[] {RentalStore.class},
                    (proxy, method, arguments) -> {
                        throw new IllegalStateException("the store is away");
                    });
            var doors = new Doors(gateway, silent, Duration.ofDays(1));
            doors.onDecision(decision -> {});
            doors.admit(rental.id(), rental.window(), VM);
            assertThrows(IllegalStateException.class, () -> gateway.enter(rental.id()));
        }
    }

    @Test
    void vmThatMovedElsewhere_isTheOneThatIsEntered() {
        try (World world = World.ofHosts(1)) {
            Rental rental = world.active();
            var gateway = new InMemoryAccess(world.clock);
            Doors doors = doors(world, gateway);
            doors.admit(rental.id(), rental.window(), VM);

            doors.admit(rental.id(), rental.window(), OTHER_VM);

            assertEquals(Optional.of(OTHER_VM), gateway.enter(rental.id()));
        }
    }
}
