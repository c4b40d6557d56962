package org.computehive.market;

/**
 * A listing and its host as they were at one moment.
 *
 * @param listing what is offered
 * @param host on what
 * @param change tells this moment from others: it is another as soon as either was kept anew
 */
public record Offering(Listing listing, Host host, long change) {}
