package org.computehive.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.micronaut.context.ApplicationContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.computehive.market.NetworkPolicy.Kind;
import org.computehive.server.platform.VmHost;
import org.computehive.vm.HostNetwork;
import org.computehive.vm.ImageRules;
import org.computehive.vm.Tuning;
import org.computehive.vm.proxmox.ProxmoxSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What runs the VMs, as the keys say it. */
class HostSettingsTest {
    private static final String SHA = "ab".repeat(32);
    private static final String SIGNER =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl a key";

    @TempDir
    private Path folder;

    /** Binds keys as the server does. */
    private static VmHost host(Map<String, Object> keys) {
        try (ApplicationContext context =
                ApplicationContext.builder().properties(keys).banner(false).start()) {
            return ReferencePlatform.vmHost(
                    context.getBean(ServerSettings.class).hypervisor(),
                    context.getBean(HostSettings.class),
                    context.getBean(ProxmoxKeys.class));
        }
    }

    private static VmHost.Libvirt libvirt(Map<String, Object> keys) {
        return assertInstanceOf(VmHost.Libvirt.class, host(keys));
    }

    @Test
    void nothingSaid_meansTheDefaults() {
        VmHost.Libvirt host = libvirt(Map.of());
        assertEquals(Optional.empty(), host.uri());
        assertEquals(HostNetwork.defaults(), host.options().network());
        assertEquals(Tuning.defaults(), host.options().tuning());
        assertEquals(ImageRules.NONE, host.images());
    }

    @Test
    void everyKey_arrives() throws IOException {
        Path signers = Files.writeString(folder.resolve("signers"), "# who signs\n\n" + SIGNER + "\n");
        var keys = new HashMap<String, Object>();
        keys.put("computehive.hypervisor", "qemu:///system");
        keys.put("computehive.host.networks", "none,restricted");
        keys.put("computehive.host.resolvers", "9.9.9.9");
        keys.put("computehive.host.network-in-bytes-per-second", "2000000");
        keys.put("computehive.host.network-out-bytes-per-second", "1000000");
        keys.put("computehive.host.image-signers-file", signers.toString());
        keys.put("computehive.host.image-quota-mib", "200000");
        keys.put("computehive.host.memory-lock", "always");
        keys.put("computehive.host.huge-page-kib", "2048");
        keys.put("computehive.host.numa-node", "1");
        keys.put("computehive.host.cpus", "2-4,10");
        keys.put("computehive.host.disk-bytes-per-second", "500000000");
        keys.put("computehive.host.disk-operations-per-second", "20000");
        keys.put("computehive.host.ready-limit", "PT4M");
        VmHost.Libvirt host = libvirt(keys);
        assertEquals("qemu:///system", host.uri().orElseThrow().toString());
        assertEquals(
                new HostNetwork(
                        Set.of(Kind.NONE, Kind.RESTRICTED),
                        List.of("9.9.9.9"),
                        HostNetwork.Bandwidth.of(2_000_000, 1_000_000)),
                host.options().network());
        assertEquals(new ImageRules(List.of(SIGNER), 200_000), host.images());
        assertEquals(
                new Tuning(
                        Tuning.MemoryLock.ALWAYS,
                        OptionalInt.of(2_048),
                        OptionalInt.of(1),
                        List.of(2, 3, 4, 10),
                        Tuning.DiskLimits.of(500_000_000, 20_000)),
                host.options().tuning());
        assertEquals(4, host.options().readyLimit().toMinutes());
    }

    @ParameterizedTest
    @CsvSource({
        "host.networks, everything",
        "host.resolvers, 127.0.0.53",
        "host.network-in-bytes-per-second, fast",
        "host.network-out-bytes-per-second, 12",
        "host.image-quota-mib, 0",
        "host.image-signers-file, /nowhere/signers",
        "host.memory-lock, maybe",
        "host.huge-page-kib, 3000",
        "host.numa-node, -1",
        "host.cpus, 7-2",
        "host.cpus, many",
        "host.disk-bytes-per-second, 0",
        "host.disk-operations-per-second, 1e3",
        "host.ready-limit, PT0S"
    })
    void valueThatMakesNoSense_isRefusedWithItsKeyAndItself(String key, String value) {
        var refused = assertThrows(ConfigurationException.class, () -> libvirt(Map.of("computehive." + key, value)));
        String message = String.valueOf(refused.getMessage());
        assertTrue(message.contains("computehive.host"), message);
        if (!value.equals("PT0S")) {
            assertTrue(message.contains(value.replace("many", "\"many\"")), message);
        }
    }

    @Test
    void signersFileWithoutAKey_orWithAnother_isRefused() throws IOException {
        for (String content : List.of("# nobody\n", "ssh-rsa AAAA\n")) {
            Path signers = Files.writeString(folder.resolve("signers"), content);
            var refused = assertThrows(
                    ConfigurationException.class,
                    () -> libvirt(Map.of("computehive.host.image-signers-file", signers.toString())));
            assertTrue(String.valueOf(refused.getMessage()).contains("image-signers-file"), refused::getMessage);
        }
    }

    private Map<String, Object> proxmox() throws IOException {
        Path token = folder.resolve("token");
        if (!Files.exists(token)) {
            Files.createFile(token, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(token, "8a1f4d2e-0000-4000-8000-1234567890ab\n");
        }
        var keys = new HashMap<String, Object>();
        keys.put("computehive.hypervisor", "https://pve.example.org:8006");
        keys.put("computehive.proxmox.node", "pve1");
        keys.put("computehive.proxmox.token-id", "computehive@pve!engine");
        keys.put("computehive.proxmox.token-file", token.toString());
        keys.put("computehive.proxmox.tls-pins", SHA);
        keys.put("computehive.proxmox.templates", "ubuntu-24=9000:%s,debian-12=9001:%s".formatted(SHA, SHA));
        keys.put("computehive.proxmox.pool", "rented");
        keys.put("computehive.proxmox.seeds", "isos");
        keys.put("computehive.proxmox.addresses", "192.0.2.10,192.0.2.11");
        keys.put("computehive.proxmox.router", "192.0.2.1");
        keys.put("computehive.proxmox.network", "internet");
        return keys;
    }

    @Test
    void httpsAddress_choosesProxmox_withItsTokenFromAFile() throws IOException {
        ProxmoxSettings settings =
                assertInstanceOf(VmHost.ProxmoxVe.class, host(proxmox())).settings();
        assertEquals("https://pve.example.org:8006", settings.address().toString());
        assertEquals(
                new ProxmoxSettings.Token("computehive@pve!engine", "8a1f4d2e-0000-4000-8000-1234567890ab"),
                settings.token());
        assertEquals(new ProxmoxSettings.Trust.Pinned(Set.of(SHA)), settings.trust());
        assertEquals(
                Map.of(
                        "ubuntu-24", new ProxmoxSettings.Template(9000, SHA),
                        "debian-12", new ProxmoxSettings.Template(9001, SHA)),
                settings.templates());
        assertEquals(
                new ProxmoxSettings.Network(List.of("192.0.2.10", "192.0.2.11"), 24, "192.0.2.1", 22, Kind.INTERNET),
                settings.network());
        assertEquals("rented", settings.pool());
    }

    @Test
    void authority_standsInForPins_andOneOfBothIsNeeded() throws IOException {
        Path authority = Files.writeString(folder.resolve("ca.pem"), "-----BEGIN CERTIFICATE-----\n");
        Map<String, Object> keys = proxmox();
        keys.put("computehive.proxmox.tls-authority-file", authority.toString());
        assertRefused(keys, "not both");
        keys.remove("computehive.proxmox.tls-pins");
        var host = assertInstanceOf(VmHost.ProxmoxVe.class, host(keys));
        assertInstanceOf(ProxmoxSettings.Trust.Authority.class, host.settings().trust());
        keys.remove("computehive.proxmox.tls-authority-file");
        assertRefused(keys, "nobody is believed");
    }

    @Test
    void missingOrOddKey_isNamed() throws IOException {
        for (String key : List.of("node", "token-id", "token-file", "templates", "seeds", "addresses", "network")) {
            Map<String, Object> keys = proxmox();
            keys.remove("computehive.proxmox." + key);
            assertRefused(keys, key);
        }
        var odd = Map.of(
                "node", "../x", "token-id", "root", "tls-pins", "ab:cd", "templates", "ubuntu", "addresses", "a.b.c.d");
        Map<String, Object> restricted = proxmox();
        restricted.put("computehive.proxmox.network", "RESTRICTED");
        assertRefused(restricted, "each listing has a list of its own");
        for (Map.Entry<String, String> one : odd.entrySet()) {
            Map<String, Object> keys = proxmox();
            keys.put("computehive.proxmox." + one.getKey(), one.getValue());
            assertRefused(keys, one.getKey());
        }
    }

    @Test
    void tokenFileThatOthersRead_isRefused_andNothingShowsTheToken() throws IOException {
        Map<String, Object> keys = proxmox();
        Path token = folder.resolve("token");
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-r--r--"));
        ConfigurationException refused = assertRefused(keys, "chmod 600");
        assertTrue(!refused.toString().contains("8a1f4d2e"), refused::toString);
        Files.setPosixFilePermissions(token, PosixFilePermissions.fromString("rw-------"));
        assertTrue(!host(keys).toString().contains("8a1f4d2e"));
    }

    private static ConfigurationException assertRefused(Map<String, Object> keys, String words) {
        var refused = assertThrows(ConfigurationException.class, () -> host(keys));
        assertTrue(String.valueOf(refused.getMessage()).contains(words), refused::getMessage);
        return refused;
    }
}
