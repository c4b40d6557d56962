package org.computehive.vm;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the domains of rentals. One is a rental's if its metadata says so and its name is that rental's: others may make
 * domains on the same libvirt and write what they like into them.
 */
final class Domains {
    private static final Logger LOG = LoggerFactory.getLogger(Domains.class);

    private final Libvirt libvirt;

    Domains(Libvirt libvirt) {
        this.libvirt = libvirt;
    }

    /** Returns the VMs of all rentals, sorted. */
    List<RunningVm> list() {
        return libvirt.call("listing the VMs", connect -> {
            var found = new ArrayList<RunningVm>();
            Domain[] all = connect.listAllDomains(0);
            try {
                for (Domain domain : all) {
                    mark(domain).ifPresent(mark -> found.add(mark.running()));
                }
            } finally {
                for (Domain domain : all) {
                    domain.free();
                }
            }
            found.sort((one, two) -> one.id().compareTo(two.id()));
            return List.copyOf(found);
        });
    }

    /** Reads a domain's mark and lets go of it; empty if it isn't ours or has just gone. */
    private static Optional<SessionMark> mark(Domain domain) throws LibvirtException {
        try {
            String name = domain.getName();
            Optional<SessionMark> mark = SessionMark.read(domain.getXMLDesc(0));
            if (mark.isPresent() && !mark.get().id().vmName().equals(name)) {
                LOG.warn("a domain carries the metadata of another rental: domain={}", Printable.line(name));
                return Optional.empty();
            }
            return mark;
        } catch (LibvirtException e) {
            if (Libvirt.code(e) == ErrorNumber.VIR_ERR_NO_DOMAIN) {
                return Optional.empty();
            }
            throw e;
        } catch (IllegalArgumentException e) {
            LOG.warn("a domain has metadata that can't be read: {}", Printable.line(String.valueOf(e.getMessage())));
            return Optional.empty();
        } finally {
            domain.free();
        }
    }

    /**
     * Returns the mark of a rental's VM, or nothing where there is none.
     *
     * @throws HypervisorException.Refused if somebody else's domain has its name
     */
    Optional<SessionMark> find(RentalId id) {
        return libvirt.call("looking for " + id.vmName(), connect -> {
            Optional<Domain> domain = lookUp(connect, id);
            Optional<SessionMark> mark = domain.isPresent() ? mark(domain.get()) : Optional.empty();
            if (domain.isPresent() && mark.isEmpty()) {
                Optional<Domain> still = lookUp(connect, id); // it may have gone while it was read
                if (still.isPresent()) {
                    still.get().free();
                    throw new HypervisorException.Refused(
                            "domain %s was not made by this software: it lacks the rental's metadata; remove it"
                                    .formatted(id.vmName()),
                            null);
                }
            }
            return mark;
        });
    }

    private static Optional<Domain> lookUp(Connect connect, RentalId id) throws LibvirtException {
        try {
            return Optional.of(connect.domainLookupByName(id.vmName()));
        } catch (LibvirtException e) {
            if (Libvirt.code(e) == ErrorNumber.VIR_ERR_NO_DOMAIN) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Returns libvirt's identity of a rental's VM. */
    UUID identity(RentalId id) {
        return libvirt.call("looking for " + id.vmName(), connect -> {
            Optional<Domain> domain = lookUp(connect, id);
            if (domain.isEmpty()) {
                return UUID.randomUUID(); // it went by itself: no event will come, and none is needed
            }
            try {
                return UUID.fromString(domain.get().getUUIDString());
            } finally {
                domain.get().free();
            }
        });
    }

    /** What is done to a domain. */
    interface Act {
        void on(Domain domain) throws LibvirtException;
    }

    /** Does something to a domain; one that is gone is fine. */
    void act(RentalId id, String what, Act act) {
        libvirt.call(what, connect -> {
            Optional<Domain> domain = lookUp(connect, id);
            if (domain.isPresent()) {
                try {
                    act.on(domain.get());
                } catch (LibvirtException e) {
                    if (Libvirt.code(e) != ErrorNumber.VIR_ERR_NO_DOMAIN) {
                        throw e;
                    }
                } finally {
                    domain.get().free();
                }
            }
            return true;
        });
    }
}
