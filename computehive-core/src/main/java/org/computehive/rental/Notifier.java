package org.computehive.rental;

import org.computehive.market.Account;

/**
 * Delivers calendar messages to the parties, at least once. The same notice may come again after a crash: its {@code uid}
 * and {@code sequence} say so.
 */
@FunctionalInterface
public interface Notifier {

    /**
     * Delivers a notice, or throws so that it is tried again.
     *
     * @param notice what to deliver
     */
    void deliver(Notice notice);

    /**
     * A calendar message (iTIP, RFC 5546) for one party.
     *
     * @param rental the rental it is about
     * @param recipient whom it is for
     * @param method the iTIP method, {@code REQUEST} or {@code CANCEL}
     * @param sequence rises with each message about the rental
     * @param calendar the iCalendar text (RFC 5545)
     */
    record Notice(RentalId rental, Account recipient, String method, int sequence, String calendar) {}
}
