package org.computehive.vm.proxmox;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.rental.HypervisorException;

/**
 * The disk that a VM starts from, as its configuration says.
 *
 * @param name its place, such as {@code scsi0}
 * @param mib its size in MiB, rounded up
 */
record BootDisk(String name, long mib) {
    private static final Pattern PLACE = Pattern.compile("(scsi|virtio|sata|ide)\\d{1,2}");
    private static final Pattern SIZE = Pattern.compile("(?:^|,)size=(\\d{1,12})([KMGT]?)(?:,|$)");

    /**
     * Finds it: the first disk in the boot order, else the first disk there is.
     *
     * @throws HypervisorException.Refused if there is none, or its size is not said
     */
    static BootDisk of(JsonNode config) {
        for (String place : places(config)) {
            String disk = config.path(place).asText();
            Matcher size = SIZE.matcher(disk);
            if (!disk.contains("media=cdrom") && size.find()) {
                return new BootDisk(place, mib(Long.parseLong(size.group(1)), size.group(2)));
            }
        }
        throw new HypervisorException.Refused(
                "the template has no disk whose size its configuration says: give it one, such as scsi0", null);
    }

    private static List<String> places(JsonNode config) {
        var places = new ArrayList<String>();
        Matcher order = PLACE.matcher(config.path("boot").asText());
        while (order.find()) {
            places.add(order.group());
        }
        places.addAll(List.of("scsi0", "virtio0", "sata0", "ide0"));
        return places;
    }

    private static long mib(long number, String unit) {
        return switch (unit) {
            case "K" -> number + 1023 >> 10;
            case "M" -> number;
            case "G" -> number << 10;
            case "T" -> number << 20;
            default -> number + (1 << 20) - 1 >> 20;
        };
    }
}
