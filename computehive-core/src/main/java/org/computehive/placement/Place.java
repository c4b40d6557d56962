package org.computehive.placement;

import java.util.List;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;

/**
 * Where a session runs: a host and devices of it.
 *
 * @param host the host
 * @param gpus its devices, at least one, none twice
 */
public record Place(HostId host, List<GpuId> gpus) {
    /**
     * Copies the list and checks it.
     *
     * @throws IllegalArgumentException if there is no gpu, one twice, or one of another host
     */
    public Place {
        gpus = List.copyOf(gpus);
        if (gpus.isEmpty() || gpus.stream().distinct().count() != gpus.size()) {
            throw new IllegalArgumentException(
                    "a place on host %s needs at least one gpu and none twice".formatted(host));
        }
        for (GpuId gpu : gpus) {
            if (!gpu.host().equals(host)) {
                throw new IllegalArgumentException("gpu %s is not in host %s".formatted(gpu, host));
            }
        }
    }

    @Override
    public String toString() {
        return gpus.toString();
    }
}
