/**
 * Ephemeral virtual machines over libvirt. Start at {@link org.computehive.vm.LibvirtHypervisor}; its two companions are
 * {@link org.computehive.vm.PrivateLibvirt}, a libvirt of our own, and {@link org.computehive.vm.ImageCatalogue}.
 */
@NullMarked
package org.computehive.vm;

import org.jspecify.annotations.NullMarked;
