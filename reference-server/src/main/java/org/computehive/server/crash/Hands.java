package org.computehive.server.crash;

import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.computehive.server.crash.EngineProcess.Reply;

/**
 * How parties get something done: they ask any engine that lives, or do it themselves on the chain or the host. What an
 * engine acknowledges is kept as evidence.
 */
final class Hands implements AutoCloseable {
    private static final int AGAIN_MILLIS = 400;

    private final Supplier<List<EngineProcess>> engines;
    private final Evidence evidence;
    private final Random random;
    private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * Creates them.
     *
     * @param engines returns those that are ready now
     */
    Hands(Supplier<List<EngineProcess>> engines, Evidence evidence, Random random) {
        this.engines = engines;
        this.evidence = evidence;
        this.random = random;
    }

    /** Something that is done without the platform. */
    interface Act {
        Object run();
    }

    List<EngineProcess> engines() {
        return engines.get();
    }

    /** Asks for something whose acknowledgement promises an event of a kind. */
    void ask(Slot slot, String command, String event) {
        ask(slot, command, reply -> {
            if (reply instanceof Reply.Acknowledged ok) {
                evidence.acknowledge(ok.words().getFirst(), event, "");
            }
        });
    }

    void ask(Slot slot, String command, Consumer<Reply> heard) {
        List<EngineProcess> ready = engines.get();
        if (ready.isEmpty()) {
            return;
        }
        slot.notBefore = Instant.now().plusMillis(AGAIN_MILLIS);
        slot.busy = ready.get(random.nextInt(ready.size())).send(command).thenAccept(heard);
    }

    /** What a party does on the chain or the host; if it failed, what is stored says what to do next. */
    void byHand(Slot slot, Act act) {
        slot.acted = true;
        aside(slot, act, () -> slot.acted = false);
    }

    /** Does something that takes a while. */
    void aside(Slot slot, Act act, Runnable failed) {
        slot.notBefore = Instant.now().plusMillis(AGAIN_MILLIS);
        slot.busy = CompletableFuture.supplyAsync(act::run, workers).handle((done, failure) -> {
            if (failure != null) {
                failed.run();
            }
            return true;
        });
    }

    @Override
    public void close() {
        workers.shutdownNow();
    }
}
