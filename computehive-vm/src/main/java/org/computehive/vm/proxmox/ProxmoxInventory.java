package org.computehive.vm.proxmox;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.computehive.market.Assurance;
import org.computehive.market.Gpu;
import org.computehive.market.GuestPlatform;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.Inventory;
import org.computehive.rental.HypervisorException;

/** What a node has: its processors and memory, its PCI resource mappings, its templates. */
final class ProxmoxInventory {
    static final String NETWORK = "nothing, as the operator of Proxmox VE filters the guests' bridge";
    static final Map<String, String> LAYOUT = Map.of(
            "machine", "Proxmox VE template",
            "acceleration", "kvm",
            "disk", "the storage's own: not encrypted with a key for this session");

    private final ProxmoxApi api;
    private final ProxmoxSettings settings;

    ProxmoxInventory(ProxmoxApi api, ProxmoxSettings settings) {
        this.api = api;
        this.settings = settings;
    }

    /** A gpu, and the mapping that a token may pass it through by. */
    record Mapped(String mapping, Gpu gpu) {}

    Inventory read() {
        JsonNode node = api.get("nodes/%s/status".formatted(settings.node()), Map.of());
        int cpus = node.path("cpuinfo").path("cpus").asInt();
        long memory = node.path("memory").path("total").asLong() / (1 << 20) * 3 / 4;
        if (cpus < 1 || memory < 1) {
            throw new HypervisorException.Lacking(
                    "node %s doesn't say its processors and memory: give token %s Sys.Audit on it"
                            .formatted(settings.node(), settings.token().id()),
                    null);
        }
        var images = new HashMap<String, GuestPlatform.Image>();
        settings.templates()
                .forEach((name, template) ->
                        images.put(name, new GuestPlatform.Image(Map.of("template", template.sha256()), Map.of())));
        return new Inventory(
                cpus,
                Math.toIntExact(Math.min(memory, Integer.MAX_VALUE)),
                gpus().stream().map(Mapped::gpu).toList(),
                "kvm",
                Assurance.ISOLATED,
                new GuestPlatform(Map.of("proxmox-ve", version()), LAYOUT, NETWORK, images));
    }

    String version() {
        return api.get("version", Map.of()).path("version").asText();
    }

    List<Mapped> gpus() {
        var gpus = new ArrayList<Mapped>();
        for (JsonNode mapping : api.get("cluster/mapping/pci", Map.of("check-node", settings.node()))) {
            var here = new ArrayList<Map<String, String>>();
            for (JsonNode entry : mapping.path("map")) {
                Map<String, String> parts = properties(entry.asText());
                if (settings.node().equals(parts.get("node"))) {
                    here.add(parts);
                }
            }
            if (!here.isEmpty()) {
                gpus.add(gpu(mapping, here));
            }
        }
        return gpus;
    }

    private static Mapped gpu(JsonNode mapping, List<Map<String, String>> here) {
        Map<String, String> parts = here.getFirst();
        String id = mapping.path("id").asText();
        String path = parts.getOrDefault("path", "").split(";", 2)[0];
        String full = path.split(":", -1).length == 2 ? "0000:" + path : path;
        String[] ids = parts.getOrDefault("id", "0000:0000").split(":", 2);
        String told = mapping.path("description")
                .asText()
                .replaceAll("[^\\x20-\\x7e]+", " ")
                .strip();
        String model = told.isEmpty() ? "PCI resource mapping " + id : told;
        var gpu = new Gpu(
                new PciAddress(full.contains(".") ? full : full + ".0"),
                ids[0],
                ids[1],
                model.substring(0, Math.min(120, model.length())),
                0,
                parts.containsKey("iommugroup")
                        ? OptionalInt.of(Integer.parseInt(parts.get("iommugroup")))
                        : OptionalInt.empty(),
                false,
                whyNot(mapping, here));
        return new Mapped(id, gpu);
    }

    private static Optional<String> whyNot(JsonNode mapping, List<Map<String, String>> here) {
        if (here.size() > 1) {
            return Optional.of(
                    "its resource mapping has %d devices on this node: make one for each".formatted(here.size()));
        }
        for (JsonNode check : mapping.path("checks")) {
            if (check.path("severity").asText().equals("error")) {
                return Optional.of(check.path("message").asText().replaceAll("[^\\x20-\\x7e]+", " "));
            }
        }
        return Optional.empty();
    }

    private static Map<String, String> properties(String text) {
        var parts = new LinkedHashMap<String, String>();
        for (String part : text.split(",", -1)) {
            int equals = part.indexOf('=');
            if (equals > 0) {
                parts.put(part.substring(0, equals), part.substring(equals + 1));
            }
        }
        return parts;
    }

    /** The SHA-256 of a VM's configuration: each setting as {@code name=value} and a line feed, in the order of their names. */
    static String sha256(JsonNode config) {
        var settings = new TreeMap<String, String>();
        config.properties()
                .forEach(setting ->
                        settings.put(setting.getKey(), setting.getValue().asText()));
        settings.remove("digest");
        var text = new StringBuilder();
        settings.forEach(
                (name, value) -> text.append(name).append('=').append(value).append('\n'));
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256")
                            .digest(text.toString().getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
