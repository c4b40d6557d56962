package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class GpuCatalogueTest {
    private final GpuCatalogue catalogue = GpuCatalogue.bundled();

    @ParameterizedTest
    @CsvSource({
        "RTX 4090, RTX 4090 24GB",
        "NVIDIA GeForce RTX 4090, RTX 4090 24GB",
        "rtx4090, RTX 4090 24GB",
        "RTX-4090 24GB, RTX 4090 24GB",
        "4090, RTX 4090 24GB",
        "GeForce_RTX_4090, RTX 4090 24GB",
        "NVIDIA Corporation AD102 [GeForce RTX 4090], RTX 4090 24GB",
        "8x RTX 4090, RTX 4090 24GB",
        "H100 SXM 80GB, H100 SXM 80GB",
        "h100-sxm5, H100 SXM 80GB",
        "NVIDIA H100 80GB HBM3, H100 SXM 80GB",
        "H100 HGX (80GB), H100 SXM 80GB",
        "NVIDIA H100 PCIe, H100 PCIe 80GB",
        "NVIDIA H100 NVL, H100 NVL 94GB",
        "NVIDIA A100-SXM4-80GB, A100 SXM 80GB",
        "A100 PCIe 40 GB, A100 PCIe 40GB",
        "A100_80GB_PCIe, A100 PCIe 80GB",
        "A100 (40 GB), A100 SXM 40GB",
        "Tesla V100-SXM2-16GB, V100 SXM2 16GB",
        "Tesla T4, T4 16GB",
        "NVIDIA GH200 480GB, GH200 96GB",
        "B200_180GB, B200 SXM 180GB",
        "NVIDIA RTX A6000, RTX A6000 48GB",
        "A6000, RTX A6000 48GB",
        "NVIDIA RTX 6000 Ada Generation, RTX 6000 Ada 48GB",
        "Quadro RTX 6000, Quadro RTX 6000 24GB",
        "RTX 6000 24GB, Quadro RTX 6000 24GB",
        "NVIDIA RTX PRO 6000 Blackwell Workstation Edition, RTX PRO 6000 96GB",
        "AMD Instinct MI300X, MI300X 192GB",
        "RTX 4070 Ti SUPER, RTX 4070 Ti Super 16GB",
        "GTX 1080 Ti, GTX 1080 Ti 11GB",
        "RTX 4090 D, RTX 4090 D 24GB",
        "RTX 4090 48GB, RTX 4090 48GB",
        "RTX 4070S Ti, RTX 4070 Ti Super 16GB",
        "RTX 4080S 16GB, RTX 4080 Super 16GB",
        "GTX 1660 S, GTX 1660 Super 6GB",
        "RTX 4000Ada, RTX 4000 Ada 20GB",
        "Q RTX 6000, Quadro RTX 6000 24GB",
        "InstinctMI50, MI50 16GB",
        "Quadro P4000 8GB, Quadro P4000 8GB",
        "L40S, L40S 48GB",
        "RTX PRO 6000 Blackwell 96GB Max-Q, RTX PRO 6000 Max-Q 96GB",
        "B300 288GB (form unstated), B300 SXM 288GB",
        "RTX 3060 Laptop GPU, RTX 3060 Laptop 6GB"
    })
    void find_aWayPeopleWriteIt_isKnown(String written, String expected) {
        var known = assertInstanceOf(GpuCatalogue.Match.Known.class, catalogue.find(written), written);
        assertEquals(expected, known.gpu().name());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "RTX 4090 Laptop GPU",
                "RTX 4090 96GB",
                "RTX 9090",
                "H100 MIG 1g.10gb",
                "A100 32GB",
                "GRID T4-8Q",
                "¿?",
                "[]",
                "0"
            })
    void find_somethingElse_isUnknownWithTheNearest(String written) {
        var unknown = assertInstanceOf(GpuCatalogue.Match.Unknown.class, catalogue.find(written), written);
        assertEquals(written, unknown.name());
        assertEquals(3, unknown.nearest().size());
    }

    @Test
    void find_misspelt_namesTheNearestFirst() {
        var unknown = assertInstanceOf(GpuCatalogue.Match.Unknown.class, catalogue.find("RTX 4090i"));
        assertTrue(unknown.nearest().contains("RTX 4090 24GB"), unknown::toString);
    }

    @Test
    void find_memoryFromTheDriver_choosesTheVariant() {
        var known =
                assertInstanceOf(GpuCatalogue.Match.Known.class, catalogue.find("A100 PCIe", OptionalLong.of(40_960)));
        assertEquals("A100 PCIe 40GB", known.gpu().name());
        assertEquals(1, known.variants().size());
        assertInstanceOf(GpuCatalogue.Match.Known.class, catalogue.find("H100 SXM", OptionalLong.of(81_559)));
        assertInstanceOf(GpuCatalogue.Match.Unknown.class, catalogue.find("H100 SXM", OptionalLong.of(10_240)));
    }

    @Test
    void all_names_findThemselvesAndAreSane() {
        var names = new HashSet<String>();
        for (GpuFacts gpu : catalogue.all()) {
            assertTrue(names.add(gpu.name()), gpu.name());
            var known = assertInstanceOf(GpuCatalogue.Match.Known.class, catalogue.find(gpu.name()), gpu.name());
            assertEquals(gpu, known.gpu());
            assertTrue(gpu.memoryGib() >= 2 && gpu.memoryGib() <= 512, gpu::toString);
            assertTrue(gpu.bandwidthGbPerSecond() >= 80 && gpu.bandwidthGbPerSecond() <= 10_000, gpu::toString);
            assertTrue(gpu.fp32Tflops() >= 1 && gpu.fp32Tflops() <= 300, gpu::toString);
            assertTrue(gpu.fp16TensorTflops().orElse(1e4) > gpu.fp32Tflops(), gpu::toString);
            assertTrue(gpu.tdpWatts().orElse(100) >= 50 && gpu.tdpWatts().orElse(100) <= 1_500, gpu::toString);
            assertTrue(gpu.year() >= 2014 && gpu.year() <= 2026, gpu::toString);
            assertTrue(!gpu.source().isBlank(), gpu::toString);
        }
    }
}
