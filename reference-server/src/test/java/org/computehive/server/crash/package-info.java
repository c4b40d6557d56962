/** Tests of the crash test. */
@NullMarked
package org.computehive.server.crash;

import org.jspecify.annotations.NullMarked;
