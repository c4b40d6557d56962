package org.computehive.server.demo;

import org.computehive.market.Account;
import org.computehive.rental.Rental;

/** Step 7, what both parties get for their calendars and books. */
final class Papers {
    private final Scene scene;

    Papers(Scene scene) {
        this.scene = scene;
    }

    void run(Rental settled, Rental calledOff) throws Exception {
        scene.display.headline("7b What both parties hold in the end: calendar messages and the month's invoices");
        var calendars = new Calendars(scene.platform.layout().calendar());
        String expected = scene.options.untilEnd() ? "REQUEST 0" : "REQUEST 0, REQUEST 1";
        for (Account party : new Account[] {scene.renter.account(), scene.lender.account()}) {
            String who = party.equals(scene.renter.account()) ? "renter" : "lender";
            told(calendars, settled, party, who, expected);
            told(calendars, calledOff, party, who, "REQUEST 0, CANCEL 1");
        }
        new Books(scene).run();
    }

    private void told(Calendars calendars, Rental rental, Account party, String who, String expected) throws Exception {
        Calendars.Conversation thread = calendars.read(rental.id(), party);
        thread.messages()
                .forEach(message -> scene.display.detail("%-7s to the %s, sequence %d, by %s: %s to %s %s"
                        .formatted(
                                message.method(),
                                who,
                                message.sequence(),
                                message.organizer(),
                                message.start(),
                                message.end(),
                                message.status())));
        scene.checks.that(
                "iTIP to the %s of %s"
                        .formatted(who, expected.contains("CANCEL") ? "what was called off" : "the rental"),
                thread.isSound(rental) && thread.toString().equals(expected),
                thread.toString());
    }
}
