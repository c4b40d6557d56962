package org.computehive.server.crash;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the crash test was asked to do.
 *
 * @param kills how many kills at random instants
 * @param points how many of the recorded points get a kill of their own at the most
 * @param only the points that get one; empty for any
 * @param seed what random instants are drawn from
 * @param replicas how many engines there are in the second half of the run
 * @param outages whether database and chain node are cut off and brought back as well
 * @param gpus how many gpus, and so rentals at a time
 * @param faults faults to build in; the test must then fail
 * @param keep whether the folder with logs and database stays
 */
record CrashOptions(
        int kills,
        int points,
        Set<String> only,
        long seed,
        int replicas,
        boolean outages,
        int gpus,
        Set<Fault> faults,
        boolean keep) {

    static final int ALL = Integer.MAX_VALUE;

    static final String USAGE = """
            Usage: ./computehive crash-test [OPTION...]
            Kills an engine in its own process with SIGKILL, again and again, and checks from outside that nothing was
            started, paid or recorded twice, and nothing acknowledged lost. Exit code 0 only if every check held.

              --kills N             kills at random instants (default: 500)
              --points all|none|N   a kill at each recorded point (default), at none, or at N of them, drawn; others take the
                                    place of those that a whole life did not come to
              --points NAME[,NAME]  a kill at each of these points, such as libvirt.create/after
              --replicas 1|2        in the second half of the run, kill one of two engines on one database while the other
                                    goes on (2, the default), or the only one (1)
              --seed S              draws the random instants (default: drawn, and printed)
              --outages             also cut off PostgreSQL and the chain node, and bring them back
              --gpus N              rentals that go on at a time, 17 to 99 (default: 17)
              --fault NAME[,NAME]   build these faults into the engine's parts, to see that they are found:
                                    second-vm, machine-left, lost-event, second-entry, late-audit, wrong-payment,
                                    changed-calendar, unknown-is-unpaid
              --keep                leave the folder with logs and audit log behind
              --help                this text
            """;

    /** The command line made no sense; the message says why. */
    static final class UsageException extends Exception {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    static CrashOptions parse(List<String> arguments, long drawn) throws UsageException {
        int kills = 500;
        int points = ALL;
        Set<String> only = Set.of();
        long seed = drawn;
        int replicas = Stage.LOGS.size();
        boolean outages = false;
        int gpus = Course.values().length;
        Set<Fault> faults = Set.of();
        boolean keep = false;
        Deque<String> left = new ArrayDeque<>(arguments);
        while (!left.isEmpty()) {
            String option = left.removeFirst();
            switch (option) {
                case "--kills" -> kills = (int) number(option, value(option, left), 0, 100_000);
                case "--points" -> {
                    String text = value(option, left);
                    only = names(text);
                    points = only.isEmpty() ? points(text) : only.size();
                }
                case "--seed" -> seed = number(option, value(option, left), Long.MIN_VALUE, Long.MAX_VALUE);
                case "--replicas" -> replicas = (int) number(option, value(option, left), 1, Stage.LOGS.size());
                case "--gpus" -> gpus = (int) number(option, value(option, left), Course.values().length, 99);
                case "--outages" -> outages = true;
                case "--keep" -> keep = true;
                case "--fault" -> faults = faults(value(option, left));
                default -> throw new UsageException("%s is not an option".formatted(option));
            }
        }
        return new CrashOptions(kills, points, only, seed, replicas, outages, gpus, faults, keep);
    }

    private static Set<String> names(String text) {
        return text.contains("/") ? Set.of(text.split(",")) : Set.of();
    }

    private static int points(String text) throws UsageException {
        return switch (text) {
            case "all" -> ALL;
            case "none" -> 0;
            default -> (int) number("--points", text, 0, 100_000);
        };
    }

    private static Set<Fault> faults(String text) throws UsageException {
        try {
            return Fault.of(text);
        } catch (IllegalArgumentException e) {
            throw new UsageException("--fault %s is none of %s".formatted(text, List.of(Fault.values())));
        }
    }

    private static String value(String option, Deque<String> left) throws UsageException {
        return Optional.ofNullable(left.pollFirst())
                .filter(value -> !value.startsWith("--"))
                .orElseThrow(() -> new UsageException("%s needs a value".formatted(option)));
    }

    private static long number(String option, String text, long least, long most) throws UsageException {
        try {
            long number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Said below, with the range.
        }
        throw new UsageException("%s %s is not a whole number from %d to %d".formatted(option, text, least, most));
    }
}
