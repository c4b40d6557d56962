package org.computehive.server.crash;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.chain.EvmParty;
import org.computehive.market.Account;
import org.computehive.rental.EscrowOffer;
import org.computehive.rental.Leg;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent.EndCause;
import org.computehive.rental.RentalId;
import org.computehive.server.crash.EngineProcess.Reply;
import org.libvirt.LibvirtException;

/** What lender and renter do about a rental as it stands, by its course; safe to repeat until it shows. */
final class Conduct {
    private static final int EXTENSION_SECONDS = 6;
    private static final Duration LAST_MOMENT = Duration.ofSeconds(3);
    /** How long after the hold's end the chain stays cut off. */
    private static final Duration IN_THE_DARK = Duration.ofSeconds(2);

    private final Stage stage;
    private final Evidence evidence;
    private final Hands hands;
    private final Entrance entrance;
    private final Account renter;
    private final boolean outages;

    /**
     * Creates one.
     *
     * @param outages whether the chain may be cut off
     */
    Conduct(Stage stage, Evidence evidence, Hands hands, Entrance entrance, boolean outages) {
        this.stage = stage;
        this.evidence = evidence;
        this.hands = hands;
        this.entrance = entrance;
        this.renter = stage.renter.account();
        this.outages = outages;
    }

    void act(Slot slot, Rental rental) {
        switch (rental.state()) {
            case RESERVED -> reserved(slot, rental);
            case FUNDED -> funded(slot, rental);
            case ACTIVE -> active(slot, rental);
            case ENDED -> {
                if (!knocks(slot)) {
                    ended(slot, rental);
                }
            }
            case CANCELLED -> cancelled(slot, rental);
            default -> {}
        }
    }

    private void reserved(Slot slot, Rental rental) {
        if (rental.offer().isEmpty() || slot.course == Course.NEVER_SIGNED) {
            return;
        }
        EscrowOffer offer = rental.offer().get();
        if (slot.course == Course.CANCEL_EARLY) {
            cancel(slot, rental);
        } else if (rental.offerSignature().isEmpty()) {
            sign(slot, rental, offer, "offer-signed");
        } else if (slot.course == Course.LAST_MOMENT) {
            atTheLastMoment(slot, rental, offer);
        } else if (slot.course != Course.NEVER_FUNDED && !slot.acted) {
            hands.byHand(
                    slot, () -> stage.renter.open(offer, rental.offerSignature().orElseThrow()));
        }
    }

    private void sign(Slot slot, Rental rental, EscrowOffer offer, String event) {
        hands.ask(
                slot,
                "sign %s %s"
                        .formatted(
                                rental.id(), stage.lender.sign(offer.digest()).hex()),
                event);
    }

    private void cancel(Slot slot, Rental rental) {
        hands.ask(slot, "cancel %s %s".formatted(rental.id(), renter.address()), "cancelled");
    }

    private void atTheLastMoment(Slot slot, Rental rental, EscrowOffer offer) {
        Instant holdUntil = rental.terms().holdUntil();
        if (slot.acted || Instant.now().isBefore(holdUntil.minus(LAST_MOMENT))) {
            return;
        }
        hands.byHand(slot, () -> {
            boolean dark = outages && stage.calm.mayBreak();
            if (dark) {
                stage.relay.cut();
            }
            try {
                var opened = stage.renter.open(offer, rental.offerSignature().orElseThrow());
                if (dark) {
                    Thread.sleep(Duration.between(Instant.now(), holdUntil.plus(IN_THE_DARK)));
                    // None starts in the dark, so one that can be asked now has lived through it.
                    if (!hands.engines().isEmpty()) {
                        evidence.fundedInTheDark();
                    }
                }
                return opened;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return slot;
            } finally {
                if (dark) {
                    stage.relay.mend();
                    stage.calm.over();
                }
            }
        });
    }

    private void funded(Slot slot, Rental rental) {
        // What it did on the chain to get here is done.
        slot.acted = false;
        switch (slot.course) {
            case CANCEL_FUNDED -> cancel(slot, rental);
            case RELEASE -> release(slot, rental);
            default -> {
                if (slot.pass.isEmpty()) {
                    certify(slot, rental);
                }
            }
        }
    }

    private void certify(Slot slot, Rental rental) {
        String command = "certificate %s %s %s".formatted(rental.id(), renter.address(), entrance.publicKey());
        hands.ask(slot, command, reply -> {
            if (reply instanceof Reply.Acknowledged ok) {
                List<String> words = ok.words();
                evidence.acknowledge(words.getFirst(), "certificate-issued", "\"" + words.get(1) + "\"");
                slot.pass = Optional.of(new Entrance.Pass(
                        rental.id().principal(),
                        rental.id().vmName(),
                        words.get(3).replace('~', ' '),
                        Instant.ofEpochSecond(Long.parseLong(words.get(2)))));
            }
        });
    }

    private void active(Slot slot, Rental rental) {
        if (enters(slot, rental)) {
            return;
        }
        switch (slot.course) {
            case EARLY_END -> hands.ask(slot, "end %s %s".formatted(rental.id(), renter.address()), "ending");
            case CLOSED_ON_CHAIN -> {
                if (!slot.acted) {
                    hands.byHand(slot, () -> stage.renter.end(rental.offer().orElseThrow()));
                }
            }
            case LOST_MACHINE, REPLACED -> {
                if (!slot.acted) {
                    hands.byHand(slot, () -> lose(rental.id()));
                }
            }
            case EXTENDED -> extend(slot, rental);
            case RECLAIMED -> reclaim(slot, rental);
            default -> {}
        }
    }

    /** The renter comes in once: what is refused after the end would else prove nothing. */
    private boolean enters(Slot slot, Rental rental) {
        if (slot.entered || slot.pass.isEmpty()) {
            return false;
        }
        Entrance.Pass pass = slot.pass.get();
        hands.aside(
                slot,
                () -> {
                    for (EngineProcess engine : hands.engines()) {
                        Entrance.Answer answer = entrance.knock(pass, engine.port());
                        // A replica that has not looked at the session yet refuses.
                        slot.entered |= answer != Entrance.Answer.NONE;
                        if (answer == Entrance.Answer.LET_IN) {
                            evidence.note("access.accepted");
                            evidence.acknowledge(rental.id().value(), "entered", "");
                            return true;
                        }
                    }
                    return false;
                },
                () -> {});
        return true;
    }

    /** Once it is over, no gateway lets the renter in, though its certificate is valid for a while. */
    private boolean knocks(Slot slot) {
        if (slot.knocked
                || slot.pass.isEmpty()
                || !Instant.now().isBefore(slot.pass.get().notAfter())) {
            return false;
        }
        Entrance.Pass pass = slot.pass.get();
        hands.aside(
                slot,
                () -> {
                    for (EngineProcess engine : hands.engines()) {
                        Entrance.Answer answer = entrance.knock(pass, engine.port());
                        if (answer == Entrance.Answer.LET_IN) {
                            evidence.violation("%s was let in after its rental was over".formatted(pass.principal()));
                        }
                        slot.knocked |= answer == Entrance.Answer.REFUSED;
                    }
                    if (slot.knocked) {
                        evidence.keptOut();
                    }
                    return true;
                },
                () -> {});
        return true;
    }

    private boolean lose(RentalId id) {
        evidence.destroyed(id.value());
        try {
            stage.libvirt.destroy(id.vmName());
            return true;
        } catch (LibvirtException e) {
            throw new IllegalStateException("the domain of " + id + " could not be destroyed", e);
        }
    }

    private void extend(Slot slot, Rental rental) {
        if (rental.legs().size() == 1) {
            Instant end = rental.window().end().plusSeconds(EXTENSION_SECONDS);
            hands.ask(
                    slot,
                    "extend %s %s %d".formatted(rental.id(), renter.address(), end.getEpochSecond()),
                    "extension-held");
            return;
        }
        rental.pendingExtension().filter(leg -> leg.offer().isPresent()).ifPresent(leg -> {
            EscrowOffer offer = leg.offer().orElseThrow();
            if (leg.offerSignature().isEmpty()) {
                sign(slot, rental, offer, "extension-offer-signed");
            } else if (!slot.acted) {
                hands.byHand(
                        slot,
                        () -> stage.renter.open(offer, leg.offerSignature().orElseThrow()));
            }
        });
    }

    private void reclaim(Slot slot, Rental rental) {
        if (rental.reclaimedAt().isEmpty()) {
            long at = Instant.now()
                    .plus(EngineMain.RULES.reclaimNotice())
                    .plusSeconds(2)
                    .getEpochSecond();
            hands.ask(
                    slot,
                    "reclaim %s %s %d"
                            .formatted(rental.id(), stage.lender.account().address(), at),
                    "reclaim-announced");
        }
    }

    private void ended(Slot slot, Rental rental) {
        boolean reclaimed = rental.endCause().filter(EndCause.RECLAIMED::equals).isPresent();
        if (rental.fault().isPresent() && !reclaimed) {
            release(slot, rental);
        } else if (rental.endCause().filter(EndCause.ESCROW_CLOSED::equals).isEmpty()
                && !(slot.course == Course.TIME_LOCK && ranToItsEnd(rental))) {
            receipts(slot, rental);
        }
    }

    private static boolean ranToItsEnd(Rental rental) {
        return rental.activeSince().isPresent()
                && rental.endCause().filter(EndCause.WINDOW_OVER::equals).isPresent();
    }

    private void receipts(Slot slot, Rental rental) {
        List<Leg> locked = rental.legs().stream().filter(Leg::isLocked).toList();
        boolean renterSigned = locked.stream().allMatch(Leg::hasReceipt);
        if (locked.isEmpty()
                || (renterSigned
                        && locked.stream()
                                .allMatch(leg -> leg.signedSettlement().isPresent()))) {
            return;
        }
        EvmParty party = renterSigned ? stage.lender : stage.renter;
        String signatures = locked.stream()
                .map(leg -> stage.escrow.receiptDigest(leg.offer().orElseThrow(), rental.charged(leg)))
                .map(digest -> party.sign(digest).hex())
                .collect(Collectors.joining(" "));
        List<String> events = locked.stream()
                .map(leg -> (leg.number() == 0 ? "" : "extension-")
                        + (renterSigned ? "receipt-countersigned" : "receipt-signed"))
                .toList();
        hands.ask(
                slot, "receipt %s %s %s".formatted(rental.id(), party.account().address(), signatures), reply -> {
                    if (reply instanceof Reply.Acknowledged ok) {
                        events.forEach(event -> evidence.acknowledge(ok.words().getFirst(), event, ""));
                    }
                });
    }

    private void release(Slot slot, Rental rental) {
        List<EscrowOffer> open = rental.legs().stream()
                .filter(leg -> !leg.isClosed() && (leg.number() == 0 || leg.isFunded()))
                .flatMap(leg -> leg.signedSettlement().isPresent() ? Stream.empty() : leg.offer().stream())
                .toList();
        if (!open.isEmpty()) {
            String signatures = open.stream()
                    .map(offer ->
                            stage.lender.sign(stage.escrow.releaseDigest(offer)).hex())
                    .collect(Collectors.joining(" "));
            hands.ask(slot, "release %s %s".formatted(rental.id(), signatures), "release-signed");
        }
    }

    private void cancelled(Slot slot, Rental rental) {
        if (rental.signedSettlement().isEmpty() && !slot.acted) {
            hands.byHand(slot, () -> stage.renter.end(rental.offer().orElseThrow()));
        }
    }
}
