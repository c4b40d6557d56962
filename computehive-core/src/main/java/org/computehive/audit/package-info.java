/** The transparency log and its verifier; usable by itself. */
@NullMarked
package org.computehive.audit;

import org.jspecify.annotations.NullMarked;
