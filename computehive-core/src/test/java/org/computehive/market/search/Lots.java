package org.computehive.market.search;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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
import org.computehive.schedule.Availability;
import org.computehive.schedule.Window;

/** Listings of all kinds, and queries that some of them fit. */
final class Lots {
    static final Instant NOW = Instant.parse("2027-03-01T12:00:00Z");
    static final Token TOKEN = new Token(Account.ZERO, "ETH", 18, false);
    private static final String[] MODELS = {
        "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "NVIDIA GeForce RTX 4090", "AMD Instinct MI300X", "NVIDIA A10"
    };
    private static final int[] MEMORY = {81_559, 81_920, 24_564, 196_592, 24_564};
    private static final String[] REGIONS = {"", "eu-central", "us-east", "ap-south"};
    private static final String[] HOURS = {
        "always", "always", "always", "Europe/Berlin: MON 09:00-17:00, TUE 00:00-24:00, SAT 08:00-20:00"
    };

    private final Random random;

    Lots(Random random) {
        this.random = random;
    }

    static GpuId gpu(int host, int gpu) {
        return new GpuId(new HostId("host-" + host), new PciAddress("0000:%02x:00.0".formatted(gpu)));
    }

    static Account lender(int number) {
        return new Account("0x%040x".formatted(number));
    }

    Offer offer(int host) {
        int kind = random.nextInt(MODELS.length);
        int from = random.nextInt(4);
        int gpus = 1 << random.nextInt(3);
        List<GpuId> ids = new ArrayList<>();
        List<Gpu> devices = new ArrayList<>();
        boolean emulated = random.nextInt(10) == 0;
        for (int i = from; i < from + gpus; i++) {
            ids.add(gpu(host, i));
            int model = random.nextInt(20) == 0 ? random.nextInt(MODELS.length) : kind;
            devices.add(new Gpu(
                    gpu(host, i).address(),
                    "10de",
                    "2330",
                    MODELS[model],
                    MEMORY[model],
                    OptionalInt.empty(),
                    emulated,
                    Optional.empty()));
        }
        Rate price = Rate.of(100L * random.nextInt(1, 12));
        var listing = new Listing(
                new ListingId("lot-" + host + "-" + random.nextInt(2)),
                lender(host % 7),
                new HostId("host-" + host),
                ids,
                new MachineShape(4, 16_384, 65_536, "debian-12"),
                TOKEN,
                price,
                price,
                price,
                Availability.parse(HOURS[random.nextInt(HOURS.length)]),
                new Listing.Rules(
                        Duration.ofMinutes(random.nextInt(1, 90)),
                        Duration.ofDays(random.nextInt(1, 30)),
                        Duration.ofMinutes(random.nextInt(3) * 10),
                        Duration.ofMinutes(30),
                        Duration.ofHours(1)),
                random.nextInt(5) == 0 ? Assurance.CONFIDENTIAL : Assurance.ISOLATED,
                emulated,
                REGIONS[random.nextInt(REGIONS.length)],
                Interconnect.values()[random.nextInt(Interconnect.values().length)]);
        return new Offer(listing, devices);
    }

    Window window(int days) {
        Instant start = NOW.plusSeconds(random.nextInt(days * 86_400));
        return Window.of(start, Duration.ofSeconds(random.nextInt(600, 100_000)));
    }

    ListingQuery query() {
        Window window = window(20);
        ListingQuery.Builder query = random.nextBoolean()
                ? ListingQuery.in(window)
                : ListingQuery.lasting(window.length(), window.extendedBy(Duration.ofHours(random.nextInt(1, 200))));
        if (random.nextInt(3) == 0) {
            query.model(List.of("h100", "A100", "nvidia", "RTX 4090", "instinct mi300x", "H200")
                    .get(random.nextInt(6)));
        }
        if (random.nextInt(4) == 0) {
            query.gpuMemoryMiB(random.nextInt(200_000));
        }
        if (random.nextInt(3) == 0) {
            query.gpusAtLeast(random.nextInt(1, 5));
        } else if (random.nextInt(3) == 0) {
            query.gpus(1 << random.nextInt(4));
        }
        if (random.nextInt(3) == 0) {
            query.atMost(Rate.of(100L * random.nextInt(12)));
        }
        if (random.nextInt(4) == 0) {
            query.atMostPerGpu(random.nextInt(5) == 0 ? new Rate(Rate.MAX) : Rate.of(random.nextInt(700)));
        }
        if (random.nextInt(5) == 0) {
            query.assurance(Assurance.CONFIDENTIAL);
        }
        if (random.nextInt(4) == 0) {
            query.regions(List.of("us-east", random.nextBoolean() ? "eu-central" : "mars"));
        }
        if (random.nextInt(4) == 0) {
            query.interconnect(Interconnect.values()[random.nextInt(Interconnect.values().length)]);
        }
        if (random.nextInt(4) == 0) {
            query.reputation(random.nextInt(1_000));
        }
        return query.emulated(random.nextInt(3) > 0).answers(1_000).build();
    }
}
