package org.computehive.vm;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.computehive.market.PciAddress;
import org.computehive.rental.Hypervisor.RunningVm;
import org.computehive.rental.RentalId;
import org.w3c.dom.Element;

/**
 * ComputeHive's metadata in a domain: which rental it belongs to and what it runs on.
 *
 * @param id the rental
 * @param epoch grows from start to start, so that a later one is known from an earlier one; milliseconds since 1970
 * @param expires the end of the window
 * @param ssh where the host reaches the guest's SSH server
 * @param facts what it runs on
 */
record SessionMark(RentalId id, long epoch, Instant expires, InetSocketAddress ssh, Map<String, String> facts) {
    static final String NAMESPACE = "urn:computehive:vm:1";
    static final String PREFIX = "ch";
    private static final Pattern PASSED = Pattern.compile("\\b[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7](?=,|$)");

    SessionMark {
        if (ssh.isUnresolved() || ssh.getPort() < 1) {
            throw new IllegalArgumentException("ssh %s must be an address and a port from 1 to 65535".formatted(ssh));
        }
        facts = Map.copyOf(facts);
    }

    /** Returns the mark of the same VM with another end of its window. */
    SessionMark expiring(Instant end) {
        return new SessionMark(id, epoch, end, ssh, facts);
    }

    Xml.Content content() {
        var attributes = new ArrayList<>(List.of("xmlns:" + PREFIX, NAMESPACE));
        attributes.addAll(attributes());
        return xml -> xml.element(PREFIX + ":session", attributes, facts(PREFIX + ":fact"));
    }

    /** Returns the mark by itself and without a namespace: libvirt puts it into the one it is set with. */
    String xml() {
        return Xml.document("session", attributes(), facts("fact"));
    }

    private List<String> attributes() {
        return List.of(
                "id", id.value(),
                "epoch", Long.toString(epoch),
                "expires", expires.toString(),
                "ssh-port", Integer.toString(ssh.getPort()),
                "ssh-address", ssh.getAddress().getHostAddress());
    }

    private Xml.Content facts(String element) {
        return session -> {
            for (String name : facts.keySet().stream().sorted().toList()) {
                session.text(element, facts.getOrDefault(name, ""), "name", name);
            }
        };
    }

    /**
     * Reads the mark of a domain's description; empty where it has none or one that isn't ours.
     *
     * @throws IllegalArgumentException if it can't be read: anyone with a right to libvirt can write one
     */
    static Optional<SessionMark> read(String domainXml) {
        for (Element metadata : Xml.children(Xml.parse(domainXml), "metadata")) {
            for (Element session : Xml.children(metadata, "session")) {
                if (NAMESPACE.equals(session.getNamespaceURI())) {
                    return Optional.of(parse(session));
                }
            }
        }
        return Optional.empty();
    }

    private static SessionMark parse(Element session) {
        var facts = new LinkedHashMap<String, String>();
        for (Element fact : Xml.children(session, "fact")) {
            facts.put(fact.getAttribute("name"), fact.getTextContent());
        }
        try {
            return new SessionMark(
                    new RentalId(session.getAttribute("id")),
                    Long.parseLong(session.getAttribute("epoch")),
                    Instant.parse(session.getAttribute("expires")),
                    ssh(session.getAttribute("ssh-address"), Integer.parseInt(session.getAttribute("ssh-port"))),
                    facts);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("expires is not a time: " + e.getMessage(), e);
        }
    }

    /** Reads where its SSH server is: the host's loopback or a link to a guest, nowhere else, whoever wrote the mark. */
    private static InetSocketAddress ssh(String address, int port) {
        if (address.isEmpty() || address.equals(InetAddress.getLoopbackAddress().getHostAddress())) {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        }
        return GuestLink.Routed.at(address)
                .map(GuestLink::ssh)
                .filter(known -> known.getPort() == port)
                .orElseThrow(() -> new IllegalArgumentException("ssh-address is not one of ours"));
    }

    /** Returns the devices that were passed through, as its facts name them; without those that are emulated. */
    List<PciAddress> devices() {
        String gpus = facts.getOrDefault("gpus", "");
        return PASSED.matcher(gpus)
                .results()
                .map(MatchResult::group)
                .map(PciAddress::new)
                .toList();
    }

    RunningVm running() {
        return new RunningVm(id, ssh, expires, facts);
    }
}
