package org.computehive.rental;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.computehive.market.MachineShape;
import org.computehive.market.PciAddress;

/**
 * The VM that a rental asks of a host.
 *
 * @param id the rental
 * @param expires the end of its window; written to the VM's metadata
 * @param shape processors, memory, disk and image
 * @param gpus the devices it gets
 * @param access what its SSH server needs
 */
public record VmSpec(RentalId id, Instant expires, MachineShape shape, List<PciAddress> gpus, GuestAccess access) {
    /** Copies the list. */
    public VmSpec {
        gpus = List.copyOf(gpus);
    }

    /**
     * What the guest's SSH server needs to know its one renter and to prove itself.
     *
     * <p>Holds a private key: {@link #toString()} doesn't show it.
     *
     * @param hostKey the guest's private host key, in OpenSSH's format
     * @param hostCertificate its certificate, one line in OpenSSH's format
     * @param userAuthorities the public keys of the user certificate authorities, one line each
     * @param principal the one principal that may enter
     */
    public record GuestAccess(String hostKey, String hostCertificate, String userAuthorities, String principal) {
        /** Checks that nothing is missing. */
        public GuestAccess {
            Objects.requireNonNull(hostKey, "hostKey");
            Objects.requireNonNull(hostCertificate, "hostCertificate");
            Objects.requireNonNull(userAuthorities, "userAuthorities");
            Objects.requireNonNull(principal, "principal");
        }

        /**
         * What a confidential guest is told at its start: it makes its host key itself, and gets a certificate only in the
         * {@link GuestRelease} that follows its attestation. {@link Hypervisor#start} takes no such access.
         */
        public static GuestAccess confidential(String userAuthorities, String principal) {
            return new GuestAccess("", "", userAuthorities, principal);
        }

        /** Returns whether the guest makes its own host key. */
        public boolean isConfidential() {
            return hostKey.isEmpty();
        }

        @Override
        public String toString() {
            return "GuestAccess[principal=" + principal + ", host key not shown]";
        }
    }
}
