package org.computehive.vm;

/** What a host lacks for confidential guests. Immutable and thread-safe. */
public sealed interface ConfidentialGap {
    /** Returns what is missing and what to do, in words. */
    String message();

    /** Libvirt has no KVM guests here. */
    record NoKvm() implements ConfidentialGap {
        @Override
        public String message() {
            return "libvirt runs no KVM guests of machine type q35 here, and software emulation encrypts no memory: "
                    + "load the module kvm_amd or kvm_intel and let libvirt open /dev/kvm";
        }
    }

    /** Libvirt does not know of it. */
    record NoLibvirt() implements ConfidentialGap {
        @Override
        public String message() {
            return "libvirt does not say what launch security it has: install libvirt 10.5 and QEMU 9.1 or newer for SEV-SNP, "
                    + "libvirt 11.6 and QEMU 10.1 or newer for TDX";
        }
    }

    /**
     * Neither SEV-SNP nor TDX is there.
     *
     * @param offered what libvirt offers instead, in its words; empty for nothing
     */
    record NoHardware(String offered) implements ConfidentialGap {
        @Override
        public String message() {
            return ("neither SEV-SNP nor TDX can be had (libvirt offers %s): it needs an EPYC from Milan on with SNP, or a Xeon from "
                            + "the fifth generation on with TDX, switched on in firmware and kernel (kvm_amd.sev_snp=1, kvm_intel.tdx=1)")
                    .formatted(offered.isEmpty() ? "none" : offered);
        }
    }

    /** There is no firmware that such guests start with. */
    record NoFirmware() implements ConfidentialGap {
        @Override
        public String message() {
            return "libvirt has no UEFI firmware for guests, which confidential ones start with: install the Debian package ovmf";
        }
    }
}
