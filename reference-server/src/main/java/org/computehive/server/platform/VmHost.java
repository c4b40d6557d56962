package org.computehive.server.platform;

import java.net.URI;
import java.util.Optional;
import org.computehive.vm.ImageRules;
import org.computehive.vm.LibvirtHypervisor;
import org.computehive.vm.proxmox.ProxmoxSettings;

/** What runs a platform's VMs. Immutable and thread-safe. */
public sealed interface VmHost {
    /**
     * A libvirt on this machine.
     *
     * @param uri its daemon, such as {@code qemu:///system}; empty for a private one
     * @param options how VMs are run
     * @param images which images are taken
     */
    record Libvirt(Optional<URI> uri, LibvirtHypervisor.Options options, ImageRules images) implements VmHost {}

    /**
     * A node of a Proxmox VE cluster.
     *
     * @param settings where it is and what of it may be used
     */
    record ProxmoxVe(ProxmoxSettings settings) implements VmHost {}

    /** Returns a libvirt with the defaults: every network policy, images that need no signature. */
    static VmHost libvirt(Optional<URI> uri) {
        return new Libvirt(uri, LibvirtHypervisor.Options.defaults(), ImageRules.NONE);
    }
}
