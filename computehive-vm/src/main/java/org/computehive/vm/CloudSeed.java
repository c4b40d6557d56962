package org.computehive.vm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.computehive.rental.RentalId;

/**
 * The seed that stock cloud images read at their first start: cloud-init's data source NoCloud, a disk with the label
 * CIDATA. It says how the guest is set up and holds no secret: keys come by the firmware interface, as for the demo image,
 * and all that differs between two guests is their names.
 *
 * <p>The format is cloud-init's (docs.cloud-init.io, NoCloud).
 */
final class CloudSeed {
    private static final String LABEL = "CIDATA";

    private CloudSeed() {}

    /**
     * Returns the disk of one guest.
     *
     * @param resolvers IPv4 addresses of its name servers
     */
    static byte[] disk(RentalId id, List<String> resolvers) {
        return SeedDisk.of(LABEL, files(id, resolvers));
    }

    /** Returns its files. */
    static Map<String, String> files(RentalId id, List<String> resolvers) {
        var files = new LinkedHashMap<String, String>();
        files.put("meta-data", "instance-id: %s\nlocal-hostname: %s\n".formatted(id.vmName(), id.vmName()));
        files.put("user-data", userData());
        files.put("network-config", """
                version: 2
                ethernets:
                  guest:
                    match:
                      macaddress: "%s"
                    dhcp4: false
                    dhcp6: false
                    addresses: [%s/%d]
                    routes:
                      - to: 0.0.0.0/0
                        via: %s
                    nameservers:
                      addresses: [%s]
                """.formatted(
                        GuestLink.MAC,
                        GuestLink.GUEST,
                        GuestLink.GUEST_PREFIX,
                        GuestLink.ROUTER,
                        String.join(", ", resolvers)));
        return files;
    }

    private static String userData() {
        try (InputStream in = CloudSeed.class.getResourceAsStream("cloud/user-data")) {
            if (in == null) {
                throw new IllegalStateException("resource cloud/user-data is not in the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("resource cloud/user-data can't be read", e);
        }
    }
}
