/** Puts rentals into calendars on CalDAV servers (RFC 4791). */
@NullMarked
package org.computehive.caldav;

import org.jspecify.annotations.NullMarked;
