/** The rental aggregate, the engine that carries it out, and the ports it needs. Start at {@link org.computehive.rental.RentalEngine}. */
@NullMarked
package org.computehive.rental;

import org.jspecify.annotations.NullMarked;
