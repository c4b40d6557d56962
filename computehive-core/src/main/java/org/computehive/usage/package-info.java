/**
 * What finished rentals leave behind for the books: usage records and invoices whose sums are the chain's, to the unit.
 * Start at {@link org.computehive.usage.Invoice}.
 */
@NullMarked
package org.computehive.usage;

import org.jspecify.annotations.NullMarked;
