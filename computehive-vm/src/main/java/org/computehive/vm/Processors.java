package org.computehive.vm;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.computehive.rental.HypervisorException;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;
import org.w3c.dom.Element;

/** The host's processors that are set aside for guests. Which of them are taken, the running domains say. Thread-safe. */
final class Processors {
    private final Libvirt libvirt;
    private final List<Integer> setAside;

    Processors(Libvirt libvirt, List<Integer> setAside) {
        this.libvirt = libvirt;
        this.setAside = setAside;
    }

    /**
     * Makes a VM on processors that no other has; nobody else chooses meanwhile.
     *
     * @param count how many it needs
     * @param make makes it on these; none where no processors are set aside
     * @throws HypervisorException.Lacking if there are not as many left
     */
    <T> T taking(int count, Function<List<Integer>, T> make) {
        return setAside.isEmpty() ? make.apply(List.of()) : takingOwn(count, make);
    }

    private synchronized <T> T takingOwn(int count, Function<List<Integer>, T> make) {
        var free = new ArrayList<>(setAside);
        free.removeAll(taken());
        if (free.size() < count) {
            throw new HypervisorException.Lacking(
                    "VM needs %d processors of its own and %d of %s are free: set more aside, or wait for another session's end"
                            .formatted(count, free.size(), setAside),
                    null);
        }
        return make.apply(List.copyOf(free.subList(0, count)));
    }

    private List<Integer> taken() {
        return libvirt.call("reading which processors are taken", connect -> {
            var taken = new ArrayList<Integer>();
            Domain[] all = connect.listAllDomains(0);
            try {
                for (Domain domain : all) {
                    taken.addAll(pins(domain));
                }
            } finally {
                for (Domain domain : all) {
                    domain.free();
                }
            }
            return taken;
        });
    }

    private static List<Integer> pins(Domain domain) throws LibvirtException {
        try {
            var pins = new ArrayList<Integer>();
            for (Element tune : Xml.children(Xml.parse(domain.getXMLDesc(0)), "cputune")) {
                for (Element pin : Xml.children(tune, "vcpupin")) {
                    String cpus = pin.getAttribute("cpuset");
                    if (cpus.matches("\\d{1,4}")) { // ours have one each
                        pins.add(Integer.parseInt(cpus));
                    }
                }
            }
            return pins;
        } catch (LibvirtException e) {
            if (Libvirt.code(e) == ErrorNumber.VIR_ERR_NO_DOMAIN) {
                return List.of();
            }
            throw e;
        }
    }
}
