package org.computehive.vm;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.rental.RentalId;

/** The serial consoles of the VMs that this process started, for as long as they run. Thread-safe. */
final class Consoles {
    private final Map<RentalId, Console> open = new ConcurrentHashMap<>();

    void keep(RentalId id, Console console) {
        Console before = open.put(id, console);
        if (before != null) {
            before.close();
        }
    }

    /** Returns the last lines that a VM wrote. */
    Optional<List<String>> lines(RentalId id) {
        return Optional.ofNullable(open.get(id)).map(Console::lines);
    }

    void forget(RentalId id) {
        Console console = open.remove(id);
        if (console != null) {
            console.close();
        }
    }

    void closeAll() {
        open.keySet().forEach(this::forget);
    }
}
