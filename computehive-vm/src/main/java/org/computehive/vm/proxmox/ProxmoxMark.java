package org.computehive.vm.proxmox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.RentalId;

/**
 * ComputeHive's metadata, in a VM's description: whose it is is read from here and never from its name alone.
 *
 * @param id the rental
 * @param expires the end of the window
 * @param address the guest's IPv4 address
 * @param port the port of its SSH server
 * @param ready whether its start was finished
 * @param facts what it runs on
 */
record ProxmoxMark(RentalId id, Instant expires, String address, int port, boolean ready, Map<String, String> facts) {
    static final String TAG = "computehive";
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    ProxmoxMark {
        facts = Map.copyOf(facts);
    }

    ProxmoxMark expiring(Instant end) {
        return new ProxmoxMark(id, end, address, port, ready, facts);
    }

    ProxmoxMark nowReady() {
        return new ProxmoxMark(id, expires, address, port, true, facts);
    }

    RunningVm running() {
        try {
            return new RunningVm(id, new InetSocketAddress(InetAddress.getByName(address), port), expires, facts);
        } catch (UnknownHostException e) {
            throw new IllegalStateException("an IPv4 address needs no name server", e);
        }
    }

    String description() {
        ObjectNode root = JSON.createObjectNode()
                .put(TAG, 1)
                .put("rental", id.value())
                .put("expires", expires.toString())
                .put("address", address)
                .put("port", port)
                .put("ready", ready);
        ObjectNode all = root.putObject("facts");
        new TreeMap<>(facts).forEach(all::put);
        return root.toString();
    }

    /** Reads a description; empty if it is not ours. */
    static Optional<ProxmoxMark> read(String description) {
        try {
            JsonNode root = JSON.readTree(description.strip());
            String address = root.path("address").asText();
            if (root.path(TAG).asInt() != 1 || !address.matches("(\\d{1,3}\\.){3}\\d{1,3}")) {
                return Optional.empty();
            }
            var facts = new TreeMap<String, String>();
            root.path("facts")
                    .properties()
                    .forEach(fact -> facts.put(fact.getKey(), fact.getValue().asText()));
            return Optional.of(new ProxmoxMark(
                    new RentalId(root.path("rental").asText()),
                    Instant.parse(root.path("expires").asText()),
                    address,
                    root.path("port").asInt(),
                    root.path("ready").asBoolean(),
                    facts));
        } catch (JsonProcessingException | IllegalArgumentException | DateTimeException e) {
            return Optional.empty();
        }
    }
}
