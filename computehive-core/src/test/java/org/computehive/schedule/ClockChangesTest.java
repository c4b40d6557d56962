package org.computehive.schedule;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** The nights of clock changes in {@link ClockChanges#ZONES}, in a machine that sits in any of them. */
@ResourceLock(Resources.TIME_ZONE)
class ClockChangesTest {

    @Test
    void openings_aroundEveryChange_areWhatTheWallClockShows() {
        int changes = 0;
        for (String zone : ClockChanges.ZONES) {
            List<ClockChanges.Case> cases = ClockChanges.of(zone, 3);
            for (ClockChanges.Case it : cases) {
                assertEquals(it.expected(), it.openings(), it.toString());
            }
            changes += cases.size();
        }
        assertTrue(changes > 30 * 5 * ClockChanges.FORMS, "only %d cases".formatted(changes));
    }

    @Test
    void openings_inAMachineOfAnyZone_areTheSame() {
        List<String> expected = ClockChanges.report();
        TimeZone before = TimeZone.getDefault();
        List<String> others = new ArrayList<>();
        try {
            for (String machine : ClockChanges.ZONES) {
                TimeZone.setDefault(TimeZone.getTimeZone(machine));
                assertEquals(machine, TimeZone.getDefault().getID());
                assertEquals(expected, ClockChanges.report(), "machine in " + machine);
                others.add(machine);
            }
        } finally {
            TimeZone.setDefault(before);
        }
        assertEquals(30, others.stream().distinct().count());
    }
}
