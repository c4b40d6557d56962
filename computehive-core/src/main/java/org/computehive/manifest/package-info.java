/**
 * What a session ran on, in one canonical form that can be hashed, compared and asked for again. Usable by itself. Start at
 * {@link org.computehive.manifest.Manifest}.
 */
@NullMarked
package org.computehive.manifest;

import org.jspecify.annotations.NullMarked;
