package org.computehive.vm;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.net.URI;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.computehive.rental.HypervisorException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.w3c.dom.Element;

/**
 * What libvirt can give to a KVM guest on a host, of what confidential guests need (libvirt.org/formatdomaincaps.html). It is
 * asked, and not concluded from versions: a new libvirt on a processor without the feature has none.
 *
 * @param uefi whether it has UEFI firmware for guests
 * @param knows whether it says at all what launch security it has
 * @param kinds which kinds it has
 * @param offered all that it has, in its own words
 */
record DomainCapabilities(boolean uefi, boolean knows, Set<LaunchSecurity.Kind> kinds, List<String> offered) {
    private static final Logger LOG = LoggerFactory.getLogger(DomainCapabilities.class);

    DomainCapabilities {
        kinds = Set.copyOf(kinds);
        offered = List.copyOf(offered);
    }

    /**
     * Reads libvirt's document.
     *
     * @throws IllegalArgumentException if it isn't one
     */
    static DomainCapabilities parse(String document) {
        Element root = Xml.parse(document);
        if (!"domainCapabilities".equals(root.getLocalName())) {
            throw new IllegalArgumentException(
                    "not a domainCapabilities document but %s".formatted(Printable.line(root.getLocalName())));
        }
        boolean uefi = Xml.children(root, "os").stream()
                .filter(DomainCapabilities::supported)
                .anyMatch(os -> values(os, "firmware").contains("efi"));
        var offered = new ArrayList<String>();
        boolean knows = false;
        for (Element features : Xml.children(root, "features")) {
            for (Element security : Xml.children(features, "launchSecurity")) {
                knows = true;
                if (supported(security)) {
                    offered.addAll(values(security, "sectype"));
                }
            }
        }
        var kinds = EnumSet.noneOf(LaunchSecurity.Kind.class);
        for (LaunchSecurity.Kind kind : LaunchSecurity.Kind.values()) {
            if (offered.contains(kind.type())) {
                kinds.add(kind);
            }
        }
        return new DomainCapabilities(uefi, knows, kinds, offered);
    }

    private static boolean supported(Element element) {
        return element.getAttribute("supported").equals("yes");
    }

    private static List<String> values(Element parent, String name) {
        return Xml.children(parent, "enum").stream()
                .filter(choices -> choices.getAttribute("name").equals(name))
                .flatMap(choices -> Xml.children(choices, "value").stream())
                .map(value -> value.getTextContent().strip())
                .toList();
    }

    /** Returns what is missing for confidential guests; empty if they can be started. */
    static Optional<ConfidentialGap> gap(Optional<DomainCapabilities> host) {
        if (host.isEmpty()) {
            return Optional.of(new ConfidentialGap.NoKvm());
        }
        DomainCapabilities has = host.get();
        if (!has.knows()) {
            return Optional.of(new ConfidentialGap.NoLibvirt());
        }
        if (has.kinds().isEmpty()) {
            return Optional.of(new ConfidentialGap.NoHardware(Printable.line(String.join(", ", has.offered()))));
        }
        return has.uefi() ? Optional.empty() : Optional.of(new ConfidentialGap.NoFirmware());
    }

    /** Asks a host's libvirt; empty if it has no KVM guests of our machine type. */
    static Optional<DomainCapabilities> read(URI uri) {
        Pointer connect = Calls.LIBVIRT.virConnectOpen(uri.toString());
        if (connect == null) {
            throw new HypervisorException.Unreachable(
                    "libvirt at %s does not answer: start its daemon or check your rights to its socket".formatted(uri),
                    null);
        }
        try {
            Pointer text = Calls.LIBVIRT.virConnectGetDomainCapabilities(
                    connect, DomainModel.EMULATOR, "x86_64", "q35", "kvm", 0);
            if (text == null) {
                return Optional.empty();
            }
            try {
                return Optional.of(parse(text.getString(0, "UTF-8")));
            } finally {
                Native.free(Pointer.nativeValue(text));
            }
        } finally {
            if (Calls.LIBVIRT.virConnectClose(connect) < 0) {
                LOG.debug("a connection that was asked for capabilities could not be closed");
            }
        }
    }

    /** What libvirt-java has no method for, under its C names. It has a connection of its own, for as long as it is asked. */
    interface Calls extends Library {
        /** Libvirt's library, loaded at the first question. */
        Calls LIBVIRT = Native.load("virt", Calls.class);

        @Nullable Pointer virConnectOpen(String name);

        int virConnectClose(Pointer connect);

        @Nullable Pointer virConnectGetDomainCapabilities(
                Pointer connect, String emulator, String arch, String machine, String type, int flags);
    }
}
