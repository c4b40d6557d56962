package org.computehive.server.crash;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * Stands at every boundary of the engine's. It names each point that is crossed the first time; at one that is armed it
 * says so and holds every thread that comes to any point, so that the kill strikes exactly there. Thread-safe.
 */
final class Gate {
    private final Wire wire;
    private final Set<String> crossed = ConcurrentHashMap.newKeySet();
    private final CountDownLatch never = new CountDownLatch(1);
    private volatile Set<String> armed = Set.of();
    private volatile boolean shut;

    Gate(Wire wire) {
        this.wire = wire;
    }

    /** From here on holds at any of these points. */
    void arm(Set<String> points) {
        armed = Set.copyOf(points);
    }

    void cross(String point) {
        if (!shut && crossed.add(point)) {
            wire.say("crossed " + point);
        }
        if (!shut && armed.contains(point)) {
            shut(point);
        }
        while (shut) {
            try {
                never.await();
            } catch (InterruptedException e) {
                // Only the kill ends this.
                continue;
            }
        }
    }

    private synchronized void shut(String point) {
        if (!shut) {
            shut = true;
            wire.say("point " + point);
        }
    }
}
