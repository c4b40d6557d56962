package org.computehive.vm;

import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.xml.stream.XMLStreamException;

/**
 * The encryption of memory that a guest is started under, so that its host can't read it: libvirt's {@code launchSecurity}
 * (libvirt.org/formatdomain.html#launch-security). It alone proves nothing to anybody: a host may leave it out and say that it
 * did not. What counts is what the guest's hardware signs, which an {@code Attestor} verifies. Immutable.
 */
sealed interface LaunchSecurity {
    /** Which of them it is. */
    Kind kind();

    /** Writes the domain's element. */
    void write(Xml domain) throws XMLStreamException;

    /** What processors offer. */
    enum Kind {
        /** AMD's, from Milan on. */
        SEV_SNP("sev-snp", "AMD SEV-SNP"),
        /** Intel's, from the fifth Xeon generation on. */
        TDX("tdx", "Intel TDX");

        private final String type;
        private final String words;

        Kind(String type, String words) {
            this.type = type;
            this.words = words;
        }

        /** Returns libvirt's word. */
        String type() {
            return type;
        }

        /** Returns it in words for people. */
        String words() {
            return words;
        }
    }

    /**
     * AMD SEV-SNP.
     *
     * @param policy the guest policy (AMD 56860, table 9); a host may neither debug nor hand over such a guest
     * @param hostData what the report carries as HOST_DATA: 32 bytes in hexadecimal. The host chose it, so it is worth what
     *     the host is worth
     * @param kernelHashes whether the kernel, the initial RAM disk and the command line are measured; only where the host
     *     brings them
     */
    record SevSnp(long policy, Optional<String> hostData, boolean kernelHashes) implements LaunchSecurity {
        private static final long SMT = 1L << 16;
        private static final long ALWAYS_ONE = 1L << 17;
        private static final long MIGRATION = 1L << 18;
        private static final long DEBUG = 1L << 19;
        private static final int HOST_DATA_BYTES = 32;

        /**
         * Checks them.
         *
         * @throws IllegalArgumentException if the policy lets a host look in or is none, or the host data has another length
         */
        public SevSnp {
            if ((policy & ALWAYS_ONE) == 0) {
                throw new IllegalArgumentException(
                        "SEV-SNP policy 0x%x lacks bit 17, which is always one: 0x20000 is the least"
                                .formatted(policy));
            }
            if ((policy & (DEBUG | MIGRATION)) != 0) {
                throw new IllegalArgumentException(
                        "SEV-SNP policy 0x%x lets its host debug the guest or hand it over: clear bits 18 and 19"
                                .formatted(policy));
            }
            hostData.ifPresent(hex -> checkHex("host data", hex, HOST_DATA_BYTES));
        }

        /** Returns the strictest that runs: nobody debugs it, nobody takes it elsewhere. */
        static SevSnp strict(boolean smt, boolean kernelHashes) {
            return new SevSnp(ALWAYS_ONE | (smt ? SMT : 0), Optional.empty(), kernelHashes);
        }

        @Override
        public Kind kind() {
            return Kind.SEV_SNP;
        }

        @Override
        public void write(Xml domain) throws XMLStreamException {
            var attributes = kernelHashes
                    ? List.of("type", Kind.SEV_SNP.type(), "kernelHashes", "yes")
                    : List.of("type", Kind.SEV_SNP.type());
            domain.element("launchSecurity", attributes, security -> {
                security.text("policy", "0x%x".formatted(policy));
                text(security, "hostData", hostData);
            });
        }
    }

    /**
     * Intel TDX.
     *
     * @param policy the domain's ATTRIBUTES (Intel 344425); a host may not debug it
     * @param configId what the quote carries as MRCONFIGID: 48 bytes in hexadecimal
     * @param quotes the socket of the host's quote generation service, without which a guest gets no quote
     */
    record Tdx(long policy, Optional<String> configId, Optional<Path> quotes) implements LaunchSecurity {
        private static final long DEBUG = 1;
        private static final long NO_SURPRISES = 1L << 28; // SEPT_VE_DISABLE: Linux asks for it
        private static final int CONFIG_ID_BYTES = 48;

        /**
         * Checks them.
         *
         * @throws IllegalArgumentException if the policy lets a host look in, the id has another length, or the path is not
         *     absolute
         */
        public Tdx {
            if ((policy & DEBUG) != 0) {
                throw new IllegalArgumentException(
                        "TDX policy 0x%x lets its host debug the guest: clear bit 0".formatted(policy));
            }
            configId.ifPresent(hex -> checkHex("configuration id", hex, CONFIG_ID_BYTES));
            if (quotes.isPresent() && !quotes.get().isAbsolute()) {
                throw new IllegalArgumentException(
                        "quote generation socket %s: an absolute path is needed".formatted(quotes.get()));
            }
        }

        /** Returns what Linux guests run under. */
        static Tdx strict(Optional<Path> quotes) {
            return new Tdx(NO_SURPRISES, Optional.empty(), quotes);
        }

        @Override
        public Kind kind() {
            return Kind.TDX;
        }

        @Override
        public void write(Xml domain) throws XMLStreamException {
            domain.element("launchSecurity", List.of("type", Kind.TDX.type()), security -> {
                security.text("policy", "0x%x".formatted(policy));
                text(security, "mrConfigId", configId);
                if (quotes.isPresent()) {
                    security.element(
                            "quoteGenerationService", "path", quotes.get().toString());
                }
            });
        }
    }

    private static void checkHex(String what, String hex, int bytes) {
        if (!hex.matches("[0-9a-f]{" + 2 * bytes + "}")) {
            throw new IllegalArgumentException("%s of %d characters: %d small hexadecimal digits are needed"
                    .formatted(what, hex.length(), 2 * bytes));
        }
    }

    private static void text(Xml security, String name, Optional<String> hex) throws XMLStreamException {
        if (hex.isPresent()) {
            security.text(
                    name, Base64.getEncoder().encodeToString(HexFormat.of().parseHex(hex.get())));
        }
    }
}
