/** The engine in somebody else's program: the shortest one, and the same on real parts. */
@NullMarked
package org.computehive.examples;

import org.jspecify.annotations.NullMarked;
