package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalId;
import org.computehive.rental.RentalStore;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.RentalStoreContract;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A process that appends is killed at any instant: what it acknowledged is there, and each wake-up comes. */
class StoreCrashIT {
    private static final int RENTALS_BEFORE_KILL = 40;

    @TempDir
    Path directory;

    @RepeatedTest(3)
    @Timeout(120)
    void kill9_whileAppending_losesNothingAcknowledged() throws Exception {
        Path file = directory.resolve("store.db");
        Process writer = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        "--enable-native-access=ALL-UNNAMED",
                        Writer.class.getName(),
                        file.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        Map<RentalId, Long> acknowledged = new LinkedHashMap<>();
        try (BufferedReader out = writer.inputReader()) {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (!line.matches("[a-z0-9]{26} [12]")) {
                    // Cut short by the kill.
                    continue;
                }
                String[] words = line.split(" ");
                acknowledged.put(new RentalId(words[0]), Long.parseLong(words[1]));
                if (acknowledged.size() == RENTALS_BEFORE_KILL) {
                    // SIGKILL, by the handle: Process would close the stream, and what was written before is to be
                    // read.
                    writer.toHandle().destroyForcibly();
                }
            }
        } finally {
            writer.destroyForcibly().waitFor();
        }
        assertTrue(acknowledged.size() >= RENTALS_BEFORE_KILL, () -> "the writer wrote only " + acknowledged.size());
        assertEquals(128 + 9, writer.exitValue());

        try (RentalStore store = JdbcStore.sqlite(file, InstantSource.system())) {
            for (Map.Entry<RentalId, Long> each : acknowledged.entrySet()) {
                long stored = store.rental(each.getKey()).map(Rental::version).orElse(0L);
                assertTrue(stored >= each.getValue(), () -> each + " but stored is " + stored);
            }
            assertWakesCome(store);
        }
    }

    private static void assertWakesCome(RentalStore store) throws InterruptedException {
        List<Rental> all = new ArrayList<>(store.of(RentalStoreContract.account(1), 10_000));
        Set<String> expected = ConcurrentHashMap.newKeySet();
        all.forEach(rental -> expected.add(rental.id() + " " + rental.version()));
        var left = new CountDownLatch(expected.size());
        store.timers().start((id, version) -> {
            if (expected.remove(id + " " + version)) {
                left.countDown();
            }
            return null;
        });
        assertTrue(left.await(60, TimeUnit.SECONDS), () -> "never woken: " + expected);
    }

    /** Appends until it is killed, two events to each rental, and says what was acknowledged. */
    static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) {
            RentalStore store = JdbcStore.sqlite(Path.of(arguments[0]), InstantSource.system());
            for (int i = 0; ; i++) {
                Window window = RentalStoreContract.hours(2 * i, 2 * i + 1);
                Recorded reserved = dueNow(RentalStoreContract.reserved(
                        RentalId.random(), RentalStoreContract.terms(i, window, RentalStoreContract.gpu(1))));
                store.append(reserved);
                System.out.println(reserved.after().id() + " 1");
                Recorded offered = dueNow(RentalStoreContract.then(
                        reserved.after(),
                        new RentalEvent.OfferWritten(Instant.now(), RentalStoreContract.offer(reserved.after()))));
                store.append(offered);
                System.out.println(offered.after().id() + " 2");
            }
        }

        private static Recorded dueNow(Recorded recorded) {
            return new Recorded(recorded.after(), recorded.event(), recorded.salt(), Optional.of(Instant.now()));
        }
    }
}
