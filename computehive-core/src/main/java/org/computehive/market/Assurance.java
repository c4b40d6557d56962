package org.computehive.market;

/** What a listing can honestly promise against its own lender. */
public enum Assurance {
    /** A VM with VFIO devices and an encrypted disk. The lender's root can still read the guest's memory. */
    ISOLATED,
    /** Memory encrypted by SEV-SNP or TDX and a confidential GPU, with a verified attestation. */
    CONFIDENTIAL
}
