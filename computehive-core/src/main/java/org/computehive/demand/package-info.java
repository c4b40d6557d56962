/**
 * What is seen of demand: signals of a day, a multiplier that follows them slowly, and when a lender's own gpus are booked.
 * Start at {@link org.computehive.demand.DemandState}.
 */
@NullMarked
package org.computehive.demand;

import org.jspecify.annotations.NullMarked;
