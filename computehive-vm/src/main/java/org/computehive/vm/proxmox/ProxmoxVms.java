package org.computehive.vm.proxmox;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;

/** The VMs of a node that carry ComputeHive's metadata, and what can be done to one. */
final class ProxmoxVms {
    private static final int ID_TRIES = 8;

    private final ProxmoxApi api;
    private final ProxmoxSettings settings;

    ProxmoxVms(ProxmoxApi api, ProxmoxSettings settings) {
        this.api = api;
        this.settings = settings;
    }

    /** A VM of ours. */
    record Vm(int vmid, boolean running, ProxmoxMark mark) {}

    String path(int vmid, String rest) {
        return "nodes/%s/qemu/%d%s".formatted(settings.node(), vmid, rest);
    }

    JsonNode config(int vmid) {
        return api.get(path(vmid, "/config"), Map.of());
    }

    List<Vm> all() {
        var vms = new ArrayList<Vm>();
        for (JsonNode vm : api.get("nodes/%s/qemu".formatted(settings.node()), Map.of())) {
            boolean candidate = vm.path("template").asInt() != 1
                    && (vm.path("tags").asText().contains(ProxmoxMark.TAG)
                            || vm.path("name").asText().startsWith("ch-"));
            if (candidate) {
                int vmid = vm.path("vmid").asInt();
                boolean running = vm.path("status").asText().equals("running");
                ProxmoxMark.read(config(vmid).path("description").asText())
                        .ifPresent(mark -> vms.add(new Vm(vmid, running, mark)));
            }
        }
        return vms;
    }

    List<Vm> of(RentalId id) {
        return all().stream().filter(vm -> vm.mark().id().equals(id)).toList();
    }

    Optional<Vm> running(RentalId id) {
        return of(id).stream().filter(Vm::running).findFirst();
    }

    /** Clones a template; another may take the free number first, so it is tried with the next. */
    int cloned(int template, ProxmoxMark mark) {
        for (int tries = 1; ; tries++) {
            int vmid = api.get("cluster/nextid", Map.of()).asInt();
            var form = new LinkedHashMap<String, String>();
            form.put("newid", Integer.toString(vmid));
            form.put("name", mark.id().vmName());
            form.put("description", mark.description());
            if (!settings.pool().isEmpty()) {
                form.put("pool", settings.pool());
            }
            try {
                api.await("cloning template " + template, api.post(path(template, "/clone"), form));
                return vmid;
            } catch (HypervisorException.Lacking | HypervisorException.Refused e) {
                boolean taken = String.valueOf(e.getMessage()).contains("already exists");
                if (!taken || tries == ID_TRIES) {
                    throw e;
                }
            }
        }
    }

    void set(int vmid, Map<String, String> form) {
        api.put(path(vmid, "/config"), form);
    }

    /** Makes a disk larger; Proxmox VE makes none smaller. */
    void resize(int vmid, String disk, int mib) {
        JsonNode task = api.put(path(vmid, "/resize"), Map.of("disk", disk, "size", mib + "M"));
        if (!task.isNull() && !task.isMissingNode()) { // releases before 8.0 answer when it is done
            api.await("resizing the disk of VM " + vmid, task);
        }
    }

    void start(int vmid) {
        api.await("starting VM " + vmid, api.post(path(vmid, "/status/start"), Map.of()));
    }

    /** Stops a VM at once, and looks whether it did. */
    void stop(int vmid) {
        api.await("stopping VM " + vmid, api.post(path(vmid, "/status/stop"), Map.of()));
        String status =
                api.get(path(vmid, "/status/current"), Map.of()).path("status").asText();
        if (!status.equals("stopped")) {
            throw new HypervisorException.NotGone(
                    "VM %d is %s after it was stopped: call again".formatted(vmid, status), null);
        }
    }

    void delete(int vmid) {
        api.await(
                "deleting VM " + vmid,
                api.delete(path(vmid, ""), Map.of("purge", "1", "destroy-unreferenced-disks", "1")));
    }

    /** Returns a free address among the guests'. */
    String freeAddress() {
        List<String> taken = all().stream().map(vm -> vm.mark().address()).toList();
        return settings.network().addresses().stream()
                .filter(address -> !taken.contains(address))
                .findFirst()
                .orElseThrow(() -> new HypervisorException.Lacking(
                        "all %d addresses for guests are taken: end a VM or configure more"
                                .formatted(settings.network().addresses().size()),
                        null));
    }
}
