/** Windows, availability and calendar messages; usable by itself. */
@NullMarked
package org.computehive.schedule;

import org.jspecify.annotations.NullMarked;
