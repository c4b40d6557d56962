/** Ports of the engine in memory, for tests and for trying things out. */
@NullMarked
package org.computehive.rental.memory;

import org.jspecify.annotations.NullMarked;
