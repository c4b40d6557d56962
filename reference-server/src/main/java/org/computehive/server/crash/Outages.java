package org.computehive.server.crash;

import java.io.IOException;
import java.time.Duration;
import java.util.Random;

/** Cuts off the database or the chain node for a while, under a living engine. Used by one thread. */
final class Outages {
    private static final int SHORTEST_MILLIS = 1_000;
    private static final int MOST_MORE_MILLIS = 4_000;

    private final Stage stage;
    private final Random random;
    private int count;

    Outages(Stage stage, Random random) {
        this.stage = stage;
        this.random = random;
    }

    int count() {
        return count;
    }

    /** One outage; the engine lives through it, or is killed in its middle. */
    void one(EngineProcess life, Evidence evidence) throws IOException, InterruptedException {
        count++;
        int kind = random.nextInt(3);
        boolean kill = random.nextInt(3) == 0;
        switch (kind) {
            case 0 -> stage.postgres.crash();
            case 1 -> stage.postgres.freeze();
            default -> stage.relay.cut(true);
        }
        try {
            int millis = SHORTEST_MILLIS + random.nextInt(MOST_MORE_MILLIS);
            if (life.endsWithin(Duration.ofMillis(millis))) {
                throw new IOException("the engine ended by itself in an outage; its log is " + life.log());
            }
            if (kill) {
                evidence.killed("an outage of " + (kind == 2 ? "the chain" : "the database"));
                life.kill();
            }
        } finally {
            switch (kind) {
                case 0 -> stage.postgres.restart();
                case 1 -> stage.postgres.thaw();
                default -> stage.relay.cut(false);
            }
        }
    }
}
