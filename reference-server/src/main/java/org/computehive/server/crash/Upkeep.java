package org.computehive.server.crash;

import java.time.Instant;
import org.computehive.market.Account;
import org.computehive.server.crash.EngineProcess.Reply;

/** A lender that keeps a gpu free for a while, sees that nobody can rent it then, and lets it be rented again. */
final class Upkeep {
    private static final int SECONDS = 120;

    private final Hands hands;
    private final Evidence evidence;
    private final Account lender;
    private final Account renter;

    /** How far it is. */
    enum Stand {
        NOT_BEGUN,
        KEPT,
        REFUSED_TO_RENTERS,
        OVER
    }

    Upkeep(Hands hands, Evidence evidence, Account lender, Account renter) {
        this.hands = hands;
        this.evidence = evidence;
        this.lender = lender;
        this.renter = renter;
    }

    /** Takes it one step further; true once the gpu may be rented. */
    boolean isOver(Slot slot) {
        String name = "upkeep-%d-%d".formatted(slot.number, slot.finished);
        switch (slot.upkeep) {
            case NOT_BEGUN -> {
                if (!slot.upkeepFrom.isAfter(Instant.EPOCH)) {
                    slot.upkeepFrom = Instant.ofEpochSecond(Instant.now().getEpochSecond());
                }
                String command = "block %s %s %s %d %d"
                        .formatted(slot.listing, lender.address(), name, slot.upkeepFrom.getEpochSecond(), SECONDS);
                hands.ask(slot, command, reply -> {
                    if (reply instanceof Reply.Acknowledged) {
                        evidence.note("maintenance.set");
                        slot.upkeep = Stand.KEPT;
                    }
                });
            }
            case KEPT -> {
                String command = "book %s %s %d %d"
                        .formatted(slot.listing, renter.address(), slot.upkeepFrom.getEpochSecond() + SECONDS / 2, 20);
                hands.ask(slot, command, reply -> {
                    if (reply instanceof Reply.Acknowledged ok) {
                        evidence.violation("rental %s was acknowledged in the time of maintenance %s"
                                .formatted(ok.words().getFirst(), name));
                    } else if (reply instanceof Reply.Denied denied
                            && denied.why().startsWith("Overlap")) {
                        slot.upkeep = Stand.REFUSED_TO_RENTERS;
                    }
                });
            }
            case REFUSED_TO_RENTERS ->
                hands.ask(slot, "unblock %s %s".formatted(lender.address(), name), reply -> {
                    if (reply instanceof Reply.Acknowledged) {
                        evidence.note("maintenance.removed");
                        slot.upkeep = Stand.OVER;
                        slot.upkeepFrom = Instant.EPOCH;
                    }
                });
            case OVER -> {
                return true;
            }
        }
        return false;
    }
}
