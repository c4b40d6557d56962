package org.computehive.vm.proxmox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.computehive.rental.VmSpec;

/** The seed of a stock cloud image: cloud-init's NoCloud, with an SSH server that takes certificates of one principal alone. */
final class CloudConfig {
    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final String USER = "renter";
    private static final String SSHD = """
        HostKey /etc/ssh/computehive_host
        HostCertificate /etc/ssh/computehive_host-cert.pub
        TrustedUserCAKeys /etc/ssh/computehive_authorities
        AuthorizedPrincipalsFile /etc/ssh/computehive_principals
        AuthorizedKeysFile none
        PasswordAuthentication no
        KbdInteractiveAuthentication no
        PermitRootLogin no
        """;

    private CloudConfig() {}

    /** Returns its files. JSON is YAML, so nothing in a value can become more than a value. */
    static Map<String, String> files(VmSpec spec, String address, ProxmoxSettings.Network network) {
        VmSpec.GuestAccess access = spec.access();
        var user = new LinkedHashMap<String, Object>();
        user.put(
                "users",
                List.of(Map.of(
                        "name", USER, "shell", "/bin/bash", "sudo", "ALL=(ALL) NOPASSWD:ALL", "lock_passwd", true)));
        user.put("ssh_pwauth", false);
        user.put("disable_root", true);
        user.put("ssh_deletekeys", true);
        user.put(
                "write_files",
                List.of(
                        file("/etc/ssh/computehive_host", "0600", access.hostKey()),
                        file("/etc/ssh/computehive_host-cert.pub", "0644", access.hostCertificate() + "\n"),
                        file("/etc/ssh/computehive_authorities", "0644", access.userAuthorities() + "\n"),
                        file("/etc/ssh/computehive_principals", "0644", access.principal() + "\n"),
                        file("/etc/ssh/sshd_config.d/00-computehive.conf", "0644", SSHD)));
        user.put("runcmd", List.of(List.of("systemctl", "restart", "ssh")));
        var ethernet = new LinkedHashMap<String, Object>();
        ethernet.put("match", Map.of("name", "e*"));
        ethernet.put("dhcp4", false);
        ethernet.put("addresses", List.of(address + "/" + network.prefix()));
        if (!network.gateway().isEmpty()) {
            ethernet.put("routes", List.of(Map.of("to", "0.0.0.0/0", "via", network.gateway())));
        }
        return Map.of(
                "meta-data",
                json(Map.of(
                        "instance-id",
                        spec.id().vmName(),
                        "local-hostname",
                        spec.id().vmName())),
                "user-data",
                "#cloud-config\n" + json(user),
                "network-config",
                json(Map.of("version", 2, "ethernets", Map.of("guest", ethernet))));
    }

    private static Map<String, Object> file(String path, String mode, String content) {
        return Map.of("path", path, "permissions", mode, "content", content);
    }

    private static String json(Object value) {
        try {
            return JSON.writeValueAsString(value) + "\n";
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("maps and texts can be written", e);
        }
    }
}
