package org.computehive.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a session runs on, and on what terms: promised before it starts, or observed once it runs.
 *
 * <p>Its text form is one JSON object in the canonical form of RFC 8785, so that equal manifests have equal bytes and anyone
 * can compute {@link #sha256} with public tools. Devices are listed by model and memory, not by the slot they sit in: two
 * hosts that give the same have the same. Immutable and thread-safe.
 *
 * @param image the guest image
 * @param machine the virtual machine
 * @param devices the gpus, in the order of {@link Device#compareTo}
 * @param software names and versions of what the host runs it with and the guest boots, such as {@code qemu → 7.2.22}
 * @param network what the guest can reach
 * @param terms what was agreed: names and values, such as {@code rental}, {@code start} (seconds since 1970-01-01 UTC) and
 *     {@code rate} (units per second)
 */
public record Manifest(
        Image image,
        Machine machine,
        List<Device> devices,
        SortedMap<String, String> software,
        String network,
        SortedMap<String, String> terms) {
    /** The longest text that is read. */
    public static final int MAX_CHARACTERS = 65_536;

    private static final long FORMAT = 1;
    private static final JsonMapper MAPPER = JsonMapper.builder(JsonFactory.builder()
                    .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(8)
                            .maxNumberLength(20)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    /** Copies and orders the collections. */
    public Manifest {
        devices = devices.stream().sorted().toList();
        software = ordered(software);
        terms = ordered(terms);
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
            sha256 = ordered(sha256);
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
            layout = ordered(layout);
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
            return CanonicalJson.write(json());
        }

        private SortedMap<String, Object> json() {
            return object("emulated", emulated, "memory_mib", memoryMiB, "model", model, "pci_id", pciId);
        }
    }

    /** Returns the canonical JSON text. */
    public String json() {
        return CanonicalJson.write(object(
                "devices",
                devices.stream().map(Device::json).toList(),
                "image",
                object("name", image.name(), "sha256", image.sha256()),
                "machine",
                object(
                        "cpus",
                        machine.cpus(),
                        "disk_mib",
                        machine.diskMiB(),
                        "layout",
                        machine.layout(),
                        "memory_mib",
                        machine.memoryMiB()),
                "network",
                network,
                "software",
                software,
                "terms",
                terms,
                "v",
                FORMAT));
    }

    /** Returns the SHA-256 of the canonical JSON text in UTF-8: 32 bytes. */
    public byte[] sha256() {
        try {
            return MessageDigest.getInstance("SHA-256").digest(json().getBytes(UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /**
     * Reads a canonical text.
     *
     * @throws IllegalArgumentException if it is too long, no manifest, or not in the canonical form, byte for byte: then its
     *     hash would be another's
     */
    public static Manifest parse(String text) {
        if (text.length() > MAX_CHARACTERS) {
            throw new IllegalArgumentException(
                    "manifest has %d characters: at most %d are read".formatted(text.length(), MAX_CHARACTERS));
        }
        Manifest manifest;
        try {
            manifest = new ManifestReader(MAPPER.readTree(text)).manifest();
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("manifest is not JSON: " + e.getOriginalMessage(), e);
        }
        if (!manifest.json().equals(text)) {
            throw new IllegalArgumentException(
                    "manifest is not in the canonical form of RFC 8785 (SHA-256 of its canonical form: %s)"
                            .formatted(HexFormat.of().formatHex(manifest.sha256())));
        }
        return manifest;
    }

    /**
     * Returns how another manifest differs in what a session runs on, in order of path; terms are left aside. None means that
     * it gives the same again as far as this manifest says.
     *
     * @param other what is offered in its place
     */
    public List<Difference> differences(Manifest other) {
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

    static SortedMap<String, Object> object(Object... members) {
        var object = new TreeMap<String, Object>();
        for (int i = 0; i < members.length; i += 2) {
            object.put((String) members[i], members[i + 1]);
        }
        return object;
    }

    static SortedMap<String, String> ordered(Map<String, String> map) {
        return Collections.unmodifiableSortedMap(new TreeMap<>(map));
    }

    /** Reads a tree strictly. */
    private record ManifestReader(JsonNode root) {
        Manifest manifest() {
            members(root, "devices", "image", "machine", "network", "software", "terms", "v");
            if (root.get("v").asLong() != FORMAT) {
                throw new IllegalArgumentException(
                        "manifest has format %s: %d is known here".formatted(root.get("v"), FORMAT));
            }
            JsonNode image = root.get("image");
            JsonNode machine = root.get("machine");
            members(image, "name", "sha256");
            members(machine, "cpus", "disk_mib", "layout", "memory_mib");
            return new Manifest(
                    new Image(text(image, "name"), texts(image, "sha256")),
                    new Machine(
                            number(machine, "cpus"),
                            number(machine, "memory_mib"),
                            number(machine, "disk_mib"),
                            texts(machine, "layout")),
                    devices(),
                    texts(root, "software"),
                    text(root, "network"),
                    texts(root, "terms"));
        }

        private List<Device> devices() {
            JsonNode array = root.get("devices");
            if (!array.isArray()) {
                throw new IllegalArgumentException("manifest member devices is no array");
            }
            var devices = new ArrayList<Device>();
            for (JsonNode device : array) {
                members(device, "emulated", "memory_mib", "model", "pci_id");
                devices.add(new Device(
                        text(device, "model"),
                        text(device, "pci_id"),
                        number(device, "memory_mib"),
                        device.get("emulated").asBoolean()));
            }
            return devices;
        }

        private static void members(JsonNode object, String... names) {
            for (String name : names) {
                if (!object.has(name)) {
                    throw new IllegalArgumentException("manifest lacks member " + name);
                }
            }
        }

        private static String text(JsonNode object, String name) {
            if (!object.get(name).isTextual()) {
                throw new IllegalArgumentException("manifest member %s is no text".formatted(name));
            }
            return object.get(name).textValue();
        }

        private static int number(JsonNode object, String name) {
            if (!object.get(name).isInt()) {
                throw new IllegalArgumentException("manifest member %s is no integer".formatted(name));
            }
            return object.get(name).intValue();
        }

        private static SortedMap<String, String> texts(JsonNode object, String name) {
            var texts = new TreeMap<String, String>();
            JsonNode map = object.get(name);
            for (Map.Entry<String, JsonNode> member : map.properties()) {
                texts.put(member.getKey(), text(map, member.getKey()));
            }
            return texts;
        }
    }
}
