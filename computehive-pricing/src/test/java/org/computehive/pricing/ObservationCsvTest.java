package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ObservationCsvTest {
    @TempDir
    Path folder;

    private ObservationCsv.Reading read(String name, String... lines) throws IOException {
        Files.writeString(folder.resolve(name), String.join("\r\n", lines));
        return ObservationCsv.read(folder, GpuCatalogue.bundled());
    }

    @Test
    void read_offersWithOtherColumnsAndOrder_areRead() throws IOException {
        var reading = read(
                "anything.csv",
                "\uFEFFusd_per_gpu_hr,new_column,GPU,gpu_label,provider,last_seen,first_seen,billing,region,vram_gb",
                "1.5,x,H100,H100 PCIe,Acme Labs,2026-08-22T01:00:00Z,2026-08-20T01:00:00Z,spot,\"Oslo, NO\",80",
                "2.5,x,H100,H100 PCIe,Acme Labs,2026-08-22T01:00:00Z,2026-08-20T05:00:00Z,spot,\"Oslo, NO\",80",
                "3.5,x,H100,H100 PCIe,Acme Labs,2026-08-22T01:00:00Z,2026-08-20T09:00:00Z,spot,\"Oslo, NO\",80",
                ",x,H100,H100 PCIe,Acme Labs,2026-08-22T01:00:00Z,2026-08-20T01:00:00Z,spot,\"Oslo, NO\",80");
        assertEquals(2, reading.observations().size(), reading::toString);
        assertEquals(
                List.of(LocalDate.of(2026, 8, 20), LocalDate.of(2026, 8, 22)),
                reading.observations().stream().map(Observation::day).toList());
        Observation row = reading.observations().getFirst();
        assertEquals("H100 PCIe 80GB", row.gpu().name());
        assertEquals("acme", row.provider());
        assertEquals(2.5, row.usdPerGpuHour());
        assertEquals(Set.of("spot", "region:Oslo, NO"), row.traits());
        assertEquals(5, reading.badRows().getFirst().line());
    }

    @Test
    void read_offerThatHeld_isOneObservationOfEachDayThatIsNamed() throws IOException {
        var reading = read(
                "held.csv",
                "provider,gpu,usd_per_gpu_hr,first_seen,last_seen",
                "acme,T4,1.5,2026-08-20T01:00:00Z,2026-08-25T01:00:00Z",
                "acme,L4,2.5,2026-08-20T01:00:00Z,2026-08-20T05:00:00Z",
                "acme,A10,3.5,,2026-08-21T05:00:00Z");
        assertEquals(
                List.of("T4 16GB 2026-08-20", "T4 16GB 2026-08-25", "L4 24GB 2026-08-20", "A10 24GB 2026-08-21"),
                reading.observations().stream()
                        .sorted(Comparator.comparingDouble(Observation::usdPerGpuHour)
                                .thenComparing(Observation::day))
                        .map(row -> row.gpu().name() + " " + row.day())
                        .toList());
        assertEquals(List.of(), reading.badRows());
    }

    @Test
    void read_machinesWithSpot_areTwoPricesOfOneOffer() throws IOException {
        var reading = read("m_2025-03.csv", ObservationCsv.MACHINES, "Acme,T4,,4,,8,64,4.00,9,1.00,x");
        assertEquals(
                List.of(1., .25),
                reading.observations().stream().map(Observation::usdPerGpuHour).toList());
        assertEquals(
                1,
                reading.observations().stream()
                        .map(Observation::offer)
                        .distinct()
                        .count());
    }

    @Test
    void read_marketplaceGroups_leaveOutThoseThatContainOthers() throws IOException {
        var reading = read(
                "v.csv",
                "timestamp,gpu,vram_gb,dlperf,tflops,state,verified,count,price_median,price_p10,price_p90",
                "2026-01-01T00:00:00Z,RTX 4090,24,1,1,rented,verified,3,0.3,1,1",
                "2026-01-01T00:00:00Z,RTX 4090,24,1,1,rented,unverified,3,0.2,1,1",
                "2026-01-01T00:00:00Z,RTX 4090,24,1,1,all,verified,3,0.3,1,1",
                "2026-01-01T00:00:00Z,RTX 4090,24,1,1,available,all,3,0.3,1,1",
                "2026-01-01T00:00:00Z,RTX 4090,24,1,1,available,verified,0,0,0,0");
        assertEquals(2, reading.observations().size(), reading::toString);
        assertEquals(List.of(), reading.badRows());
    }

    @Test
    void read_gpuThatNobodyKnows_isTakenWithItsMemory() throws IOException {
        var reading = read(
                "low.csv",
                "collected_at,provider,gpu,usd_per_gpu_hr",
                "2026-08-01T11:11:58+00:00,acme,Quantum X9 48GB,1.5",
                "2026-08-01T11:11:58+00:00,acme,Quantum X9,1.5",
                "2026-08-01T11:11:58+00:00,acme,T4,NaN",
                "2026-08-01T11:11:58+00:00,acme,T4,-1",
                "yesterday,acme,T4,1",
                "2026-08-01T11:11:58+00:00,acme,T4");
        assertEquals(1, reading.observations().size(), reading::toString);
        assertEquals(48, reading.observations().getFirst().gpu().memoryGib());
        assertEquals(
                List.of(3L, 4L, 5L, 6L, 7L),
                reading.badRows().stream()
                        .map(ObservationCsv.BadRow::line)
                        .sorted(Comparator.naturalOrder())
                        .toList());
        assertTrue(reading.badRows().toString().contains("unknown gpu"), reading::toString);
    }

    @Test
    void read_seriesWithGaps_isOneObservationForEachWeekThereIs() throws IOException {
        var reading = read(
                "s.csv",
                ObservationCsv.SERIES,
                "2026-01-01T00:00:00Z,T4,acme,1,0.1,0.30",
                "2026-01-01T01:00:00Z,T4,acme,1,0.1,0.32",
                "2026-01-01T02:00:00Z,T4,acme,1,0.1,9.00",
                "2026-03-01T00:00:00Z,T4,acme,1,0.1,0.20");
        assertEquals(
                List.of(.32, .2),
                reading.observations().stream().map(Observation::usdPerGpuHour).toList());
    }
}
