/** Shared by core's packages, and no API: it may change or go without notice. */
@NullMarked
package org.computehive.internal;

import org.jspecify.annotations.NullMarked;
