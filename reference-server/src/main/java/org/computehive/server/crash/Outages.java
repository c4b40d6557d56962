package org.computehive.server.crash;

import java.io.IOException;
import java.util.Random;

/** Cuts off the database or the chain node for a while, under living engines. Used by one thread. */
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

    /** One outage; an engine lives through it, or is killed in its middle. Returns whether it was killed. */
    boolean one(Replica replica) throws IOException, InterruptedException {
        int kind = random.nextInt(3);
        boolean kill = random.nextInt(3) == 0;
        int millis = SHORTEST_MILLIS + random.nextInt(MOST_MORE_MILLIS);
        if (!stage.calm.mayBreak()) {
            return false;
        }
        count++;
        try {
            begin(kind);
            try {
                replica.stay(millis);
                if (kill) {
                    replica.kill("an outage of " + (kind == 2 ? "the chain" : "the database"));
                }
            } finally {
                end(kind);
            }
        } finally {
            stage.calm.over();
        }
        return kill;
    }

    private void begin(int kind) throws IOException, InterruptedException {
        switch (kind) {
            case 0 -> stage.postgres.crash();
            case 1 -> stage.postgres.freeze();
            default -> stage.relay.cut();
        }
    }

    private void end(int kind) throws IOException, InterruptedException {
        switch (kind) {
            case 0 -> stage.postgres.restart();
            case 1 -> stage.postgres.thaw();
            default -> stage.relay.mend();
        }
    }
}
