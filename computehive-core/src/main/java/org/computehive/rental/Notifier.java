package org.computehive.rental;

import org.computehive.market.Account;
import org.computehive.schedule.CalendarMessage;

/**
 * Delivers calendar messages to the parties, at least once.
 *
 * <p>The same notice may come again: after a crash, or from another replica. Its uid and sequence say so, and an
 * implementation leaves the recipient with one entry for a uid, that of the highest sequence. Of two with the same sequence
 * the later {@link CalendarMessage#stamp stamp} holds (RFC 5546 section 2.1.5).
 *
 * <p>Implementations are thread-safe. A delivery returns or throws within some seconds, since a rental's other steps wait
 * for it.
 */
@FunctionalInterface
public interface Notifier {

    /**
     * Delivers a notice, or throws so that it is tried again. One recipient's failure keeps no other from its notice, and
     * nobody who got it from this process gets it again because of it.
     *
     * @param notice what to deliver
     * @throws NotifierException if it could not, with words for the operator
     */
    void deliver(Notice notice);

    /**
     * A calendar message for one party.
     *
     * @param rental the rental it is about
     * @param recipient whom it is for
     * @param message what it says
     */
    record Notice(RentalId rental, Account recipient, CalendarMessage message) {
        /** Returns what it asks. */
        public CalendarMessage.Method method() {
            return message.method();
        }

        /** Returns its sequence, which rises with each message about the rental. */
        public int sequence() {
            return message.sequence();
        }

        /** Returns the iCalendar text (RFC 5545, RFC 5546). */
        public String calendar() {
            return message.text();
        }
    }
}
