/** Wires the engine to its real parts, for the server, the demo and the benchmarks alike. */
@NullMarked
package org.computehive.server.platform;

import org.jspecify.annotations.NullMarked;
