package org.computehive.manifest;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a session runs on.
 *
 * <p>Devices are listed by model and memory, not by the slot they sit in: two hosts that give the same have the same.
 * Immutable and thread-safe.
 *
 * @param image the guest image
 * @param machine the virtual machine
 * @param devices the gpus, in the order of {@link Device#compareTo}
 * @param software names and versions of what the host runs it with and the guest boots, such as {@code qemu → 7.2.22}
 * @param network what the guest can reach
 */
public record Setup(
        Image image, Machine machine, List<Device> devices, SortedMap<String, String> software, String network) {
    /** How many characters a setup's {@link #json} has at the most, so that it can always be read again. */
    public static final int MOST_CHARACTERS = 65_536;

    /** Nothing is stated, as for what was agreed before this was asked. */
    public static final Setup UNSTATED = new Setup(
            new Image("", new TreeMap<>()), new Machine(0, 0, 0, new TreeMap<>()), List.of(), new TreeMap<>(), "");

    /** Copies and orders the collections. */
    public Setup {
        devices = devices.stream().sorted().toList();
        software = CanonicalJson.ordered(software);
    }

    /**
     * The guest image.
     *
     * @param name its name in the host's catalogue
     * @param sha256 the digest of each of its parts, such as {@code kernel → 9f…}, 64 hexadecimal digits
     */
    public record Image(String name, SortedMap<String, String> sha256) {
        /** Orders the digests. */
        public Image {
            sha256 = CanonicalJson.ordered(sha256);
        }
    }

    /**
     * The virtual machine.
     *
     * @param cpus virtual processors
     * @param memoryMiB memory in MiB
     * @param diskMiB the disk's size in MiB
     * @param layout how it is made, such as {@code machine → q35}, {@code acceleration → kvm}, {@code cpu → host}
     */
    public record Machine(int cpus, int memoryMiB, int diskMiB, SortedMap<String, String> layout) {
        /** Orders the layout. */
        public Machine {
            layout = CanonicalJson.ordered(layout);
        }

        private SortedMap<String, Object> members() {
            return CanonicalJson.object("cpus", cpus, "disk_mib", diskMiB, "layout", layout, "memory_mib", memoryMiB);
        }
    }

    /**
     * A gpu.
     *
     * @param model what people call it
     * @param pciId vendor and device, such as {@code 10de:2330}
     * @param memoryMiB its own memory in MiB; 0 where it is not known
     * @param emulated whether it is an emulated stand-in
     */
    public record Device(String model, String pciId, int memoryMiB, boolean emulated) implements Comparable<Device> {
        @Override
        public int compareTo(Device other) {
            return text().compareTo(other.text());
        }

        private String text() {
            return CanonicalJson.write(members());
        }

        private SortedMap<String, Object> members() {
            return CanonicalJson.object("emulated", emulated, "memory_mib", memoryMiB, "model", model, "pci_id", pciId);
        }
    }

    /** A host states more than a setup may hold. */
    public static final class TooLong extends IllegalArgumentException {
        private static final long serialVersionUID = 1L;

        private TooLong(int characters) {
            super("what the host states of itself and the VM has %d characters, the limit is %d: state less"
                    .formatted(characters, MOST_CHARACTERS));
        }
    }

    /**
     * Returns the canonical JSON text, as in {@link Manifest}.
     *
     * @throws TooLong if it has more than {@link #MOST_CHARACTERS}
     */
    public String json() {
        String text = CanonicalJson.write(members());
        if (text.length() > MOST_CHARACTERS) {
            throw new TooLong(text.length());
        }
        return text;
    }

    /**
     * Reads a canonical text.
     *
     * @throws IllegalArgumentException if it is too long, no setup, or not in the canonical form, byte for byte
     */
    public static Setup parse(String text) {
        Setup setup = read(StrictJson.object(text));
        if (!setup.json().equals(text)) {
            throw new IllegalArgumentException("manifest setup is not in the canonical form of RFC 8785");
        }
        return setup;
    }

    SortedMap<String, Object> members() {
        return CanonicalJson.object(
                "devices",
                devices.stream().map(Device::members).toList(),
                "image",
                CanonicalJson.object("name", image.name(), "sha256", image.sha256()),
                "machine",
                machine.members(),
                "network",
                network,
                "software",
                software);
    }

    static Setup read(JsonNode root) {
        StrictJson.checked(root, "devices", "image", "machine", "network", "software");
        JsonNode image = StrictJson.checked(root.get("image"), "name", "sha256");
        JsonNode machine = StrictJson.checked(root.get("machine"), "cpus", "disk_mib", "layout", "memory_mib");
        return new Setup(
                new Image(StrictJson.text(image, "name"), StrictJson.texts(image, "sha256")),
                new Machine(
                        StrictJson.number(machine, "cpus"),
                        StrictJson.number(machine, "memory_mib"),
                        StrictJson.number(machine, "disk_mib"),
                        StrictJson.texts(machine, "layout")),
                devices(root.get("devices")),
                StrictJson.texts(root, "software"),
                StrictJson.text(root, "network"));
    }

    private static List<Device> devices(JsonNode array) {
        if (!array.isArray()) {
            throw new IllegalArgumentException("manifest member devices is no array");
        }
        var devices = new ArrayList<Device>();
        for (JsonNode device : array) {
            StrictJson.checked(device, "emulated", "memory_mib", "model", "pci_id");
            devices.add(new Device(
                    StrictJson.text(device, "model"),
                    StrictJson.text(device, "pci_id"),
                    StrictJson.number(device, "memory_mib"),
                    device.get("emulated").asBoolean()));
        }
        return devices;
    }

    /**
     * Returns how another setup differs, in order of path. None means that
     * it gives the same again as far as this one says.
     *
     * @param other what is offered in its place
     */
    public List<Difference> differences(Setup other) {
        SortedMap<String, String> mine = flat();
        SortedMap<String, String> theirs = other.flat();
        return Stream.concat(mine.keySet().stream(), theirs.keySet().stream())
                .distinct()
                .sorted()
                .filter(path ->
                        !mine.getOrDefault(path, Difference.NONE).equals(theirs.getOrDefault(path, Difference.NONE)))
                .map(path -> new Difference(
                        path, mine.getOrDefault(path, Difference.NONE), theirs.getOrDefault(path, Difference.NONE)))
                .toList();
    }

    private SortedMap<String, String> flat() {
        var all = new TreeMap<String, String>();
        all.put("image/name", image.name());
        image.sha256().forEach((part, digest) -> all.put("image/sha256/" + part, digest));
        all.put("machine/cpus", Integer.toString(machine.cpus()));
        all.put("machine/memory_mib", Integer.toString(machine.memoryMiB()));
        all.put("machine/disk_mib", Integer.toString(machine.diskMiB()));
        machine.layout().forEach((name, value) -> all.put("machine/layout/" + name, value));
        // As a bag: which slot a device sits in is no difference.
        devices.stream()
                .collect(Collectors.groupingBy(Device::text, Collectors.counting()))
                .forEach((device, count) -> all.put("devices/" + device, count.toString()));
        software.forEach((name, version) -> all.put("software/" + name, version));
        all.put("network", network);
        return all;
    }
}
