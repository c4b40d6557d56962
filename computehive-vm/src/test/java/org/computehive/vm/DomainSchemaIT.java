package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.computehive.market.PciAddress;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The descriptions of domains by the schema of the libvirt that is installed, which checks them itself. */
class DomainSchemaIT {
    private static final Path SCHEMA = Path.of("/usr/share/libvirt/schemas/domaincommon.rng");
    private static final String REFUSED = "failed to validate against schema";

    @TempDir
    private Path folder;

    private static String xml(GuestLink link, boolean kvm, Optional<LaunchSecurity> security) {
        var tuning = Tuning.defaults().withHugePages(2_048).onNode(0).limiting(Tuning.DiskLimits.of(1_000_000, 100));
        return DomainModelTest.model(
                        link,
                        kvm,
                        Path.of("/images/kernel"),
                        true,
                        List.of(new PciAddress("0001:41:1f.7")),
                        Resources.of(tuning, true, List.of(3, 5)),
                        security)
                .xml();
    }

    /** Returns what libvirt says; its test driver may refuse the rest of a domain, after its schema. */
    private String judged(String xml) throws IOException {
        Path file = Files.writeString(folder.resolve("domain.xml"), xml);
        return Tool.run(
                        List.of("virsh", "-c", "test:///default", "define", "--validate", file.toString()),
                        Duration.ofMinutes(1),
                        "libvirt-clients")
                .lastLines();
    }

    @Test
    void everyLink_fitsTheSchema() throws IOException {
        for (GuestLink link : List.of(new GuestLink.Forwarded(22_110), new GuestLink.Routed(7))) {
            for (boolean kvm : new boolean[] {true, false}) {
                String said = judged(xml(link, kvm, Optional.empty()));
                assertTrue(!said.contains(REFUSED), said);
            }
        }
    }

    @Test
    void theSchema_isReallyAsked() throws IOException {
        String said = judged(xml(new GuestLink.Routed(7), true, Optional.empty())
                .replace("placement=\"static\"", "placement=\"odd\""));
        assertTrue(said.contains(REFUSED), said);
    }

    /** Schemas before libvirt 10.5 and 11.6 don't know these: then all but that one element is judged. */
    @Test
    void encryptedMemory_fitsTheSchema_orIsTheOneThingThatAnOldOneDoesNotKnow() throws IOException {
        String schema = Files.readString(SCHEMA);
        for (LaunchSecurity security : List.of(
                new LaunchSecurity.SevSnp(0x30000, Optional.of("ab".repeat(32)), true),
                new LaunchSecurity.Tdx(
                        0x10000000, Optional.of("cd".repeat(48)), Optional.of(Path.of("/run/tdx-qgs/qgs.socket"))))) {
            boolean known = schema.contains(
                    "<value>%s</value>".formatted(security.kind().type()));
            String xml = xml(new GuestLink.Routed(7), true, Optional.of(security));
            String said = judged(xml);
            assertEquals(known, !said.contains(REFUSED), said);
            String rest = xml.replaceAll("<launchSecurity.*</launchSecurity>", "");
            assertTrue(rest.length() < xml.length());
            String saidOfTheRest = judged(rest);
            assertTrue(!saidOfTheRest.contains(REFUSED), saidOfTheRest);
        }
    }
}
