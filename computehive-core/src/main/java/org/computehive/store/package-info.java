/** In-memory and JDBC stores behind the store ports. */
@NullMarked
package org.computehive.store;

import org.jspecify.annotations.NullMarked;
