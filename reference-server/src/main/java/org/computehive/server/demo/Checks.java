package org.computehive.server.demo;

import java.util.ArrayList;
import java.util.List;

/** What the walk promised, and whether each promise held. Used by one thread. */
final class Checks {
    private final List<Check> all = new ArrayList<>();

    /** One promise. */
    record Check(String promise, boolean held, String seen) {}

    /** Notes a promise and what was seen. */
    boolean that(String promise, boolean held, String seen) {
        all.add(new Check(promise, held, seen));
        return held;
    }

    List<Check> all() {
        return List.copyOf(all);
    }

    boolean allHeld() {
        return all.stream().allMatch(Check::held);
    }
}
