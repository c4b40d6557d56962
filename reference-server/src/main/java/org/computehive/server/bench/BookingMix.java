package org.computehive.server.bench;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.computehive.market.Account;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.ListingId;
import org.computehive.market.PciAddress;
import org.computehive.schedule.Window;

/**
 * The attempts that both sides make: which gpus, when. The same number is always the same attempt.
 *
 * <p>Hosts of eight gpus, each listed alone and in pairs. Nine of ten attempts are for one gpu, one for a pair. Windows
 * begin at any quarter of an hour and last one to four hours; the time that they are spread over is as long as the gpus
 * need to hold all that is asked for, so that about half of the attempts are refused.
 *
 * @param attempts how many
 * @param seed of the random numbers
 * @param from when the first windows can begin, in whole quarters of an hour
 */
record BookingMix(int attempts, long seed, Instant from) {
    static final int HOSTS = 25;
    static final int GPUS_PER_HOST = 8;
    static final Duration TURNOVER = Duration.ofMinutes(5);
    private static final int PAIRS_PER_HOST = GPUS_PER_HOST / 2;
    private static final int QUARTER_SECONDS = 900;
    private static final int SHORTEST_QUARTERS = 4;
    private static final int LONGEST_QUARTERS = 16;
    private static final double GPUS_PER_ATTEMPT = 1.1;

    /** An attempt: a listing of one gpu or two, and when. */
    record Attempt(Offer offer, Window window) {}

    /** What a host's lender lists. */
    record Offer(ListingId id, HostId host, List<GpuId> gpus) {}

    static BookingMix of(int attempts, long seed) {
        return new BookingMix(
                attempts, seed, Instant.now().truncatedTo(ChronoUnit.HOURS).plus(1, ChronoUnit.DAYS));
    }

    static HostId host(int number) {
        return new HostId("host-%02d".formatted(number));
    }

    static Account lender(int host) {
        return new Account("0x%040x".formatted(0x1000 + host));
    }

    static PciAddress address(int gpu) {
        return new PciAddress("0000:%02x:00.0".formatted(0x10 + gpu));
    }

    /** Returns what a host's lender lists: first each gpu, then the pairs. */
    static List<Offer> offers(int host) {
        var offers = new ArrayList<Offer>();
        IntStream.range(0, GPUS_PER_HOST).forEach(gpu -> offers.add(offer(host, "single-" + gpu, gpu)));
        IntStream.range(0, PAIRS_PER_HOST)
                .forEach(pair -> offers.add(offer(host, "pair-" + pair, 2 * pair, 2 * pair + 1)));
        return offers;
    }

    private static Offer offer(int host, String name, int... gpus) {
        return new Offer(
                new ListingId("%s-%s".formatted(host(host), name)),
                host(host),
                IntStream.of(gpus)
                        .mapToObj(gpu -> new GpuId(host(host), address(gpu)))
                        .toList());
    }

    private int quarters() {
        double each = (SHORTEST_QUARTERS + LONGEST_QUARTERS) / 2.0 + TURNOVER.toSeconds() / (double) QUARTER_SECONDS;
        return (int) Math.max(96, attempts * GPUS_PER_ATTEMPT * each / (HOSTS * GPUS_PER_HOST));
    }

    /** Returns an attempt by its number, from 0. */
    Attempt attempt(List<List<Offer>> offers, long number) {
        var random = new SplittableRandom(seed * 1_000_003 + number);
        List<Offer> ofHost = offers.get(random.nextInt(HOSTS));
        boolean pair = random.nextInt(10) == 0;
        Offer offer = ofHost.get(pair ? GPUS_PER_HOST + random.nextInt(PAIRS_PER_HOST) : random.nextInt(GPUS_PER_HOST));
        Instant start = from.plusSeconds((long) QUARTER_SECONDS * random.nextInt(quarters()));
        int length = random.nextInt(SHORTEST_QUARTERS, LONGEST_QUARTERS + 1);
        return new Attempt(offer, Window.of(start, Duration.ofSeconds((long) QUARTER_SECONDS * length)));
    }

    static List<List<Offer>> allOffers() {
        return IntStream.range(0, HOSTS).mapToObj(BookingMix::offers).toList();
    }
}
