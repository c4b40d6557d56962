/** The certificate authority, the jump-host gateway and revocation; usable by itself. */
@NullMarked
package org.computehive.access;

import org.jspecify.annotations.NullMarked;
