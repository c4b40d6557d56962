/** The reference server. */
@NullMarked
package org.computehive.server;

import org.jspecify.annotations.NullMarked;
