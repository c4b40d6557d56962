package org.computehive.server.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.computehive.market.Account;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Interconnect;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.ListingQuery;
import org.computehive.market.MachineShape;
import org.computehive.market.PciAddress;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.market.search.Offer;
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;

/**
 * A market to be searched: 12,500 hosts of 8 gpus each, let as lots of 1 to 8, with common and rare models, and a million
 * bookings of lots, more of them soon than late. Made from a seed.
 */
final class SearchMarket {
    static final int HOSTS = 12_500;
    static final int GPUS_PER_HOST = 8;
    static final int BOOKINGS = 1_000_000;
    static final Instant NOW = Instant.parse("2027-03-01T12:34:56Z");
    private static final int DAYS = 90;
    private static final int ANSWERS = 20;
    private static final Token TOKEN = new Token(Account.ZERO, "USD", 6, true);
    private static final MachineShape SHAPE = new MachineShape(16, 131_072, 1_048_576, "debian-12");
    private static final Availability OFFICE =
            Availability.parse("Europe/Berlin: MON 00:00-08:00, MON 18:00-24:00, TUE 00:00-24:00, SAT 00:00-24:00");
    private static final Listing.Rules RULES = new Listing.Rules(
            Duration.ofMinutes(30),
            Duration.ofDays(30),
            Duration.ofMinutes(10),
            Duration.ofMinutes(30),
            Duration.ofHours(1));
    private static final String[] REGIONS = {"eu-central", "eu-north", "us-east", "us-west", "ap-south", ""};

    private final Random random;
    private final List<Offer> offers = new ArrayList<>();
    private final List<PciAddress> places = new ArrayList<>();

    /** A gpu on offer: its model, its memory, how often it comes, and what it costs in units per second. */
    private record Kind(String model, int memoryMiB, int weight, int price) {}

    private static final List<Kind> KINDS = List.of(
            new Kind("NVIDIA GeForce RTX 3090", 24_576, 20, 60),
            new Kind("NVIDIA GeForce RTX 4090", 24_564, 30, 110),
            new Kind("NVIDIA A100-SXM4-80GB", 81_920, 15, 380),
            new Kind("NVIDIA H100 80GB HBM3", 81_559, 15, 690),
            new Kind("NVIDIA L40S", 46_068, 8, 250),
            new Kind("NVIDIA A10", 24_564, 6, 120),
            new Kind("AMD Instinct MI300X", 196_592, 4, 720),
            new Kind("NVIDIA H200", 143_771, 1, 900),
            new Kind("NVIDIA B200", 183_359, 1, 1_500));

    SearchMarket(long seed) {
        random = new Random(seed);
        for (int i = 0; i < GPUS_PER_HOST; i++) {
            places.add(new PciAddress("0000:%02x:00.0".formatted(0x10 + i)));
        }
        for (int host = 0; host < HOSTS; host++) {
            addHost(host);
        }
    }

    List<Offer> offers() {
        return offers;
    }

    private void addHost(int host) {
        Kind kind = kind();
        int each = 1 << random.nextInt(4);
        var hostId = new HostId("host-" + host);
        String region = REGIONS[random.nextInt(REGIONS.length)];
        var lender = new Account("0x%040x".formatted(1 + host / 10));
        Interconnect links = each == 1 ? Interconnect.NONE : Interconnect.values()[1 + random.nextInt(4)];
        Assurance assurance = random.nextInt(20) == 0 ? Assurance.CONFIDENTIAL : Assurance.ISOLATED;
        Availability availability = random.nextInt(10) == 0 ? OFFICE : Availability.always();
        for (int from = 0; from < GPUS_PER_HOST; from += each) {
            List<GpuId> ids = new ArrayList<>();
            List<Gpu> devices = new ArrayList<>();
            for (PciAddress place : places.subList(from, from + each)) {
                ids.add(new GpuId(hostId, place));
                devices.add(new Gpu(
                        place,
                        "10de",
                        "2330",
                        kind.model(),
                        kind.memoryMiB(),
                        OptionalInt.empty(),
                        false,
                        Optional.empty()));
            }
            // Prices that people set: many share one.
            Rate price = Rate.of((long) each * (kind.price() + 10 * random.nextInt(-3, 12)));
            offers.add(new Offer(
                    new Listing(
                            new ListingId("lot-" + host + "-" + from),
                            lender,
                            hostId,
                            ids,
                            SHAPE,
                            TOKEN,
                            price,
                            price,
                            price,
                            availability,
                            RULES,
                            assurance,
                            false,
                            region,
                            links),
                    devices));
        }
    }

    private Kind kind() {
        int drawn = random.nextInt(KINDS.stream().mapToInt(Kind::weight).sum());
        int index = 0;
        while (drawn >= KINDS.get(index).weight()) {
            drawn -= KINDS.get(index).weight();
            index++;
        }
        return KINDS.get(index);
    }

    /** Takes bookings, each of one lot's gpus in one window, turnover included; those of a lot don't overlap. */
    @FunctionalInterface
    interface Taker {
        void take(int lot, long booking, Map<GpuId, List<Window>> held);
    }

    /** Makes the bookings, always the same ones. */
    void book(long seed, Taker taker) {
        var dice = new Random(seed);
        long booking = 0;
        for (int lot = 0; lot < offers.size(); lot++) {
            int count = (int) ((long) BOOKINGS * (lot + 1) / offers.size() - (long) BOOKINGS * lot / offers.size());
            long[] starts = new long[count];
            for (int i = 0; i < count; i++) {
                double soon = dice.nextDouble();
                starts[i] = (long) (soon * soon * DAYS * 86_400);
            }
            Arrays.sort(starts);
            long free = 0;
            for (long wished : starts) {
                long start = Math.max(wished / 300 * 300, free);
                long length = 3_600L * (1 << dice.nextInt(6)) + 600;
                free = start + length;
                Window window = Window.of(NOW.plusSeconds(start), Duration.ofSeconds(length));
                Map<GpuId, List<Window>> held = new HashMap<>();
                offers.get(lot).listing().gpus().forEach(gpu -> held.put(gpu, List.of(window)));
                taker.take(lot, booking++, held);
            }
        }
    }

    /** What people look for: half of them one window, half some time within days. */
    ListingQuery query() {
        Duration length = Duration.ofHours(1L << random.nextInt(5));
        Instant start = NOW.plusSeconds(60L * random.nextInt(14 * 24 * 60));
        ListingQuery.Builder query = random.nextBoolean()
                ? ListingQuery.in(Window.of(start, length))
                : ListingQuery.lasting(length, Window.of(start, length.plusHours(random.nextInt(1, 7 * 24))));
        Kind kind = kind();
        int gpus = 1 << random.nextInt(4);
        if (random.nextInt(10) < 7) {
            query.model(
                    kind.model().substring(kind.model().lastIndexOf(' ') + 1).equals("HBM3") ? "H100" : kind.model());
        } else {
            query.gpuMemoryMiB(20_000 * random.nextInt(8));
        }
        if (random.nextBoolean()) {
            query.gpus(gpus);
        } else {
            query.gpusAtLeast(gpus);
        }
        if (random.nextInt(3) == 0) {
            query.atMostPerGpu(Rate.of(kind.price() + 10L * random.nextInt(-3, 12)));
        } else if (random.nextInt(3) == 0) {
            query.atMost(Rate.of((long) gpus * kind.price()));
        }
        if (random.nextInt(4) == 0) {
            query.regions(List.of("eu-central", "eu-north"));
        }
        if (gpus > 1 && random.nextInt(4) == 0) {
            query.interconnect(Interconnect.NVLINK);
        }
        if (random.nextInt(10) == 0) {
            query.assurance(Assurance.CONFIDENTIAL);
        }
        if (random.nextInt(5) == 0) {
            query.reputation(random.nextInt(1_000));
        }
        return query.answers(ANSWERS).build();
    }

    static OptionalInt reputation(Account lender) {
        return OptionalInt.of(lender.hashCode() & 1023);
    }
}
