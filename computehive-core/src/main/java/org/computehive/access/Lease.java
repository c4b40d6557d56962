package org.computehive.access;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.Objects;

/**
 * What the gateway lets one rental do: connect to one VM within one window.
 *
 * @param principal the principal of the rental's certificates, and the user name at the gateway
 * @param vmName the only host name the renter may connect to, at port 22
 * @param target where that name leads
 * @param notBefore when connections begin to be let in; inclusive
 * @param notAfter when all connections end; exclusive
 * @param traffic how much may flow
 */
public record Lease(
        String principal,
        String vmName,
        InetSocketAddress target,
        Instant notBefore,
        Instant notAfter,
        Traffic traffic) {
    /** Makes a lease of {@link Traffic#UNLIMITED unlimited} traffic. */
    public Lease(String principal, String vmName, InetSocketAddress target, Instant notBefore, Instant notAfter) {
        this(principal, vmName, target, notBefore, notAfter, Traffic.UNLIMITED);
    }

    /**
     * Checks the names and the target.
     *
     * @throws IllegalArgumentException if a name is malformed, or the target is unresolved, has no port or can't be a VM
     *     (any-local, multicast or link-local, where metadata services live)
     * @throws AccessException.OutsideWindow if the lease ends before it begins
     */
    public Lease {
        Names.principal(principal);
        Names.host(vmName);
        Objects.requireNonNull(notBefore, "notBefore");
        Objects.requireNonNull(traffic, "traffic");
        if (!notBefore.isBefore(notAfter)) {
            throw new AccessException.OutsideWindow(
                    "lease of %s from %s to %s is empty: its end must be after its begin"
                            .formatted(principal, notBefore, notAfter));
        }
        InetAddress address = target.getAddress();
        if (address == null
                || target.getPort() == 0
                || address.isAnyLocalAddress()
                || address.isMulticastAddress()
                || address.isLinkLocalAddress()) {
            throw new IllegalArgumentException(
                    "target %s of %s is not allowed: give the VM's own resolved address and port"
                            .formatted(target, principal));
        }
    }

    String targetHost() {
        return target.getAddress().getHostAddress();
    }
}
