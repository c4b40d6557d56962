/** The parts of an engine that was not told otherwise. Reached through {@link org.computehive.rental.RentalEngine#builder}. */
@NullMarked
package org.computehive.embedded;

import org.jspecify.annotations.NullMarked;
