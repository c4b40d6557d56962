/** Calendars that a party subscribes to by a signed, revocable URL. */
@NullMarked
package org.computehive.feed;

import org.jspecify.annotations.NullMarked;
