package org.computehive.vm;

import static java.util.stream.Collectors.joining;

import java.util.List;
import org.computehive.market.PciAddress;

/** Why a device can't be passed through to a VM. Immutable and thread-safe. */
public sealed interface Obstacle {
    /** Returns the reason and the remedy, in words. */
    String message();

    /** There is no such device. */
    record NotThere() implements Obstacle {
        @Override
        public String message() {
            return "it is not on this host: read the inventory again";
        }
    }

    /**
     * It is something else than a gpu.
     *
     * @param what its model, or its ids
     */
    record NotAGpu(String what) implements Obstacle {
        @Override
        public String message() {
            return "it is no gpu but %s: name a device of the inventory".formatted(what);
        }
    }

    /** It connects gpus with each other: whoever has it reaches all of them. */
    record NvSwitch() implements Obstacle {
        @Override
        public String message() {
            return "it is an NVSwitch, which stays with the host: whoever had it would reach the gpus of other tenants. "
                    + "Gpus are passed through without it; partition them with NVIDIA's fabric manager on the host";
        }
    }

    /** The host has no IOMMU, or it is off. */
    record NoIommu() implements Obstacle {
        @Override
        public String message() {
            return "the host has no IOMMU for it: switch on VT-d or AMD-Vi in the firmware and the kernel";
        }
    }

    /**
     * Its IOMMU group holds what can't go with it.
     *
     * @param group the group's number
     * @param others what else is in it, by address and name
     */
    record NotViable(int group, List<String> others) implements Obstacle {
        /** Copies the list. */
        public NotViable {
            others = List.copyOf(others);
        }

        @Override
        public String message() {
            return "its IOMMU group %d is not viable, other devices are in it too: %s. Use another slot or switch on ACS in the firmware"
                    .formatted(group, others.stream().collect(joining(", ")));
        }
    }

    /**
     * The host's own display.
     *
     * @param known whether the host says so; otherwise it is the first of its kind there, of a host whose files can't be
     *     read from here
     */
    record BootDisplay(boolean known) implements Obstacle {
        @Override
        public String message() {
            return known
                    ? "it is the display that the host booted with"
                    : "it is taken for the display that the host booted with, the first of its kind: run this on the host, which knows";
        }
    }

    /** This libvirt has not the rights that it needs. */
    record Unprivileged() implements Obstacle {
        @Override
        public String message() {
            return "a private, unprivileged libvirt can't pass devices through: use qemu:///system";
        }
    }

    /** No way to reset it between two sessions. */
    record NoReset() implements Obstacle {
        @Override
        public String message() {
            return "the host knows no way to reset it, so it can't be given to one tenant after another";
        }
    }

    /**
     * Programs of the host's use it.
     *
     * @param by which ones
     */
    record HostUses(List<String> by) implements Obstacle {
        /** Copies the list. */
        public HostUses {
            by = List.copyOf(by);
        }

        @Override
        public String message() {
            return "its driver is in use on the host by %s: end them".formatted(String.join(", ", by));
        }
    }

    /**
     * A running VM has it.
     *
     * @param vm the VM's name
     * @param function which of its functions
     */
    record InUse(String vm, PciAddress function) implements Obstacle {
        @Override
        public String message() {
            return "VM %s has it (%s): wait for that to end".formatted(vm, function);
        }
    }
}
