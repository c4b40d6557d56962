package org.computehive.pricing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.computehive.market.MachineShape;
import org.computehive.rental.PriceAdvisor.Request;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReloadablePriceAdvisorTest {
    private static final Request REQUEST = Request.of("H100 SXM", new MachineShape(16, 65_536, 1_024, "ubuntu"));

    @TempDir
    Path folder;

    @Test
    void reload_goodModel_isTakenAndARefusedOneChangesNothing() throws IOException {
        var advisor = new ReloadablePriceAdvisor(TribuoPriceAdvisor.bundled());
        var before = advisor.suggest(REQUEST);
        byte[] bytes = new ModelTrainer(1, "made up").train(MadeUpMarket.rows(2));
        Path file = Files.write(folder.resolve("model.pb"), bytes);
        String sha256 = ModelFile.sha256(bytes);
        assertThrows(ModelException.class, () -> advisor.reload(file, "0".repeat(64)));
        assertEquals(before, advisor.suggest(REQUEST));
        advisor.reload(file, sha256);
        assertEquals(sha256, advisor.suggest(REQUEST).modelSha256());
        assertNotEquals(before, advisor.suggest(REQUEST));
    }
}
