/** Where a session can run: places that are equal to the one that was agreed. Pure; knows market and windows alone. */
@NullMarked
package org.computehive.placement;

import org.jspecify.annotations.NullMarked;
