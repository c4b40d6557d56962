package org.computehive.vm.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;

/**
 * The seed that stock cloud images read at their first start: cloud-init's data source NoCloud, a disk with the label
 * CIDATA. It says how the guest is set up, in the same words for every guest: all that differs between two is their names
 * and addresses. Keys come by the firmware interface where the hypervisor has one, as for the demo image; else they lie beside
 * it as files, so that no value of theirs is ever part of what cloud-init reads.
 *
 * <p>The format is cloud-init's (docs.cloud-init.io, NoCloud).
 */
public final class CloudSeed {
    private static final String LABEL = "CIDATA";
    private static final String USER_DATA = "/org/computehive/vm/cloud/user-data";

    private CloudSeed() {}

    /**
     * A guest's place in its network. Every value was checked by whoever made it: addresses are four numbers.
     *
     * @param match how cloud-init finds the device: {@code macaddress} or {@code name}
     * @param device the device's hardware address, or a pattern of its name
     * @param address the guest's address
     * @param prefix the length of its network's prefix
     * @param router its router; empty for none
     * @param resolvers its name servers
     */
    public record Place(
            String match, String device, String address, int prefix, String router, List<String> resolvers) {
        /** Copies the list, and refuses what could leave its value. */
        public Place {
            resolvers = List.copyOf(resolvers);
            if (!match.matches("macaddress|name") || !device.matches("[0-9a-z:*]{1,32}")) {
                throw new IllegalArgumentException(
                        "a device is found by macaddress or name, not by %s: %s".formatted(match, device));
            }
            for (String one : List.of(address, router.isEmpty() ? address : router)) {
                checkAddress(one);
            }
            resolvers.forEach(Place::checkAddress);
        }

        private static void checkAddress(String address) {
            if (!address.matches("(\\d{1,3}\\.){3}\\d{1,3}")) {
                throw new IllegalArgumentException("%s is no IPv4 address".formatted(address));
            }
        }
    }

    /** Returns the disk of a guest that gets its keys by the firmware interface. */
    public static byte[] disk(RentalId id, Place place) {
        return SeedDisk.of(SeedDisk.Kind.DISK, LABEL, files(id, place));
    }

    /** Returns the disc, with its keys, of a guest that has no other way to get them. */
    public static byte[] disc(VmSpec spec, Place place) {
        return SeedDisk.of(SeedDisk.Kind.DISC, LABEL, filesWithKeys(spec, place));
    }

    /** Returns the files of a seed without keys. */
    public static Map<String, String> files(RentalId id, Place place) {
        var files = new LinkedHashMap<String, String>();
        files.put("meta-data", "instance-id: %s\nlocal-hostname: %s\n".formatted(id.vmName(), id.vmName()));
        files.put("user-data", userData());
        files.put("network-config", network(place));
        return files;
    }

    /** Returns the files of a seed with keys. */
    public static Map<String, String> filesWithKeys(VmSpec spec, Place place) {
        VmSpec.GuestAccess access = spec.access();
        Map<String, String> files = files(spec.id(), place);
        files.put("host-key", access.hostKey());
        files.put("host-certificate", access.hostCertificate() + "\n");
        files.put("authorities", access.userAuthorities() + "\n");
        files.put("principal", access.principal() + "\n");
        return files;
    }

    private static String network(Place place) {
        var text = new StringBuilder("""
                version: 2
                ethernets:
                  guest:
                    match:
                      %s: "%s"
                    dhcp4: false
                    dhcp6: false
                    addresses: [%s/%d]
                """.formatted(place.match(), place.device(), place.address(), place.prefix()));
        if (!place.router().isEmpty()) {
            text.append("    routes:\n      - to: 0.0.0.0/0\n        via: ")
                    .append(place.router())
                    .append('\n');
        }
        if (!place.resolvers().isEmpty()) {
            text.append("    nameservers:\n      addresses: [")
                    .append(String.join(", ", place.resolvers()))
                    .append("]\n");
        }
        return text.toString();
    }

    private static String userData() {
        try (InputStream in = CloudSeed.class.getResourceAsStream(USER_DATA)) {
            if (in == null) {
                throw new IllegalStateException("resource %s is not in the jar".formatted(USER_DATA));
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException("resource %s can't be read".formatted(USER_DATA), e);
        }
    }
}
