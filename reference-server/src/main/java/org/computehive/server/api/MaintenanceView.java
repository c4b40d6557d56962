package org.computehive.server.api;

import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import org.computehive.market.GpuId;
import org.computehive.market.Maintenance;
import org.computehive.server.api.Views.WindowView;

/** A time in which a lender keeps gpus for itself. */
@Schema(name = "Maintenance")
record MaintenanceView(String host, String name, List<String> gpus, WindowView window, String why) {
    static MaintenanceView of(Maintenance maintenance) {
        return new MaintenanceView(
                maintenance.host().value(),
                maintenance.name(),
                maintenance.gpus().stream().map(GpuId::toString).toList(),
                WindowView.of(maintenance.window()),
                maintenance.why());
    }
}
