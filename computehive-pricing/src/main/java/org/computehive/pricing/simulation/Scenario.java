package org.computehive.pricing.simulation;

import java.util.List;

/**
 * What is assumed of a market. Immutable.
 *
 * @param name its name in tables
 * @param load the gpu-hours asked for, over the gpu-hours there are
 * @param middle what the middle renter would pay, over the peers' median
 * @param spread the standard deviation of the logarithm of what renters would pay
 * @param drift what the peers' median gains over the run, as a logarithm
 * @param shock what load is multiplied by in the second half
 */
public record Scenario(String name, double load, double middle, double spread, double drift, double shock) {
    /** Those that policies are ranked in: misspecified on purpose, since nobody knows what renters would pay. */
    public static List<Scenario> standard() {
        return List.of(
                new Scenario("usual", 1.4, 1.1, .35, 0, 1),
                new Scenario("slack", .7, 1.1, .35, 0, 1),
                new Scenario("scarce", 2.2, 1.1, .35, 0, 1),
                new Scenario("choosy renters", 1.4, 1.05, .2, 0, 1),
                new Scenario("all kinds of renters", 1.4, 1.1, .5, 0, 1),
                new Scenario("prices fall", 1.4, 1.1, .35, -.25, 1),
                new Scenario("demand doubles", .9, 1.1, .35, 0, 2),
                new Scenario("demand halves", 1.8, 1.1, .35, 0, .5));
    }
}
