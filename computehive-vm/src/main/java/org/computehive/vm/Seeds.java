package org.computehive.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;

/** What the guests' SSH servers need, where QEMU reads it: in memory, for the time of the boot. */
final class Seeds {
    private static final int LIMIT = 16_384;

    private final Places places;

    Seeds(Places places) {
        this.places = places;
    }

    /**
     * Refuses a seed that no guest could take.
     *
     * @throws HypervisorException.Refused with the entry's name and its limit
     */
    static void check(VmSpec spec) {
        entries(spec).forEach(Seeds::bytes);
    }

    private static Map<String, String> entries(VmSpec spec) {
        VmSpec.GuestAccess access = spec.access();
        var entries = new LinkedHashMap<String, String>();
        entries.put("name", spec.id().vmName());
        entries.put("host", access.hostKey());
        entries.put("host-cert", access.hostCertificate());
        entries.put("authorities", access.userAuthorities());
        entries.put("principal", access.principal());
        return entries;
    }

    private static byte[] bytes(String name, String value) {
        byte[] bytes = (value.endsWith("\n") ? value : value + "\n").getBytes(StandardCharsets.UTF_8);
        if (value.isBlank() || bytes.length > LIMIT) {
            throw new HypervisorException.Refused(
                    "seed %s has %d bytes: 1 to %d are allowed".formatted(name, bytes.length, LIMIT), null);
        }
        return bytes;
    }

    /** Writes a session's; returns the firmware entries, name to file. */
    Map<String, Path> write(VmSpec spec) throws IOException {
        Path folder = places.account().passage(folder(spec.id()));
        var files = new LinkedHashMap<String, Path>();
        for (Map.Entry<String, String> entry : entries(spec).entrySet()) {
            byte[] bytes = bytes(entry.getKey(), entry.getValue());
            files.put(
                    "opt/computehive/" + entry.getKey(), places.account().file(folder.resolve(entry.getKey()), bytes));
        }
        return files;
    }

    /** Deletes a session's; returns whether there was one. */
    boolean delete(RentalId id) throws IOException {
        boolean there = Files.exists(folder(id));
        RuntimeFolder.delete(folder(id));
        return there;
    }

    private Path folder(RentalId id) {
        return places.seeds().resolve(id.value());
    }
}
