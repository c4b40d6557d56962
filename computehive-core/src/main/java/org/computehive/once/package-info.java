/** Requests that happen once however often they come: a caller's key, and the answer that was given under it. */
@NullMarked
package org.computehive.once;

import org.jspecify.annotations.NullMarked;
