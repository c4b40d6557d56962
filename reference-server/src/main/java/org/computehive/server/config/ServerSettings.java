package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.util.Optional;

/**
 * What the server is told of itself, under {@code computehive}; each key may come from the command line, the environment
 * or a YAML file.
 *
 * @param data where everything is kept; see {@link Folders}
 * @param bind the address that the API listens at
 * @param port its port, 0 for a free one
 * @param hostId the name of this machine as a host
 * @param lender the account that owns this machine; needed unless the chain is a development chain
 * @param renter the account of the first renter's token; on a development chain it has one of its own
 * @param hypervisor a libvirt daemon, such as {@code qemu:///system}, or the https address of Proxmox VE's API; without it a
 *     private libvirt
 * @param images where guest images are kept; without it the user's cache
 */
@ConfigurationProperties("computehive")
public record ServerSettings(
        Optional<String> data,
        @Bindable(defaultValue = "127.0.0.1") String bind,
        @Bindable(defaultValue = "8080") int port,
        @Bindable(defaultValue = "local") String hostId,
        Optional<String> lender,
        Optional<String> renter,
        Optional<String> hypervisor,
        Optional<String> images) {}
