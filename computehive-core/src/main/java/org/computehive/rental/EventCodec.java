package org.computehive.rental;

import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Turns events into JSON and back. Every type has a name with a version, which is stored beside the JSON and says how to
 * read it for good: a type whose form changes gets a new name, and the old one stays readable.
 */
public final class EventCodec {
    private static final Map<Class<? extends RentalEvent>, String> NAMES = Map.ofEntries(
            Map.entry(RentalEvent.Reserved.class, "reserved.v1"),
            Map.entry(RentalEvent.OfferWritten.class, "offer-written.v1"),
            Map.entry(RentalEvent.OfferSigned.class, "offer-signed.v1"),
            Map.entry(RentalEvent.HoldExpired.class, "hold-expired.v1"),
            Map.entry(RentalEvent.Funded.class, "funded.v1"),
            Map.entry(RentalEvent.Invited.class, "invited.v1"),
            Map.entry(RentalEvent.Cancelled.class, "cancelled.v1"),
            Map.entry(RentalEvent.Starting.class, "starting.v1"),
            Map.entry(RentalEvent.MachineStarted.class, "machine-started.v1"),
            Map.entry(RentalEvent.Activated.class, "activated.v1"),
            Map.entry(RentalEvent.StartFailed.class, "start-failed.v1"),
            Map.entry(RentalEvent.CertificateIssued.class, "certificate-issued.v1"),
            Map.entry(RentalEvent.Ending.class, "ending.v1"),
            Map.entry(RentalEvent.AccessCut.class, "access-cut.v1"),
            Map.entry(RentalEvent.MachineDestroyed.class, "machine-destroyed.v1"),
            Map.entry(RentalEvent.DiskErased.class, "disk-erased.v1"),
            Map.entry(RentalEvent.TurnedOver.class, "turned-over.v1"),
            Map.entry(RentalEvent.ReceiptSigned.class, "receipt-signed.v1"),
            Map.entry(RentalEvent.ReceiptCountersigned.class, "receipt-countersigned.v1"),
            Map.entry(RentalEvent.ReleaseSigned.class, "release-signed.v1"),
            Map.entry(RentalEvent.Settled.class, "settled.v1"));

    private static final Map<String, Class<? extends RentalEvent>> TYPES =
            NAMES.entrySet().stream().collect(Collectors.toUnmodifiableMap(Map.Entry::getValue, Map.Entry::getKey));

    private EventCodec() {}

    /** Returns the name under which an event is stored. */
    public static String name(RentalEvent event) {
        String name = NAMES.get(event.getClass());
        if (name == null) {
            throw new IllegalStateException("event %s has no stored name: give it one in EventCodec"
                    .formatted(event.getClass().getSimpleName()));
        }
        return name;
    }

    /** Returns every stored name. */
    public static Stream<String> names() {
        return TYPES.keySet().stream().sorted();
    }

    /** Returns an event's JSON. */
    public static String write(RentalEvent event) {
        return RentalJson.write(event);
    }

    /**
     * Returns the event that a stored name and JSON mean.
     *
     * @throws IllegalStateException if the name is not known or the JSON is not exactly what it calls for
     */
    public static RentalEvent read(String name, String json) {
        Class<? extends RentalEvent> type = TYPES.get(name);
        if (type == null) {
            throw new IllegalStateException(
                    "stored event type %s is not known: the database was written by a newer version, use that"
                            .formatted(name));
        }
        return RentalJson.read(type, json);
    }
}
