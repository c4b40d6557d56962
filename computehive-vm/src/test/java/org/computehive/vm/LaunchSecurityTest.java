package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.computehive.vm.LaunchSecurity.Kind;
import org.computehive.vm.LaunchSecurity.SevSnp;
import org.computehive.vm.LaunchSecurity.Tdx;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;

/** The encryption of a guest's memory: how it is written, and what of a host says that it can be had. */
class LaunchSecurityTest {
    private static final String HOST_DATA = "ab".repeat(32);
    private static final String CONFIG_ID = "cd".repeat(48);

    private static Element domain(LaunchSecurity security) {
        return Xml.parse(DomainModelTest.model(
                        new GuestLink.Forwarded(22_110),
                        true,
                        Path.of("/images/kernel"),
                        false,
                        List.of(),
                        Resources.of(Tuning.defaults(), false, List.of()),
                        Optional.of(security))
                .xml());
    }

    private static Element only(Element parent, String name) {
        List<Element> found = Xml.children(parent, name);
        assertEquals(1, found.size(), name);
        return found.getFirst();
    }

    private static byte[] base64(Element parent, String name) {
        return Base64.getDecoder().decode(Xml.childText(parent, name));
    }

    @Test
    void sevSnp_carriesItsPolicyItsHostDataAndTheKernelsHashes() {
        Element domain = domain(new SevSnp(0x30000, Optional.of(HOST_DATA), true));
        Element security = only(domain, "launchSecurity");
        assertEquals("sev-snp", security.getAttribute("type"));
        assertEquals("yes", security.getAttribute("kernelHashes"));
        assertEquals("0x30000", Xml.childText(security, "policy"));
        assertEquals(HOST_DATA, HexFormat.of().formatHex(base64(security, "hostData")));
        assertEquals("efi", only(domain, "os").getAttribute("firmware"));
        assertTrue(Xml.children(only(domain, "features"), "ioapic").isEmpty());
    }

    @Test
    void tdx_carriesItsPolicyItsIdAndTheSocketForQuotes_andHasNoIoapicOfTheKernels() {
        Element domain =
                domain(new Tdx(0x10000000, Optional.of(CONFIG_ID), Optional.of(Path.of("/run/tdx-qgs/qgs.socket"))));
        Element security = only(domain, "launchSecurity");
        assertEquals("tdx", security.getAttribute("type"));
        assertEquals("0x10000000", Xml.childText(security, "policy"));
        assertEquals(CONFIG_ID, HexFormat.of().formatHex(base64(security, "mrConfigId")));
        assertEquals(
                "/run/tdx-qgs/qgs.socket",
                only(security, "quoteGenerationService").getAttribute("path"));
        assertEquals("efi", only(domain, "os").getAttribute("firmware"));
        assertEquals("qemu", only(only(domain, "features"), "ioapic").getAttribute("driver"));
    }

    @Test
    void strictPolicies_letNobodyLookIn() {
        assertEquals(0x20000, SevSnp.strict(false, true).policy());
        assertEquals(0x30000, SevSnp.strict(true, true).policy());
        assertEquals(0x10000000, Tdx.strict(Optional.empty()).policy());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 0x10000, 0x30000 | 1 << 18, 0x30000 | 1 << 19})
    void sevSnpPolicy_thatIsNoneOrLetsTheHostIn_isRefused(long policy) {
        var refused = assertThrows(IllegalArgumentException.class, () -> new SevSnp(policy, Optional.empty(), false));
        assertTrue(refused.getMessage().contains("0x%x".formatted(policy)), refused::getMessage);
    }

    @Test
    void tdxPolicy_thatLetsTheHostIn_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Tdx(1, Optional.empty(), Optional.empty()));
    }

    @Test
    void dataOfAnotherLength_orAPathThatIsRelative_isRefused() {
        for (String data : List.of("", "ab", "AB".repeat(32), "ab".repeat(33), "<a>".repeat(22))) {
            assertThrows(IllegalArgumentException.class, () -> new SevSnp(0x30000, Optional.of(data), false), data);
            assertThrows(IllegalArgumentException.class, () -> new Tdx(0, Optional.of(data), Optional.empty()), data);
        }
        assertThrows(IllegalArgumentException.class, () -> Tdx.strict(Optional.of(Path.of("qgs.socket"))));
    }

    @Test
    void softwareEmulation_encryptsNothingAndIsRefused() {
        var refused = assertThrows(
                IllegalArgumentException.class,
                () -> DomainModelTest.model(
                        new GuestLink.Forwarded(22_110),
                        false,
                        Path.of("/images/kernel"),
                        false,
                        List.of(),
                        Resources.of(Tuning.defaults(), false, List.of()),
                        Optional.of(SevSnp.strict(true, true))));
        assertTrue(refused.getMessage().contains("software emulation"), refused::getMessage);
    }

    private static String capabilities(String firmware, String features) {
        return """
                <domainCapabilities>
                  <path>/usr/bin/qemu-system-x86_64</path><domain>kvm</domain><machine>pc-q35-9.1</machine><arch>x86_64</arch>
                  <os supported='yes'><enum name='firmware'>%s</enum><loader supported='yes'/></os>
                  <features><gic supported='no'/>%s</features>
                </domainCapabilities>
                """.formatted(firmware, features);
    }

    private static String offering(String... types) {
        var values = new StringBuilder();
        for (String type : types) {
            values.append("<value>").append(type).append("</value>");
        }
        return "<launchSecurity supported='yes'><enum name='sectype'>%s</enum></launchSecurity>".formatted(values);
    }

    private static Optional<ConfidentialGap> gap(String document) {
        return DomainCapabilities.gap(Optional.of(DomainCapabilities.parse(document)));
    }

    private static final String EFI = "<value>efi</value>";

    @Test
    void hostWithSnpOrTdxAndFirmware_lacksNothing() {
        for (Kind kind : Kind.values()) {
            String document = capabilities(EFI, offering("sev", kind.type()));
            assertEquals(Set.of(kind), DomainCapabilities.parse(document).kinds());
            assertEquals(Optional.empty(), gap(document));
        }
    }

    @Test
    void hostWithout_isToldWhatIsMissing() {
        assertEquals(Optional.of(new ConfidentialGap.NoKvm()), DomainCapabilities.gap(Optional.empty()));
        assertEquals(
                Optional.of(new ConfidentialGap.NoLibvirt()),
                gap(capabilities(EFI, "<sev supported='no'/><sgx supported='no'/>")),
                "libvirt 9 says nothing of launch security");
        assertEquals(
                Optional.of(new ConfidentialGap.NoHardware("")),
                gap(capabilities(EFI, "<launchSecurity supported='no'/>")));
        assertEquals(Optional.of(new ConfidentialGap.NoHardware("sev")), gap(capabilities(EFI, offering("sev"))));
        assertEquals(Optional.of(new ConfidentialGap.NoFirmware()), gap(capabilities("", offering("sev-snp"))));
        assertEquals(
                Optional.of(new ConfidentialGap.NoHardware("")),
                gap(capabilities(EFI, offering("sev-snp").replace("'yes'", "'no'"))),
                "a list that is not supported is none");
    }

    @Test
    void everyGap_saysWhatToDo() {
        for (ConfidentialGap gap : List.of(
                new ConfidentialGap.NoKvm(),
                new ConfidentialGap.NoLibvirt(),
                new ConfidentialGap.NoHardware("sev"),
                new ConfidentialGap.NoFirmware())) {
            assertTrue(gap.message().matches("(?s).*(install|load|switched on).*"), gap::message);
        }
    }

    @Test
    void documentOfAnotherKind_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> DomainCapabilities.parse("<capabilities/>"));
        assertThrows(IllegalArgumentException.class, () -> DomainCapabilities.parse("no XML"));
    }
}
