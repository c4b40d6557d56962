/** The demo: one rental, end to end, on real parts, with every promise checked on the way. */
@NullMarked
package org.computehive.server.demo;

import org.jspecify.annotations.NullMarked;
