package org.computehive.vm;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import org.computehive.market.PciAddress;

/** Looks at a gpu that no VM has. Thread-safe. */
interface HealthCheck {
    /** Returns what is wrong with it, in words; empty if nothing was found. */
    List<String> problems(HostGpu gpu);

    /** Remembers how a gpu is before a session, to see what the session changed. */
    default void before(HostGpu gpu) {}

    /** What its link to the host tells: lanes lost, and errors counted during the session. */
    final class Link implements HealthCheck {
        private record State(OptionalInt width, OptionalInt errors) {}

        private final Sysfs sysfs;
        private final Map<PciAddress, State> before = new ConcurrentHashMap<>();

        Link(Sysfs sysfs) {
            this.sysfs = sysfs;
        }

        private State now(PciAddress at) {
            return new State(sysfs.linkWidth(at), sysfs.fatalErrors(at));
        }

        @Override
        public void before(HostGpu gpu) {
            before.put(gpu.gpu().address(), now(gpu.gpu().address()));
        }

        @Override
        public List<String> problems(HostGpu gpu) {
            State now = now(gpu.gpu().address());
            State was = before.getOrDefault(gpu.gpu().address(), now);
            var problems = new ArrayList<String>();
            if (now.width().orElse(0) < was.width().orElse(0)) {
                problems.add("its link has %d lanes and had %d: reseat the card"
                        .formatted(now.width().orElse(0), was.width().orElse(0)));
            }
            int errors = now.errors().orElse(0) - was.errors().orElse(0);
            if (errors > 0) {
                problems.add("its link had %d uncorrected errors during the session (AER)".formatted(errors));
            }
            return problems;
        }
    }
}
