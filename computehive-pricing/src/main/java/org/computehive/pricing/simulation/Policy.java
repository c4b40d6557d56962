package org.computehive.pricing.simulation;

/** A way to set a price: a plug-in of the simulator. Stateless; what it remembers of a run is in its {@link Pricer}. */
public interface Policy {
    /** Returns its name in tables. */
    String name();

    /** Begins a run. */
    Pricer start();

    /** Sets the price of one run, hour by hour. Not thread-safe. */
    @FunctionalInterface
    interface Pricer {
        /** Returns the price of a gpu-hour for the next hour, over 0. */
        double price(Market market);
    }

    /**
     * What a lender sees at the start of an hour. It never holds what renters would pay.
     *
     * @param hour hours from the start
     * @param peersMedian what the middle one of the peers asks now
     * @param utilisation the share of the gpus that are rented, over the last hour, 0 to 1
     * @param searches how many looked for gpus in the last hour
     * @param foundNothing how many of them found too few gpus free
     * @param price the price of the last hour; the peers' median at first
     */
    record Market(int hour, double peersMedian, double utilisation, int searches, int foundNothing, double price) {}
}
