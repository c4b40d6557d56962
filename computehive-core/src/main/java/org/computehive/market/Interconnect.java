package org.computehive.market;

/** How the gpus of a listing reach each other, as their lender declares it. */
public enum Interconnect {
    /** Nothing is declared, or there is one gpu alone. */
    NONE(0),
    /** Over the host's PCI Express. */
    PCIE(1),
    /** NVLink between pairs or groups of gpus. */
    NVLINK(2),
    /** AMD's Infinity Fabric links between gpus. */
    INFINITY_FABRIC(2),
    /** NVLink through switches: every gpu reaches every other at full speed. */
    NVSWITCH(3);

    private final int rank;

    Interconnect(int rank) {
        this.rank = rank;
    }

    /** Returns whether this is at least as good as another; NVLink and Infinity Fabric are as good as each other. */
    public boolean reaches(Interconnect least) {
        return rank >= least.rank;
    }
}
