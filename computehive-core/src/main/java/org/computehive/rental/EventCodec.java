package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.manifest.Setup;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Cancellation;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.Stakes;

/**
 * Turns events into JSON and back. Every type has a name with a version, which is stored beside the JSON and says how to
 * read it for good: a type whose form changes gets a new name, and the old one stays readable.
 */
public final class EventCodec {
    private static final Map<Class<? extends RentalEvent>, String> NAMES = Map.ofEntries(
            Map.entry(RentalEvent.Reserved.class, "reserved.v5"),
            Map.entry(RentalEvent.OfferWritten.class, "offer-written.v2"),
            Map.entry(RentalEvent.OfferSigned.class, "offer-signed.v1"),
            Map.entry(RentalEvent.HoldExpired.class, "hold-expired.v1"),
            Map.entry(RentalEvent.Funded.class, "funded.v1"),
            Map.entry(RentalEvent.Cancelled.class, "cancelled.v1"),
            Map.entry(RentalEvent.Starting.class, "starting.v1"),
            Map.entry(RentalEvent.GpusTaken.class, "gpus-taken.v1"),
            Map.entry(RentalEvent.Activated.class, "activated.v1"),
            Map.entry(RentalEvent.StartFailed.class, "start-failed.v1"),
            Map.entry(RentalEvent.PlacementFailed.class, "placement-failed.v1"),
            Map.entry(RentalEvent.Interrupted.class, "interrupted.v1"),
            Map.entry(RentalEvent.Placed.class, "placed.v1"),
            Map.entry(RentalEvent.Swept.class, "swept.v1"),
            Map.entry(RentalEvent.TeardownLeft.class, "teardown-left.v1"),
            Map.entry(RentalEvent.ReclaimAnnounced.class, "reclaim-announced.v1"),
            Map.entry(RentalEvent.Stuck.class, "stuck.v1"),
            Map.entry(RentalEvent.Resumed.class, "resumed.v1"),
            Map.entry(RentalEvent.CertificateIssued.class, "certificate-issued.v1"),
            Map.entry(RentalEvent.CertificatesRevoked.class, "certificates-revoked.v1"),
            Map.entry(RentalEvent.Ending.class, "ending.v1"),
            Map.entry(RentalEvent.AccessCut.class, "access-cut.v1"),
            Map.entry(RentalEvent.MachineDestroyed.class, "machine-destroyed.v1"),
            Map.entry(RentalEvent.DiskErased.class, "disk-erased.v1"),
            Map.entry(RentalEvent.TurnedOver.class, "turned-over.v1"),
            Map.entry(RentalEvent.ReceiptSigned.class, "receipt-signed.v1"),
            Map.entry(RentalEvent.ReceiptCountersigned.class, "receipt-countersigned.v1"),
            Map.entry(RentalEvent.ReleaseSigned.class, "release-signed.v1"),
            Map.entry(RentalEvent.Settled.class, "settled.v2"),
            Map.entry(RentalEvent.Entered.class, "entered.v1"),
            Map.entry(RentalEvent.EndMoved.class, "end-moved.v1"),
            Map.entry(RentalEvent.EndedByOperator.class, "ended-by-operator.v1"),
            Map.entry(RentalEvent.OfLeg.Held.class, "extension-held.v1"),
            Map.entry(RentalEvent.OfLeg.OfferWritten.class, "extension-offer-written.v2"),
            Map.entry(RentalEvent.OfLeg.OfferSigned.class, "extension-offer-signed.v1"),
            Map.entry(RentalEvent.OfLeg.Funded.class, "extension-funded.v1"),
            Map.entry(RentalEvent.OfLeg.Lapsed.class, "extension-lapsed.v1"),
            Map.entry(RentalEvent.OfLeg.ReceiptSigned.class, "extension-receipt-signed.v1"),
            Map.entry(RentalEvent.OfLeg.ReceiptCountersigned.class, "extension-receipt-countersigned.v1"),
            Map.entry(RentalEvent.OfLeg.ReleaseSigned.class, "extension-release-signed.v1"),
            Map.entry(RentalEvent.OfLeg.Disputed.class, "disputed.v1"),
            Map.entry(RentalEvent.OfLeg.Settled.class, "extension-settled.v2"));

    private static final String NETWORK = "terms/shape/network";
    private static final String ASSURANCE = "terms/assurance";

    /** Events whose stored form is a record of its own. An event is written in the form in which it was read. */
    private static final List<Form<?>> FORMS = List.of(
            Form.lacking(
                    "reserved.v1",
                    RentalEvent.Reserved.class,
                    event -> isV1(event.terms()),
                    Map.of(
                            "terms/cancellation",
                            Cancellation.FREE,
                            "terms/setup",
                            Setup.UNSTATED,
                            "terms/stakes",
                            Stakes.NONE,
                            NETWORK,
                            NetworkPolicy.NONE,
                            ASSURANCE,
                            Assurance.ISOLATED)),
            Form.lacking(
                    "reserved.v2",
                    RentalEvent.Reserved.class,
                    event -> !isV1(event.terms()) && isV2(event.terms()),
                    Map.of("terms/stakes", Stakes.NONE, NETWORK, NetworkPolicy.NONE, ASSURANCE, Assurance.ISOLATED)),
            Form.lacking(
                    "reserved.v3",
                    RentalEvent.Reserved.class,
                    event -> !isV2(event.terms()) && isV3(event.terms()),
                    Map.of(NETWORK, NetworkPolicy.NONE, ASSURANCE, Assurance.ISOLATED)),
            Form.lacking(
                    "reserved.v4",
                    RentalEvent.Reserved.class,
                    event -> !isV3(event.terms()) && isV4(event.terms()),
                    Map.of(ASSURANCE, Assurance.ISOLATED)),
            Form.lacking(
                    "settled.v1",
                    RentalEvent.Settled.class,
                    event -> event.slashed().equals(Amount.ZERO)
                            && event.forfeited().equals(Amount.ZERO),
                    Map.of("slashed", Amount.ZERO, "forfeited", Amount.ZERO)),
            Form.lacking(
                    "extension-settled.v1",
                    RentalEvent.OfLeg.Settled.class,
                    event -> event.slashed().equals(Amount.ZERO)
                            && event.forfeited().equals(Amount.ZERO),
                    Map.of("slashed", Amount.ZERO, "forfeited", Amount.ZERO)),
            Form.of(
                    "offer-written.v1",
                    RentalEvent.OfferWritten.class,
                    event -> OfferV1.holds(event.offer()),
                    OfferWrittenV1.class,
                    event -> new OfferWrittenV1(event.at(), OfferV1.of(event.offer())),
                    stored -> new RentalEvent.OfferWritten(
                            stored.at(), stored.offer().offer())),
            Form.of(
                    "extension-offer-written.v1",
                    RentalEvent.OfLeg.OfferWritten.class,
                    event -> OfferV1.holds(event.offer()),
                    LegOfferWrittenV1.class,
                    event -> new LegOfferWrittenV1(event.at(), event.leg(), OfferV1.of(event.offer())),
                    stored -> new RentalEvent.OfLeg.OfferWritten(
                            stored.at(), stored.leg(), stored.offer().offer())),
            Form.of(
                    "machine-started.v1",
                    RentalEvent.MachineStarted.class,
                    event -> event.setup().equals(Setup.UNSTATED),
                    MachineStartedV1.class,
                    event -> new MachineStartedV1(event.at(), event.facts()),
                    stored -> new RentalEvent.MachineStarted(stored.at(), stored.facts())),
            Form.of(
                    "machine-started.v2",
                    RentalEvent.MachineStarted.class,
                    event -> !event.setup().equals(Setup.UNSTATED),
                    MachineStartedV2.class,
                    event -> new MachineStartedV2(event.at(), event.facts(), event.setup()),
                    stored -> new RentalEvent.MachineStarted(stored.at(), stored.facts(), stored.setup())),
            Form.of(
                    "invited.v1",
                    RentalEvent.Invited.class,
                    event -> event.told().isEmpty(),
                    InvitedV1.class,
                    event -> new InvitedV1(event.at(), event.method(), event.sequence()),
                    stored -> new RentalEvent.Invited(stored.at(), stored.method(), stored.sequence())),
            Form.of(
                    "invited.v2",
                    RentalEvent.Invited.class,
                    event -> event.told().isPresent(),
                    InvitedV2.class,
                    event -> new InvitedV2(
                            event.at(),
                            event.method(),
                            event.sequence(),
                            event.told().orElseThrow()),
                    stored -> new RentalEvent.Invited(
                            stored.at(), stored.method(), stored.sequence(), Optional.of(stored.told()))));

    private static final Map<String, Class<? extends RentalEvent>> TYPES =
            NAMES.entrySet().stream().collect(Collectors.toUnmodifiableMap(Map.Entry::getValue, Map.Entry::getKey));

    private EventCodec() {}

    /** Returns the name under which an event is stored. */
    public static String name(RentalEvent event) {
        Optional<Form<?>> form = formOf(event);
        if (form.isPresent()) {
            return form.get().name();
        }
        String name = NAMES.get(event.getClass());
        if (name == null) {
            throw new IllegalStateException("event %s has no stored name: give it one in EventCodec"
                    .formatted(event.getClass().getSimpleName()));
        }
        return name;
    }

    private static boolean isV1(RentalTerms terms) {
        return terms.cancellation().equals(Cancellation.FREE) && terms.setup().equals(Setup.UNSTATED) && isV2(terms);
    }

    private static boolean isV2(RentalTerms terms) {
        return terms.stakes().equals(Stakes.NONE) && isV3(terms);
    }

    private static boolean isV3(RentalTerms terms) {
        return terms.shape().network().equals(NetworkPolicy.NONE) && isV4(terms);
    }

    private static boolean isV4(RentalTerms terms) {
        return terms.assurance() == Assurance.ISOLATED;
    }

    /** Returns every stored name. */
    public static Stream<String> names() {
        return Stream.concat(TYPES.keySet().stream(), FORMS.stream().map(Form::name))
                .sorted();
    }

    /** Returns an event's JSON. */
    public static String write(RentalEvent event) {
        return formOf(event).map(form -> form.json(event)).orElseGet(() -> RentalJson.write(event));
    }

    private static Optional<Form<?>> formOf(RentalEvent event) {
        return FORMS.stream().filter(form -> form.fits(event)).findFirst();
    }

    /**
     * Returns the event that a stored name and JSON mean.
     *
     * @throws IllegalStateException if the name is not known or the JSON is not exactly what it calls for
     */
    public static RentalEvent read(String name, String json) {
        for (Form<?> form : FORMS) {
            if (form.name().equals(name)) {
                return form.event(json);
            }
        }
        Class<? extends RentalEvent> type = TYPES.get(name);
        if (type == null) {
            throw new IllegalStateException(
                    "stored event type %s is not known: the database was written by a newer version, use that"
                            .formatted(name));
        }
        return RentalJson.read(type, json);
    }

    /**
     * A stored form that differs from its event.
     *
     * @param name the name under which it is stored
     * @param event the type of the event
     * @param fit which events are stored in this form
     * @param write turns an event into its JSON
     * @param read turns it back
     */
    private record Form<E extends RentalEvent>(
            String name, Class<E> event, Predicate<E> fit, Function<E, String> write, Function<String, E> read) {

        /** A form that is a record of its own. */
        static <E extends RentalEvent, S> Form<E> of(
                String name,
                Class<E> event,
                Predicate<E> fit,
                Class<S> stored,
                Function<E, S> write,
                Function<S, E> read) {
            return new Form<>(
                    name,
                    event,
                    fit,
                    write.andThen(RentalJson::write),
                    json -> read.apply(RentalJson.read(stored, json)));
        }

        /** A form that lacks members which came later. */
        static <E extends RentalEvent> Form<E> lacking(
                String name, Class<E> event, Predicate<E> fit, Map<String, ?> added) {
            return new Form<>(
                    name,
                    event,
                    fit,
                    written -> RentalJson.writeOlder(written, added),
                    json -> RentalJson.readOlder(event, json, added));
        }

        boolean fits(RentalEvent candidate) {
            return event.isInstance(candidate) && fit.test(event.cast(candidate));
        }

        String json(RentalEvent fitting) {
            return write.apply(event.cast(fitting));
        }

        RentalEvent event(String json) {
            return read.apply(json);
        }
    }

    private record OfferWrittenV1(Instant at, OfferV1 offer) {}

    private record LegOfferWrittenV1(Instant at, int leg, OfferV1 offer) {}

    private record MachineStartedV1(Instant at, Map<String, String> facts) {}

    private record MachineStartedV2(Instant at, Map<String, String> facts, Setup setup) {}

    private record InvitedV1(Instant at, String method, int sequence) {}

    private record InvitedV2(Instant at, String method, int sequence, RentalEvent.Told told) {}
}
