/** Finds listings among very many: an index in memory proposes, the store decides. */
@NullMarked
package org.computehive.market.search;

import org.jspecify.annotations.NullMarked;
