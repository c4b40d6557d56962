package org.computehive.server.config;

import io.micronaut.context.annotation.ConfigurationProperties;
import io.micronaut.core.bind.annotation.Bindable;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.market.NetworkPolicy;
import org.computehive.vm.proxmox.ProxmoxSettings;

/**
 * A node of a Proxmox VE cluster, where {@code computehive.hypervisor} is the https address of its API; see {@link
 * ProxmoxSettings}.
 *
 * @param node the node's name
 * @param tokenId the API token, such as computehive@pve!engine
 * @param tokenFile the token's secret, in a file of mode 600
 * @param tlsPins SHA-256 of the public keys that are believed, 64 hexadecimal digits each
 * @param tlsAuthorityFile the certificate of an authority that is believed instead, PEM
 * @param templates guest images: NAME=VMID:SHA256, with the SHA-256 of the template's configuration
 * @param pool the pool that VMs are put into
 * @param seeds a storage for ISO images
 * @param addresses IPv4 addresses that are the guests' alone
 * @param prefix the length of their network's prefix
 * @param router their router
 * @param sshPort the port of their SSH servers
 * @param network what the guests' bridge is filtered for: NONE or INTERNET
 * @param readyLimit how long a guest may take until its SSH server answers
 */
@ConfigurationProperties("computehive.proxmox")
public record ProxmoxKeys(
        Optional<String> node,
        Optional<String> tokenId,
        Optional<String> tokenFile,
        @Bindable(defaultValue = "") List<String> tlsPins,
        Optional<String> tlsAuthorityFile,
        @Bindable(defaultValue = "") List<String> templates,
        Optional<String> pool,
        Optional<String> seeds,
        @Bindable(defaultValue = "") List<String> addresses,
        @Bindable(defaultValue = "24") int prefix,
        Optional<String> router,
        @Bindable(defaultValue = "22") int sshPort,
        Optional<String> network,
        @Bindable(defaultValue = "PT3M") Duration readyLimit) {
    private static final String PREFIX = "computehive.proxmox.";
    private static final Pattern TEMPLATE =
            Pattern.compile("([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)=(\\d{3,9}):([0-9a-f]{64})");
    private static final Pattern PIN = Pattern.compile("[0-9a-f]{64}");

    /**
     * Returns the settings.
     *
     * @param address where the API is
     * @throws ConfigurationException if a key is missing or makes no sense
     */
    ProxmoxSettings settings(URI address) {
        var token = ConfigurationException.parse(
                PREFIX + "token-id and token-file",
                Secrets.read(need("token-file", tokenFile)),
                secret -> new ProxmoxSettings.Token(need("token-id", tokenId), secret));
        var limits = new ProxmoxSettings.Limits(
                ProxmoxSettings.Limits.DEFAULT.call(),
                ProxmoxSettings.Limits.DEFAULT.task(),
                readyLimit,
                ProxmoxSettings.Limits.DEFAULT.poll());
        List<String> guests = given(addresses);
        if (guests.isEmpty()) {
            throw new ConfigurationException(PREFIX + "addresses is missing: each guest needs one of its own", null);
        }
        NetworkPolicy.Kind reaches = ConfigurationException.parse(
                PREFIX + "network",
                need("network", network),
                text -> HostSettings.word(NetworkPolicy.Kind.class, text));
        var guestNetwork = ConfigurationException.parse(
                PREFIX + "addresses, router and network",
                guests,
                list -> new ProxmoxSettings.Network(list, prefix, router.orElse(""), sshPort, reaches));
        return ConfigurationException.parse(
                PREFIX + "node and seeds, or computehive.hypervisor",
                address,
                api -> new ProxmoxSettings(
                        api,
                        need("node", node),
                        token,
                        trust(),
                        images(),
                        pool.orElse(""),
                        need("seeds", seeds),
                        guestNetwork,
                        limits));
    }

    private ProxmoxSettings.Trust trust() {
        List<String> pins = given(tlsPins);
        if (pins.isEmpty() == tlsAuthorityFile.isEmpty()) {
            throw new ConfigurationException(
                    PREFIX + "tls-pins or " + PREFIX
                            + "tls-authority-file is needed, and not both: nobody is believed by default",
                    null);
        }
        if (tlsAuthorityFile.isPresent()) {
            Path file = Path.of(tlsAuthorityFile.get());
            try {
                return new ProxmoxSettings.Trust.Authority(Files.readString(file));
            } catch (IOException e) {
                throw new ConfigurationException(
                        "%stls-authority-file: %s can't be read (%s)".formatted(PREFIX, file, e), e);
            }
        }
        for (String pin : pins) {
            if (!PIN.matcher(pin).matches()) {
                throw new ConfigurationException(
                        "%stls-pins: %s is no SHA-256 of a public key, which has 64 small hexadecimal digits"
                                .formatted(PREFIX, pin),
                        null);
            }
        }
        return new ProxmoxSettings.Trust.Pinned(Set.copyOf(pins));
    }

    private Map<String, ProxmoxSettings.Template> images() {
        var images = new HashMap<String, ProxmoxSettings.Template>();
        for (String template : given(templates)) {
            Matcher parts = TEMPLATE.matcher(template);
            if (!parts.matches()) {
                throw new ConfigurationException(
                        "%stemplates: %s is not NAME=VMID:SHA256".formatted(PREFIX, template), null);
            }
            images.put(parts.group(1), new ProxmoxSettings.Template(Integer.parseInt(parts.group(3)), parts.group(4)));
        }
        if (images.isEmpty()) {
            throw new ConfigurationException(PREFIX + "templates is missing: name at least one guest image", null);
        }
        return images;
    }

    private static List<String> given(List<String> values) {
        return values.stream()
                .map(String::strip)
                .filter(text -> !text.isEmpty())
                .toList();
    }

    private static String need(String key, Optional<String> value) {
        return value.orElseThrow(
                () -> new ConfigurationException("%s%s is missing: Proxmox VE needs it".formatted(PREFIX, key), null));
    }
}
