/** Says how well a price model guesses prices that it has not seen, beside simpler ways to guess. */
@NullMarked
package org.computehive.pricing.evaluation;

import org.jspecify.annotations.NullMarked;
