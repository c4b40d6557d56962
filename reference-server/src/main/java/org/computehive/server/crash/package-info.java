/**
 * The crash test: an engine in a process of its own, on a real database, a real chain node and libvirt's test driver, is
 * killed again and again, and everything it promised is checked from outside.
 */
@NullMarked
package org.computehive.server.crash;

import org.jspecify.annotations.NullMarked;
