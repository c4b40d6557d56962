/** Benchmarks that print their ratio to a peer, measured in the same run. */
@NullMarked
package org.computehive.server.bench;

import org.jspecify.annotations.NullMarked;
