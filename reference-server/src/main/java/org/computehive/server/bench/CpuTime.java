package org.computehive.server.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Processor time, of this process and of the programs it ran to their end.
 *
 * <p>Ours is the whole process, garbage collector and compiler included. The programs' is what the kernel added up when
 * they were waited for: {@code cutime} and {@code cstime} of {@code /proc/self/stat} (proc(5)), in ticks of 10 ms.
 */
final class CpuTime {
    private static final double TICKS_PER_SECOND = 100;
    private static final int CHILDREN_USER = 16;
    private static final int CHILDREN_SYSTEM = 17;

    private CpuTime() {}

    /** Returns the seconds that this process has used so far. */
    static double ours() {
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return system.getProcessCpuTime() / 1e9;
    }

    /** Returns the seconds that programs have used that were started here and have ended. */
    static double programs() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        // The second field is a name in brackets, which may hold blanks.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        int shift = 3; // fields count from 1, and two were cut off
        return (Double.parseDouble(fields[CHILDREN_USER - shift]) + Double.parseDouble(fields[CHILDREN_SYSTEM - shift]))
                / TICKS_PER_SECOND;
    }

    /** Returns the seconds that a running program has used so far, with all its children, ended or not. */
    static double of(ProcessHandle program) throws IOException {
        double sum = used(program.pid());
        for (ProcessHandle child : program.descendants().toList()) {
            sum += used(child.pid());
        }
        return sum;
    }

    private static double used(long pid) throws IOException {
        Path file = Path.of("/proc/%d/stat".formatted(pid));
        if (!Files.exists(file)) {
            return 0;
        }
        String stat = Files.readString(file);
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
        double ticks = 0;
        for (int field = CHILDREN_USER - 2; field <= CHILDREN_SYSTEM; field++) {
            ticks += Double.parseDouble(fields[field - 3]);
        }
        return ticks / TICKS_PER_SECOND;
    }
}
