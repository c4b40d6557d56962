/**
 * Which window to propose for a request, and which requests get which when there are many: pure functions that explain
 * what they choose. People confirm; nothing here books.
 */
@NullMarked
package org.computehive.market.matching;

import org.jspecify.annotations.NullMarked;
