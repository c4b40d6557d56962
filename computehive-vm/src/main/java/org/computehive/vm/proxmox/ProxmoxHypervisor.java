package org.computehive.vm.proxmox;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;
import org.computehive.vm.internal.CloudSeed;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs VMs on a node of a Proxmox VE cluster (8 or newer): clones of templates, found again by what their descriptions say.
 *
 * <p>GPUs are passed through by resource mappings, one device each, since Proxmox VE lets no token name a raw address; the token
 * needs {@code Mapping.Use} on them. Thread-safe: calls for one rental wait for each other, and so do those that choose an address.
 *
 * <h2>Security guarantees</h2>
 *
 * <p>The API is believed by a pinned key or an authority of one's own, the token is sent nowhere else and in no log. A guest's SSH
 * server takes certificates alone. <strong>What a private libvirt promises of the disk does not hold here:</strong> Proxmox VE has no
 * encryption with a key per VM, so a clone lies on the lender's storage as readable as the storage leaves it, and after
 * {@link #erase} it is deleted and not made unreadable; its facts say so. The host's private key lies in the seed on the
 * lender's storage until the guest has read it. The lender's root can read the guest's memory.
 */
public final class ProxmoxHypervisor implements Hypervisor {
    private static final Logger LOG = LoggerFactory.getLogger(ProxmoxHypervisor.class);

    private final ProxmoxSettings settings;
    private final ProxmoxApi api;
    private final ProxmoxInventory inventory;
    private final ProxmoxVms vms;
    private final Map<RentalId, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final ReentrantLock addresses = new ReentrantLock();

    private ProxmoxHypervisor(ProxmoxSettings settings) {
        this.settings = settings;
        this.api = new ProxmoxApi(settings);
        this.inventory = new ProxmoxInventory(api, settings);
        this.vms = new ProxmoxVms(api, settings);
    }

    /**
     * Connects.
     *
     * @throws HypervisorException.Unreachable if the API doesn't answer, or by another key
     * @throws HypervisorException.Lacking if it doesn't know the token
     */
    public static ProxmoxHypervisor connect(ProxmoxSettings settings) {
        var hypervisor = new ProxmoxHypervisor(settings);
        try {
            String version = hypervisor.inventory.version();
            if (!version.matches("([89]|\\d\\d)\\..*")) {
                throw new HypervisorException.Refused(
                        "Proxmox VE %s has no resource mappings: 8 or newer is needed".formatted(version), null);
            }
            return hypervisor;
        } catch (HypervisorException e) {
            hypervisor.close();
            throw e;
        }
    }

    /** Returns what pins a template: the SHA-256 of its configuration, which names its disks. Not of the disks' bytes. */
    public String templateSha256(int vmid) {
        return ProxmoxInventory.sha256(vms.config(vmid));
    }

    @Override
    public Inventory inventory() {
        return inventory.read();
    }

    @Override
    public void prepare(VmSpec spec) {
        locked(spec.id(), () -> {
            if (vms.of(spec.id()).isEmpty()) {
                try {
                    made(spec);
                } catch (HypervisorException e) {
                    clearUp(spec.id(), e);
                    throw e;
                }
            }
            return true;
        });
    }

    @Override
    public RunningVm start(VmSpec spec) {
        return locked(spec.id(), () -> {
            if (spec.access().isConfidential()) {
                throw new HypervisorException.Refused(
                        "Proxmox VE runs no confidential guests here: list its gpus as ISOLATED", null);
            }
            List<ProxmoxVms.Vm> found = vms.of(spec.id());
            for (ProxmoxVms.Vm vm : found) {
                if (vm.running() && vm.mark().ready()) {
                    return vm.mark().running();
                }
            }
            try {
                check(spec.shape().network());
                boolean prepared = found.size() == 1 && !found.getFirst().running();
                if (!prepared) {
                    // A start that was cut off: its guest's state is unknown.
                    gone(spec.id());
                }
                int vmid = prepared ? found.getFirst().vmid() : made(spec);
                return boot(spec, vmid).running();
            } catch (HypervisorException e) {
                clearUp(spec.id(), e);
                throw e;
            }
        });
    }

    /** What the bridge does is its operator's work: another policy than that can't be enforced here. */
    private void check(NetworkPolicy policy) {
        NetworkPolicy.Kind reaches = settings.network().reaches();
        if (policy.kind() != reaches) {
            throw new HypervisorException.Refused(
                    "network policy %s can't be enforced by Proxmox VE here, where the guests' bridge is filtered for %s: list it under that policy, or on a host with libvirt"
                            .formatted(policy.kind(), reaches),
                    null);
        }
    }

    private int made(VmSpec spec) {
        check(spec.shape().network());
        ProxmoxSettings.Template template = template(spec);
        BootDisk disk = BootDisk.of(vms.config(template.vmid()));
        if (spec.shape().diskMiB() < disk.mib()) {
            throw new HypervisorException.Refused(
                    "disk of %d MiB is smaller than image %s, whose disk has %d MiB: list at least that much"
                            .formatted(spec.shape().diskMiB(), spec.shape().image(), disk.mib()),
                    null);
        }
        Map<PciAddress, String> mappings = mappings(spec);
        var facts = new HashMap<>(ProxmoxInventory.LAYOUT);
        facts.put("image", spec.shape().image());
        facts.put("template sha256", template.sha256());
        facts.put("proxmox-ve version", inventory.version());
        facts.put(
                "network",
                spec.shape().network().equals(NetworkPolicy.NONE)
                        ? ProxmoxInventory.NETWORK
                        : spec.shape().network().words());
        facts.put(
                "gpus",
                String.join(", ", spec.gpus().stream().map(PciAddress::value).toList()));
        int vmid = cloned(spec, template, facts);
        var form = new LinkedHashMap<String, String>();
        form.put("tags", ProxmoxMark.TAG);
        form.put("cores", Integer.toString(spec.shape().cpus()));
        form.put("sockets", "1");
        form.put("memory", Integer.toString(spec.shape().memoryMiB()));
        form.put("balloon", "0");
        form.put("onboot", "0");
        form.put("agent", "0");
        int number = 0;
        for (PciAddress gpu : spec.gpus()) {
            form.put("hostpci" + number++, "mapping=%s,pcie=1,rombar=0".formatted(mappings.get(gpu)));
        }
        vms.set(vmid, form);
        if (spec.shape().diskMiB() > disk.mib()) {
            vms.resize(vmid, disk.name(), spec.shape().diskMiB());
        }
        return vmid;
    }

    private int cloned(VmSpec spec, ProxmoxSettings.Template template, Map<String, String> facts) {
        addresses.lock();
        try {
            var mark = new ProxmoxMark(
                    spec.id(),
                    spec.expires(),
                    vms.freeAddress(),
                    settings.network().sshPort(),
                    false,
                    facts);
            return vms.cloned(template.vmid(), mark);
        } finally {
            addresses.unlock();
        }
    }

    private ProxmoxSettings.Template template(VmSpec spec) {
        String image = spec.shape().image();
        ProxmoxSettings.Template template = settings.templates().get(image);
        if (template == null) {
            throw new HypervisorException.Refused(
                    "image %s is not in the catalogue, which has %s"
                            .formatted(image, settings.templates().keySet()),
                    null);
        }
        JsonNode config = vms.config(template.vmid());
        String found = ProxmoxInventory.sha256(config);
        if (config.path("template").asInt() != 1 || !found.equals(template.sha256())) {
            throw new HypervisorException.Refused(
                    "image %s: VM %d is no template, or the SHA-256 of its configuration is %s, not %s"
                            .formatted(image, template.vmid(), found, template.sha256()),
                    null);
        }
        return template;
    }

    private Map<PciAddress, String> mappings(VmSpec spec) {
        var mappings = new HashMap<PciAddress, String>();
        List<ProxmoxInventory.Mapped> all = inventory.gpus();
        for (PciAddress address : spec.gpus()) {
            ProxmoxInventory.Mapped mapped = all.stream()
                    .filter(one -> one.gpu().address().equals(address))
                    .findFirst()
                    .orElseThrow(() -> new HypervisorException.Refused(
                            "gpu %s is in no resource mapping of node %s".formatted(address, settings.node()), null));
            mapped.gpu().unavailable().ifPresent(why -> {
                throw new HypervisorException.Refused(
                        "gpu %s can't be passed through: %s".formatted(address, why), null);
            });
            mappings.put(address, mapped.mapping());
        }
        return mappings;
    }

    private ProxmoxMark boot(VmSpec spec, int vmid) {
        ProxmoxMark mark = ProxmoxMark.read(vms.config(vmid).path("description").asText())
                .orElseThrow(() -> new HypervisorException.Lacking("VM %d lost its description".formatted(vmid), null))
                .expiring(spec.expires());
        String seed = spec.id().vmName() + ".iso";
        byte[] image = CloudSeed.disc(spec, settings.network().place(mark.address()));
        api.await(
                "uploading a seed",
                api.upload("nodes/%s/storage/%s/upload".formatted(settings.node(), settings.seeds()), seed, image));
        vms.set(vmid, Map.of("ide2", "%s:iso/%s,media=cdrom".formatted(settings.seeds(), seed)));
        vms.start(vmid);
        awaitBanner(mark);
        vms.set(vmid, Map.of("ide2", "none,media=cdrom"));
        unseed(spec.id());
        ProxmoxMark ready = mark.nowReady();
        vms.set(vmid, Map.of("description", ready.description()));
        LOG.info("VM ready: rental={} vmid={} address={}", spec.id(), vmid, mark.address());
        return ready;
    }

    private void awaitBanner(ProxmoxMark mark) {
        var address = new InetSocketAddress(mark.address(), mark.port());
        long end = System.nanoTime() + settings.limits().ready().toNanos();
        while (!answers(address)) {
            if (System.nanoTime() > end) {
                throw new HypervisorException.GuestFailed(
                        "no SSH server at %s after %s: look at the VM's console, its seed and its bridge"
                                .formatted(address, settings.limits().ready()),
                        null);
            }
            ProxmoxApi.pause(settings.limits().poll());
        }
    }

    private boolean answers(InetSocketAddress address) {
        int limit = Math.toIntExact(Math.max(1, settings.limits().call().toMillis()));
        try (var socket = new Socket()) {
            socket.connect(address, limit);
            socket.setSoTimeout(limit);
            return new String(socket.getInputStream().readNBytes(4), StandardCharsets.US_ASCII).equals("SSH-");
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public RunningVm expire(RentalId id, Instant expires) {
        return locked(id, () -> {
            ProxmoxVms.Vm vm = vms.running(id)
                    .orElseThrow(() -> new HypervisorException.Refused(
                            "no VM %s runs here: it can't be given another end".formatted(id.vmName()), null));
            ProxmoxMark moved = vm.mark().expiring(expires);
            vms.set(vm.vmid(), Map.of("description", moved.description()));
            return moved.running();
        });
    }

    @Override
    public Teardown destroy(RentalId id) {
        return locked(id, () -> {
            String seen = "none found";
            for (ProxmoxVms.Vm vm : vms.of(id)) {
                if (vm.running()) {
                    vms.stop(vm.vmid());
                }
                seen = "stopped, as Proxmox VE says";
            }
            return new Teardown(Map.of("vm", seen));
        });
    }

    @Override
    public Teardown erase(RentalId id) {
        return locked(id, () -> {
            if (vms.running(id).isPresent()) {
                throw new HypervisorException.NotGone(
                        "VM %s still runs: destroy it before its disk is erased".formatted(id.vmName()), null);
            }
            boolean any = gone(id);
            return new Teardown(Map.of(
                    "disk", any ? "deleted from the storage, not overwritten: it had no key of its own" : "none found",
                    "seed", "gone",
                    "vm", "none found"));
        });
    }

    /** Ends and deletes whatever there is of a rental, and looks whether it is gone. */
    private boolean gone(RentalId id) {
        List<ProxmoxVms.Vm> found = vms.of(id);
        for (ProxmoxVms.Vm vm : found) {
            if (vm.running()) {
                vms.stop(vm.vmid());
            }
            vms.delete(vm.vmid());
        }
        unseed(id);
        if (!found.isEmpty() && !vms.of(id).isEmpty()) {
            throw new HypervisorException.NotGone("VM %s is still there: call again".formatted(id.vmName()), null);
        }
        return !found.isEmpty();
    }

    private void unseed(RentalId id) {
        String volume = "%s:iso/%s.iso".formatted(settings.seeds(), id.vmName());
        String content = "nodes/%s/storage/%s/content".formatted(settings.node(), settings.seeds());
        for (JsonNode one : api.get(content, Map.of("content", "iso"))) {
            if (one.path("volid").asText().equals(volume)) {
                JsonNode task = api.deleteVolume(content, volume);
                if (!task.isNull() && !task.isMissingNode()) {
                    api.await("deleting a seed", task);
                }
            }
        }
    }

    private void clearUp(RentalId id, HypervisorException why) {
        try {
            gone(id);
        } catch (HypervisorException e) {
            why.addSuppressed(e);
        }
    }

    @Override
    public List<Turnover> turnOver(RentalId id, List<PciAddress> gpus) {
        var results = new ArrayList<Turnover>();
        for (PciAddress gpu : gpus) {
            results.add(new Turnover(
                    gpu,
                    false,
                    "quarantined: Proxmox VE can reset it but not scrub its memory; release it once you have"));
        }
        return List.copyOf(results);
    }

    @Override
    public List<RunningVm> list() {
        return vms.all().stream()
                .filter(ProxmoxVms.Vm::running)
                .map(vm -> vm.mark().running())
                .toList();
    }

    @Override
    public Optional<Instant> endedByPlatform(RentalId id) {
        return Optional.empty();
    }

    private <T> T locked(RentalId id, Supplier<T> work) {
        ReentrantLock lock = locks.computeIfAbsent(id, key -> new ReentrantLock());
        lock.lock();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        api.close();
    }
}
