package org.computehive.vm.attestation;

import java.nio.ByteBuffer;

/**
 * The versions of a processor's firmware (AMD 56860, TCB_VERSION), each 0 to 255.
 *
 * @param fmc of Turin's first mutable code; 0 for older lines, which have none
 * @param bootLoader of the boot loader
 * @param tee of the security processor's operating system
 * @param snp of the SNP firmware
 * @param microcode of the microcode
 */
public record SnpTcb(int fmc, int bootLoader, int tee, int snp, int microcode) {
    /** The lowest. */
    public static final SnpTcb ZERO = new SnpTcb(0, 0, 0, 0, 0);

    /** Reads the eight bytes of a report, whose order is another since Turin. Reserved ones must be 0. */
    static SnpTcb read(SnpProduct product, ByteBuffer report, int at) {
        int[] of = new int[8];
        for (int i = 0; i < of.length; i++) {
            of[i] = Byte.toUnsignedInt(report.get(at + i));
        }
        boolean turin = product == SnpProduct.TURIN;
        for (int i = turin ? 4 : 2; i < (turin ? 7 : 6); i++) {
            if (of[i] != 0) {
                throw Failed.because(
                        "tcb", "byte %d of the TCB version at 0x%x is reserved, and is %d".formatted(i, at, of[i]));
            }
        }
        return turin ? new SnpTcb(of[0], of[1], of[2], of[3], of[7]) : new SnpTcb(0, of[0], of[1], of[6], of[7]);
    }

    /** Returns whether no version is lower than another's. */
    public boolean isAtLeast(SnpTcb least) {
        return fmc >= least.fmc
                && bootLoader >= least.bootLoader
                && tee >= least.tee
                && snp >= least.snp
                && microcode >= least.microcode;
    }

    @Override
    public String toString() {
        return "fmc=%d bl=%d tee=%d snp=%d ucode=%d".formatted(fmc, bootLoader, tee, snp, microcode);
    }
}
