package org.computehive.server.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.computehive.server.crash.CrashOptions.UsageException;
import org.junit.jupiter.api.Test;

class CrashOptionsTest {

    @Test
    void parse_nothing_is500KillsAtEveryPointByTheDrawnSeed() throws Exception {
        CrashOptions options = CrashOptions.parse(List.of(), 17);

        assertEquals(500, options.kills());
        assertEquals(CrashOptions.ALL, options.points());
        assertEquals(17, options.seed());
        assertEquals(Set.of(), options.faults());
    }

    @Test
    void parse_everything_isTaken() throws Exception {
        CrashOptions options = CrashOptions.parse(
                List.of(
                        "--kills",
                        "7",
                        "--points",
                        "none",
                        "--seed",
                        "-3",
                        "--outages",
                        "--gpus",
                        "17",
                        "--replicas",
                        "1",
                        "--fault",
                        "second-vm,LATE_AUDIT",
                        "--keep"),
                17);

        assertEquals(
                new CrashOptions(7, 0, Set.of(), -3, 1, true, 17, Set.of(Fault.SECOND_VM, Fault.LATE_AUDIT), true),
                options);
    }

    @Test
    void parse_namedPoints_areTheOnlyOnes() throws Exception {
        CrashOptions options =
                CrashOptions.parse(List.of("--points", "libvirt.create/after,Escrow.settle/ByReceipt/before"), 17);

        assertEquals(Set.of("libvirt.create/after", "Escrow.settle/ByReceipt/before"), options.only());
        assertEquals(2, options.points());
    }

    @Test
    void parse_badValue_isNamedWithItsRange() {
        assertRefused("--kills -1 is not a whole number from 0 to 100000", "--kills", "-1");
        assertRefused("--kills many is not", "--kills", "many");
        assertRefused("--gpus 3 is not a whole number from 17 to 99", "--gpus", "3");
        assertRefused("--points some is not", "--points", "some");
        assertRefused("--fault no-such is none of [SECOND_VM", "--fault", "no-such");
        assertRefused("--seed needs a value", "--seed");
        assertRefused("--seed needs a value", "--seed", "--keep");
        assertRefused("--frobnicate is not an option", "--frobnicate");
    }

    private static void assertRefused(String message, String... arguments) {
        UsageException refused = assertThrows(UsageException.class, () -> CrashOptions.parse(List.of(arguments), 17));
        assertTrue(String.valueOf(refused.getMessage()).startsWith(message), refused.getMessage());
    }
}
