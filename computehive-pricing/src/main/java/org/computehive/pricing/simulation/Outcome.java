package org.computehive.pricing.simulation;

/**
 * What a policy came to in one run. Immutable.
 *
 * @param earned prices times gpu-hours, in units of the peers' first median
 * @param surplus what renters would have paid on top, in the same unit
 * @param utilisation the share of gpu-hours that were rented
 * @param volatility the standard deviation of the daily change of the price's logarithm
 */
public record Outcome(double earned, double surplus, double utilisation, double volatility) {}
