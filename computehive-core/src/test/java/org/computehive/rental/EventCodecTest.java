package org.computehive.rental;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.computehive.demand.DemandSignals;
import org.computehive.manifest.Setup;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuCondition;
import org.computehive.market.GuestPlatform;
import org.computehive.market.Host;
import org.computehive.market.HostId;
import org.computehive.market.Interconnect;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.rental.EscrowOffer.Signature;
import org.computehive.rental.RentalEvent.OfLeg;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.schedule.Window;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The golden files are what databases out there hold. One that no longer reads as it did means: give the new form a new
 * name, and keep reading the old one. Never change a golden file.
 */
class EventCodecTest {
    private static final RentalId ID = new RentalId("abcdefghjkmnpqrstvwxyz2345");
    private static final Instant AT = Instant.parse("2027-03-01T12:00:00.123456789Z");
    private static final Signature SIGNATURE = new Signature("0x0102");

    @Test
    void everyEventType_hasANameAndASample() {
        Set<Class<?>> sampled =
                samples().values().stream().map(Object::getClass).collect(Collectors.toSet());
        assertEquals(leaves(RentalEvent.class).collect(Collectors.toSet()), sampled);
        assertEquals(
                samples().keySet().stream().sorted().toList(),
                EventCodec.names().toList());
    }

    private static Stream<Class<?>> leaves(Class<?> type) {
        return type.isSealed()
                ? Arrays.stream(type.getPermittedSubclasses()).flatMap(EventCodecTest::leaves)
                : Stream.of(type);
    }

    @ParameterizedTest
    @MethodSource("names")
    void goldenFile_ofEveryName_isReadAndWrittenAsItWas(String name) throws IOException {
        RentalEvent sample = samples().get(name);
        String golden = golden(name, EventCodec.write(sample));

        assertEquals(sample, EventCodec.read(name, golden));
        assertEquals(golden, EventCodec.write(sample));
        assertEquals(name, EventCodec.name(sample));
    }

    static Stream<String> names() {
        return EventCodec.names();
    }

    @ParameterizedTest
    @MethodSource("documents")
    void goldenFile_ofEveryDocument_isReadAndWrittenAsItWas(String name, Object document) throws IOException {
        String golden = golden(name, RentalJson.write(document));

        assertEquals(document, RentalJson.read(document.getClass(), golden));
        assertEquals(golden, RentalJson.write(document));
    }

    static Stream<Arguments> documents() {
        return Stream.of(
                Arguments.of("host.v2", RentalStoreContract.host("rack-1", 8)),
                Arguments.of("listing.v4", RentalStoreContract.listing("lot-1", Rate.of(7))),
                Arguments.of(
                        "gpu-condition.v1",
                        new GpuCondition(RentalStoreContract.gpu(1), GpuCondition.State.QUARANTINED, "no reset", AT)),
                Arguments.of(
                        "price-suggestion.v1",
                        new PriceSuggestion(
                                "USD",
                                1_100_000,
                                1_980_000,
                                3_300_000,
                                PriceSuggestion.Confidence.MEDIUM,
                                List.of(
                                        new PriceSuggestion.Factor("gpu memory", 1.25, "80 GiB against 64"),
                                        new PriceSuggestion.Factor("demand", .99, "77 % of like gpus are rented")),
                                "A100 PCIe 64GB with 16 vCPUs and 128 GiB, at 1.600000 USD/h",
                                "market/2",
                                "0".repeat(64),
                                LocalDate.parse("2026-08-31"),
                                List.of(new DemandSignals(AT, .77, 20, 3, 4, Duration.ofHours(30))))),
                Arguments.of(
                        "quote.v5",
                        new Quote(
                                ID,
                                RentalStoreContract.account(2),
                                RentalStoreContract.listing("lot-1", Rate.of(7)),
                                RentalStoreContract.hours(0, 1),
                                AT,
                                Setup.UNSTATED)));
    }

    @Test
    void goldenFile_ofHostsBeforePlatforms_isReadAsStatingNone() throws IOException {
        Host then = RentalJson.readOlder(Host.class, golden("host.v1", ""), Map.of("platform", GuestPlatform.UNSTATED));

        assertEquals(GuestPlatform.UNSTATED, then.platform());
        assertEquals(RentalStoreContract.host("rack-1", 8).gpus(), then.gpus());
    }

    @Test
    void goldenFile_ofListingsBeforeNetworks_isReadAsReachingNothing() throws IOException {
        Listing today = RentalStoreContract.listing("lot-1", Rate.of(7));
        Map<String, ?> added = Map.of("shape/network", NetworkPolicy.NONE);

        assertEquals(today, RentalJson.readOlder(Listing.class, golden("listing.v3", ""), added));
        assertEquals(golden("listing.v3", ""), RentalJson.writeOlder(today, added));
    }

    @Test
    void goldenFile_ofListingsBeforeStakes_isReadAsHavingNone() throws IOException {
        Listing today = RentalStoreContract.listing("lot-1", Rate.of(7));
        Map<String, ?> added = Map.of("rules/stakes", Stakes.NONE, "shape/network", NetworkPolicy.NONE);

        assertEquals(today, RentalJson.readOlder(Listing.class, golden("listing.v2", ""), added));
        assertEquals(golden("listing.v2", ""), RentalJson.writeOlder(today, added));
        assertThrows(
                IllegalStateException.class,
                () -> RentalJson.writeOlder(today, Map.of("rules/stakes", stakes())),
                "the older form can't hold other stakes");
    }

    @Test
    void goldenFile_ofListingsBeforeRegions_isReadAsSayingNeither() throws IOException {
        Listing today = RentalStoreContract.listing("lot-1", Rate.of(7)).at("", Interconnect.NONE);
        Map<String, ?> added = Map.of(
                "region",
                "",
                "interconnect",
                Interconnect.NONE,
                "rules/cancellation",
                Cancellation.FREE,
                "rules/reclaimNotice",
                Duration.ofHours(1),
                "rules/stakes",
                Stakes.NONE,
                "shape/network",
                NetworkPolicy.NONE);

        assertEquals(today, RentalJson.readOlder(Listing.class, golden("listing.v1", ""), added));
        assertThrows(
                IllegalStateException.class,
                () -> RentalJson.readOlder(Listing.class, golden("listing.v2", ""), added));
    }

    private static String golden(String name, String today) throws IOException {
        try (InputStream file = EventCodecTest.class.getResourceAsStream("golden/" + name + ".json")) {
            if (file == null) {
                return fail("golden/%s.json is missing; today it is:%n%s".formatted(name, today));
            }
            return new String(file.readAllBytes(), StandardCharsets.UTF_8).strip();
        }
    }

    @ParameterizedTest
    @MethodSource("damaged")
    void read_whatIsNotExactlyTheForm_isRefused(String json) {
        assertThrows(IllegalStateException.class, () -> EventCodec.read("cancelled.v1", json), json);
    }

    static Stream<String> damaged() {
        String by = "\"by\":\"" + RentalStoreContract.account(2) + "\"";
        String at = "\"at\":\"2027-03-01T12:00:00Z\"";
        assertNotNull(EventCodec.read("cancelled.v1", "{%s,%s}".formatted(at, by)));
        return Stream.of(
                "",
                "null",
                "[]",
                "{}",
                "{%s}".formatted(at),
                "{%s,\"by\":null}".formatted(at),
                "{%s,\"by\":7}".formatted(at),
                "{%s,\"by\":\"0x12\"}".formatted(at),
                "{%s,\"by\":{\"address\":\"0x12\"}}".formatted(at),
                "{%s,%s,\"more\":1}".formatted(at, by),
                "{%s,%s,%s}".formatted(at, by, by),
                "{%s,%s} x".formatted(at, by),
                "{%s,%s}{}".formatted(at, by),
                "{\"at\":\"yesterday\",%s}".formatted(by),
                "{\"@class\":\"java.lang.Runtime\",%s,%s}".formatted(at, by),
                "[\"java.util.HashMap\",{%s,%s}]".formatted(at, by));
    }

    @Test
    void read_unknownName_isRefused() {
        var refused = assertThrows(IllegalStateException.class, () -> EventCodec.read("reserved.v99", "{}"));
        assertTrue(refused.getMessage().contains("reserved.v99"), refused.getMessage());
    }

    @Test
    void write_isAscii() {
        String json = EventCodec.write(new RentalEvent.Activated(AT, "\0 é 😀 \ud83d"));
        assertTrue(json.chars().allMatch(c -> c >= 0x20 && c < 0x7f), json);
    }

    private static RentalTerms cancellable() {
        return Sample.terms(new Cancellation(Duration.ofHours(1), 2_500, Duration.ofMinutes(30), 10_000), setup());
    }

    private static RentalTerms staked() {
        RentalTerms terms = cancellable();
        return Sample.terms(terms.cancellation(), stakes(), terms.setup());
    }

    private static RentalTerms networked() {
        RentalTerms terms = staked();
        return Sample.terms(
                Sample.SHAPE.with(NetworkPolicy.restricted(List.of(
                        NetworkPolicy.Destination.tcp("192.0.2.0/24", 443),
                        new NetworkPolicy.Destination("198.51.100.7/32", NetworkPolicy.Protocol.UDP, 1_000, 65_535)))),
                terms.cancellation(),
                terms.stakes(),
                terms.setup());
    }

    private static RentalTerms confidential() {
        RentalTerms terms = cancellable();
        return new RentalTerms(
                terms.renter(),
                terms.lender(),
                terms.listing(),
                terms.host(),
                terms.gpus(),
                terms.shape(),
                terms.window(),
                terms.turnover(),
                terms.token(),
                terms.rate(),
                terms.grace(),
                terms.disputeWindow(),
                terms.lane(),
                terms.holdUntil(),
                terms.emulated(),
                terms.cancellation(),
                terms.stakes(),
                terms.setup(),
                Assurance.CONFIDENTIAL);
    }

    private static Stakes stakes() {
        return new Stakes(new Account("0x" + "Ab".repeat(20)), new Amount(Rate.MAX), Amount.of(5_000_000));
    }

    private static Setup setup() {
        return new Setup(
                new Setup.Image("ubuntu", new TreeMap<>(Map.of("kernel", "ab".repeat(32)))),
                new Setup.Machine(8, 16_384, 1_024, new TreeMap<>(Map.of("machine", "q35"))),
                List.of(new Setup.Device("H100 80GB \u2013 SXM5", "10de:2330", 81_559, false)),
                new TreeMap<>(Map.of("qemu", "7.2.22")),
                "none");
    }

    private static Extension extension() {
        return new Extension(
                ID,
                Window.of(Sample.WINDOW.end(), Duration.ofSeconds(60)),
                Rate.of(150),
                1,
                Sample.WINDOW.end().minusSeconds(60),
                Sample.HASH);
    }

    private static Map<String, RentalEvent> samples() {
        var samples = new LinkedHashMap<String, RentalEvent>();
        RentalStoreContract.wholeLife(
                        ID,
                        RentalStoreContract.terms(
                                4,
                                RentalStoreContract.hours(0, 2),
                                RentalStoreContract.gpu(1),
                                RentalStoreContract.gpu(2)))
                .stream()
                .map(Recorded::event)
                .forEach(event -> samples.put(EventCodec.name(event), event));
        for (RentalEvent event : Arrays.asList(
                new RentalEvent.HoldExpired(AT),
                new RentalEvent.Invited(
                        AT,
                        "CANCEL",
                        2,
                        Optional.of(new RentalEvent.Told(
                                RentalStoreContract.hours(0, 3), new ListingId("lot-2"), new HostId("rack-2")))),
                new RentalEvent.Cancelled(AT, new Account("0x" + "aB".repeat(20))),
                new RentalEvent.StartFailed(AT, new Fault(Fault.Blame.PLATFORM, "no \"disk\" left – \u0000")),
                new RentalEvent.PlacementFailed(AT, false, new Fault(Fault.Blame.LENDER, "no disk space")),
                new RentalEvent.Interrupted(
                        AT, AT.minusSeconds(9), true, new Fault(Fault.Blame.LENDER, "host rack-1 did not answer")),
                new RentalEvent.Placed(
                        AT, new HostId("rack-2"), List.of(RentalStoreContract.gpu(1)), "host rack-1 did not answer"),
                new RentalEvent.Swept(
                        AT,
                        new HostId("rack-1"),
                        List.of(new Hypervisor.Turnover(
                                RentalStoreContract.gpu(1).address(), true, "reset"))),
                new RentalEvent.TeardownLeft(AT, new HostId("rack-1"), "the host does not answer"),
                new RentalEvent.ReclaimAnnounced(AT, AT.plusSeconds(3600)),
                new RentalEvent.Stuck(AT, RentalEffect.Step.DESTROY, "the host does not answer"),
                new RentalEvent.Resumed(AT, RentalEffect.Step.DESTROY, "power is back"),
                new RentalEvent.ReleaseSigned(AT, SIGNATURE),
                new RentalEvent.ReceiptCountersigned(AT, SIGNATURE),
                new RentalEvent.ReceiptSigned(AT, Duration.ofSeconds(86_399), SIGNATURE),
                new RentalEvent.Reserved(AT, cancellable()),
                new RentalEvent.Reserved(AT, staked()),
                new RentalEvent.Reserved(AT, networked()),
                new RentalEvent.Reserved(AT, confidential()),
                new RentalEvent.OfferWritten(AT, Sample.offer(ID, staked())),
                new RentalEvent.MachineStarted(AT, Map.of("image", "ubuntu", "manifest", "cd".repeat(32)), setup()),
                new RentalEvent.GpusTaken(AT),
                new RentalEvent.Entered(AT),
                new RentalEvent.EndMoved(AT, AT.plusSeconds(60)),
                new RentalEvent.EndedByOperator(AT, new Fault(Fault.Blame.NOBODY, "power cut")),
                new OfLeg.Held(AT, 1, extension()),
                new OfLeg.OfferWritten(AT, 1, Sample.offer(ID)),
                new OfLeg.OfferWritten(AT, 2, Sample.offer(ID, cancellable())),
                new OfLeg.OfferSigned(AT, 2, SIGNATURE),
                new OfLeg.Funded(AT, 3, Amount.of(7), Sample.HASH),
                new OfLeg.Lapsed(AT, 4),
                new OfLeg.ReceiptSigned(AT, 1, Duration.ofSeconds(59), SIGNATURE),
                new OfLeg.ReceiptCountersigned(AT, 1, SIGNATURE),
                new OfLeg.ReleaseSigned(AT, 1, SIGNATURE),
                new OfLeg.Disputed(AT, 0, Sample.RENTER, Sample.HASH),
                new OfLeg.Settled(AT, 1, Amount.of(3), Amount.of(4), Sample.HASH),
                new RentalEvent.Settled(AT, Amount.of(3), Amount.of(4), new Amount(Rate.MAX), Amount.ZERO, Sample.HASH),
                new OfLeg.Settled(AT, 1, Amount.of(3), Amount.of(4), Amount.ZERO, Amount.of(6), Sample.HASH))) {
            samples.put(EventCodec.name(event), event);
        }
        return samples;
    }
}
