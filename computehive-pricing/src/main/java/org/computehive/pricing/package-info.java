/**
 * Price suggestions from hardware and demand, explained.
 *
 * <p>Start at {@link org.computehive.pricing.TribuoPriceAdvisor}. Suggestions are values; nothing here applies one.
 */
@NullMarked
package org.computehive.pricing;

import org.jspecify.annotations.NullMarked;
