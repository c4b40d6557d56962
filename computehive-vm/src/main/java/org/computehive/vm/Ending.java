package org.computehive.vm;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.UUID;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.libvirt.Domain;

/** Ends VMs and observes that nothing of them runs. */
final class Ending {
    private static final Duration LIMIT = Duration.ofSeconds(15);
    /** libvirt sends it while it destroys; a daemon that was lost meanwhile never does. */
    private static final Duration EVENT_LIMIT = Duration.ofSeconds(2);

    private final Libvirt libvirt;
    private final Places places;
    private final Domains domains;
    private final SessionStore sessions;
    private final Consoles consoles;
    private final Progress progress;
    private final VfioFiles vfio = new VfioFiles();

    Ending(
            Libvirt libvirt,
            Places places,
            Domains domains,
            SessionStore sessions,
            Consoles consoles,
            Progress progress) {
        this.libvirt = libvirt;
        this.places = places;
        this.domains = domains;
        this.sessions = sessions;
        this.consoles = consoles;
        this.progress = progress;
    }

    /** Ends the VM and says what was seen. */
    Map<String, String> end(RentalId id) {
        var facts = new LinkedHashMap<String, String>();
        Optional<SessionMark> mark = domains.find(id);
        OptionalLong pid = process(id);
        Set<Path> passed = mark.map(SessionMark::devices).map(vfio::of).orElse(Set.of());
        long memory = pid.isPresent() ? Processes.residentMiB(pid.getAsLong()) : 0;
        if (mark.isPresent()) {
            UUID uuid = domains.identity(id);
            libvirt.stop(uuid);
            domains.act(id, "destroying the VM", Domain::destroy);
            progress.took(Progress.Step.VM_DESTROYED);
            facts.put("stopped event", libvirt.awaitStop(uuid, EVENT_LIMIT) ? "seen" : "not seen");
        }
        if (domains.find(id).isPresent()) {
            throw new HypervisorException.NotGone("VM %s is still there: call again".formatted(id.vmName()), null);
        }
        facts.put("vm", mark.isPresent() ? "gone" : "none found");
        pid.ifPresent(number -> {
            facts.put("process", endProcess(id, number));
            facts.put("memory", memory + " MiB returned");
        });
        progress.took(Progress.Step.PROCESS_GONE);
        if (!passed.isEmpty()) {
            facts.put("vfio descriptors", closed(id, passed));
        }
        mark.map(SessionMark::ssh)
                .filter(ssh -> ssh.getAddress().isLoopbackAddress())
                .ifPresent(ssh -> facts.put("port " + ssh.getPort(), free(ssh.getPort()) ? "free" : "in use"));
        facts.put("network", GuestNetworks.close(id));
        consoles.forget(id);
        facts.put("seed", sessions.unseed(id) ? "deleted from memory" : "none found");
        return facts;
    }

    /** A device that somebody still has open can't be reset, and nobody else can have it. */
    private String closed(RentalId id, Set<Path> files) {
        try {
            vfio.holder(files).ifPresent(holder -> {
                throw new HypervisorException.NotGone(
                        "process %d still has a device of %s open (%s): end it and call again"
                                .formatted(holder, id.vmName(), files),
                        null);
            });
            return files + " closed";
        } catch (IOException e) {
            throw new HypervisorException.NotGone(
                    "whether %s are closed can't be read (%s): call again".formatted(files, e), e);
        }
    }

    private String endProcess(RentalId id, long number) {
        Optional<ProcessHandle> process =
                ProcessHandle.of(number).filter(candidate -> Processes.mentions(candidate, "guest=" + id.vmName()));
        if (process.isPresent() && !Processes.awaitEnd(process.get(), LIMIT)) {
            throw new HypervisorException.NotGone(
                    "QEMU of %s (process %d) still runs: call again".formatted(id.vmName(), number), null);
        }
        return number + " gone";
    }

    private static boolean free(int port) {
        try (var socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns the number of QEMU's process, while it runs or from the journal. */
    OptionalLong process(RentalId id) {
        Optional<Long> live = Processes.read(places.domainRun().resolve(id.vmName() + ".pid"));
        if (live.isPresent()) {
            return OptionalLong.of(live.get());
        }
        return sessions.journal(id).map(Journal::process).orElse(OptionalLong.empty());
    }
}
