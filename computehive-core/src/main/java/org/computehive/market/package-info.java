/** What is on offer: hosts, gpus, listings, money, and search. */
@NullMarked
package org.computehive.market;

import org.jspecify.annotations.NullMarked;
