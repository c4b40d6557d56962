/** Replays a market to rank pricing policies. What renters would pay is assumed, so it ranks; it forecasts no revenue. */
@NullMarked
package org.computehive.pricing.simulation;

import org.jspecify.annotations.NullMarked;
