/** The reference server's configuration, and the platform that it makes of it. */
@NullMarked
package org.computehive.server.config;

import org.jspecify.annotations.NullMarked;
