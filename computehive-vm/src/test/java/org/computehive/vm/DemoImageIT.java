package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoImageIT {
    @Test
    void rebuild_fromTheSamePackages_isBitIdentical(@TempDir Path folder) throws IOException {
        GuestImage kept = TestHost.images().verified(DemoImage.NAME);
        var steps = new ArrayList<String>();
        long begin = System.nanoTime();
        ImageCatalogue again = DemoImage.ensure(folder, steps::add);
        System.out.printf("figures: demo image built in %d ms%n", (System.nanoTime() - begin) / 1_000_000);
        GuestImage rebuilt = again.verified(DemoImage.NAME);
        assertEquals(
                kept.kernel().orElseThrow().sha256(),
                rebuilt.kernel().orElseThrow().sha256());
        assertEquals(
                kept.initrd().orElseThrow().sha256(),
                rebuilt.initrd().orElseThrow().sha256());
        assertFalse(steps.isEmpty(), "a build tells its steps");

        steps.clear();
        DemoImage.ensure(folder, steps::add);
        assertEquals(List.of(), steps, "what is there is not built again");
        assertEquals(List.of(DemoImage.NAME), again.names());
    }
}
