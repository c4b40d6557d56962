package org.computehive.server.crash;

import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Faults that can be built into the engine's parts to see that the crash test finds them: a test that can't fail proves
 * nothing.
 */
enum Fault {
    /** The hypervisor doesn't look before it creates, and gives each VM a name of its own. */
    SECOND_VM,
    /** The store acknowledges certificates that it doesn't write. */
    LOST_EVENT,
    /** The audit log takes the entry of a funding twice. */
    SECOND_ENTRY,
    /** A settlement is recorded with another amount than the chain paid. */
    WRONG_PAYMENT,
    /** A machine that was destroyed is only said to be gone. */
    MACHINE_LEFT,
    /** A calendar message is written anew at each attempt. */
    CHANGED_CALENDAR,
    /** A chain that can't be read is taken for one that has no such escrow. */
    UNKNOWN_IS_UNPAID,
    /** The audit log is written two seconds late, after the effects. */
    LATE_AUDIT;

    /** Returns names between commas. */
    static String names(Set<Fault> faults) {
        return faults.stream().map(Fault::name).sorted().collect(Collectors.joining(","));
    }

    /**
     * Returns the faults of names between commas.
     *
     * @throws IllegalArgumentException if there is none of a name
     */
    static Set<Fault> of(String names) {
        return Stream.of(names.split(","))
                .filter(name -> !name.isBlank())
                .map(name -> valueOf(name.strip().toUpperCase(Locale.ROOT).replace('-', '_')))
                .collect(Collectors.toUnmodifiableSet());
    }
}
