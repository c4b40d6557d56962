package org.computehive.market;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.computehive.schedule.Window;

/**
 * A time in which a lender keeps gpus for itself: nobody can rent them then, as if a rental had them.
 *
 * @param host the host that the gpus sit in
 * @param name what the lender calls it, a label; names one maintenance of the host
 * @param gpus the gpus, at least one, none twice
 * @param window when; at most 366 days, in the years 1970 to 9998
 * @param why what is done, for people, 1 to 200 characters
 */
public record Maintenance(HostId host, String name, List<GpuId> gpus, Window window, String why) {
    private static final Duration MOST = Duration.ofDays(366);
    private static final Instant LAST = Instant.parse("9999-01-01T00:00:00Z");

    /**
     * Copies the list and checks names, gpus and length.
     *
     * @throws IllegalArgumentException if there is no gpu, one twice or one of another host, a text is malformed, or the
     *     window is too long or out of range
     */
    public Maintenance {
        gpus = List.copyOf(gpus);
        Text.label("maintenance name", name);
        Text.line("maintenance reason", why, 200);
        if (gpus.isEmpty() || gpus.stream().distinct().count() != gpus.size()) {
            throw new IllegalArgumentException("maintenance %s needs at least one gpu and none twice".formatted(name));
        }
        for (GpuId gpu : gpus) {
            if (!gpu.host().equals(host)) {
                throw new IllegalArgumentException("gpu %s is not in host %s".formatted(gpu, host));
            }
        }
        if (window.start().isBefore(Instant.EPOCH) || window.end().isAfter(LAST)) {
            throw new IllegalArgumentException(
                    "maintenance %s at %s is out of range: from %s to %s".formatted(name, window, Instant.EPOCH, LAST));
        }
        if (window.length().compareTo(MOST) > 0) {
            throw new IllegalArgumentException(
                    "maintenance %s is %s long: at most %s".formatted(name, window.length(), MOST));
        }
    }
}
