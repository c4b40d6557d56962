package org.computehive.vm.attestation;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/**
 * What Intel's certificate of a platform says of it (Intel SGX PCK Certificate and Certificate Revocation List Profile
 * Specification, 1.3.5).
 *
 * @param platform the family and model (FMSPC), 12 hexadecimal digits
 * @param components the security versions of its 16 components
 * @param pce the security version of the enclave that certified the key
 */
record PckTcb(String platform, List<Integer> components, int pce) {
    private static final String EXTENSION = "1.2.840.113741.1.13.1";
    private static final String PREFIX = "2a864886f84d010d01";
    private static final String TCB = PREFIX + "02";
    private static final String FMSPC = PREFIX + "04";
    private static final int COMPONENTS = 16;
    private static final int PCE_SVN = 17;
    private static final int FMSPC_BYTES = 6;

    PckTcb {
        components = List.copyOf(components);
    }

    /** Reads it. */
    static PckTcb of(X509Certificate certificate) {
        byte[] value = certificate.getExtensionValue(EXTENSION);
        if (value == null) {
            throw Failed.because("signer's certificate", "it lacks extension %s".formatted(EXTENSION));
        }
        var entries = new Der(new Der(new Der(value).take(Der.OCTETS)).take(Der.SEQUENCE));
        String platform = "";
        var components = new ArrayList<Integer>();
        int pce = -1;
        while (!entries.isEmpty()) {
            var entry = new Der(entries.take(Der.SEQUENCE));
            String name = entry.oid();
            if (name.equals(FMSPC)) {
                platform = HexFormat.of().formatHex(entry.take(Der.OCTETS));
            } else if (name.equals(TCB)) {
                pce = tcb(new Der(entry.take(Der.SEQUENCE)), components);
            }
        }
        if (platform.length() != 2 * FMSPC_BYTES || components.size() != COMPONENTS || pce < 0) {
            throw Failed.because("signer's certificate", "it does not say its platform and all security versions");
        }
        return new PckTcb(platform, components, pce);
    }

    /** The entries stand in the order of their numbers; returns the last one, the certifying enclave's. */
    private static int tcb(Der entries, List<Integer> components) {
        int pce = -1;
        for (int number = 1; number <= PCE_SVN; number++) {
            var entry = new Der(entries.take(Der.SEQUENCE));
            if (!entry.oid().equals(TCB + "%02x".formatted(number))) {
                throw Failed.because("signer's certificate", "its security versions are not in their order");
            }
            int version = entry.number();
            if (number == PCE_SVN) {
                pce = version;
            } else {
                components.add(version);
            }
        }
        return pce;
    }
}
