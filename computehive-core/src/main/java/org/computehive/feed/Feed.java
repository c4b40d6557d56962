package org.computehive.feed;

import java.time.Instant;

/**
 * A feed as it is now.
 *
 * @param text the iCalendar text (RFC 5545), of type {@code text/calendar; charset=utf-8}
 * @param etag a strong validator, with its quotes (RFC 9110 section 8.8.3): the same for the same text
 * @param modified when something in it changed last; what left it since does not count, so only the validator tells
 *     whether it is the same
 */
public record Feed(String text, String etag, Instant modified) {}
