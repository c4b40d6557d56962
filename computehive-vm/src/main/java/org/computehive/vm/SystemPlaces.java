package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.computehive.rental.HypervisorException;
import org.w3c.dom.Element;

/** Where sessions lie that the host's own libvirt runs, and which user that libvirt gives to guests. */
final class SystemPlaces {
    private static final Path LOGS = Path.of("/var/log/libvirt/qemu");
    private static final Path KEYS = Path.of("/var/lib/libvirt/qemu");
    private static final Path RUN = Path.of("/run/libvirt/qemu");
    private static final Duration LIMIT = Duration.ofSeconds(10);

    private SystemPlaces() {}

    /**
     * Makes the folders, with the rights that the guests' user needs and no more.
     *
     * @throws HypervisorException.Refused if it is a session daemon, which keeps its logs elsewhere
     * @throws HypervisorException.Lacking if this process may not make them
     */
    static Places open(Libvirt libvirt, Path state) {
        Path home = state.toAbsolutePath().normalize();
        Optional<String> label = libvirt.local() ? guestLabel(libvirt) : Optional.empty();
        Account account = label.map(SystemPlaces::account).orElseGet(SystemPlaces::self);
        try {
            Files.createDirectories(home);
            if (!account.reaches(home)) {
                throw new HypervisorException.Lacking(
                        "user %s can't pass through every folder down to %s: give others the right to pass (chmod o+x)"
                                .formatted(account.name(), home),
                        null);
            }
            Path runtime = RuntimeFolder.open(home, account, RuntimeFolder.candidates(account));
            boolean memory = RuntimeFolder.tmpfs(KEYS) && RuntimeFolder.tmpfs(LOGS);
            var places = new Places(
                    home.resolve("journals"),
                    home.resolve("disks"),
                    runtime,
                    LOGS,
                    RUN,
                    account,
                    account.self() ? Optional.empty() : label,
                    memory);
            for (Path folder : List.of(places.journals(), places.disks(), places.seeds(), places.images())) {
                account.passage(folder);
            }
            account.folder(places.consoles());
            return places;
        } catch (IOException e) {
            throw new HypervisorException.Lacking("state folder %s can't be made: %s".formatted(home, e), e);
        }
    }

    private static Account self() {
        return new Account(System.getProperty("user.name"), true);
    }

    /** Returns who QEMU runs as, in libvirt's words: {@code +uid:+gid}; a session daemon has no such choice. */
    private static Optional<String> guestLabel(Libvirt libvirt) {
        if (!libvirt.uri().getPath().endsWith("/system")) {
            throw new HypervisorException.Refused(
                    "%s is not a system daemon: use qemu:///system, or the private libvirt, which is a session daemon of its own"
                            .formatted(libvirt.uri()),
                    null);
        }
        String capabilities = libvirt.call("reading libvirt's capabilities", connect -> connect.getCapabilities());
        for (Element host : Xml.children(Xml.parse(capabilities), "host")) {
            for (Element model : Xml.children(host, "secmodel")) {
                if (Xml.childText(model, "model").equals("dac")) {
                    return Optional.of(Xml.childText(model, "baselabel"))
                            .filter(text -> text.matches("\\+\\d+:\\+\\d+"));
                }
            }
        }
        return Optional.empty();
    }

    private static Account account(String label) {
        String uid = label.substring(1, label.indexOf(':'));
        Tool.Outcome found = Tool.run(List.of("id", "-nu", "--", uid), LIMIT, "coreutils");
        if (!found.succeeded()) {
            throw new HypervisorException.Lacking(
                    "libvirt runs guests as user number %s, which has no name here: set \"user\" in /etc/libvirt/qemu.conf"
                            .formatted(uid),
                    null);
        }
        String name = found.lastLines().strip();
        if (name.equals(System.getProperty("user.name"))) {
            return self();
        }
        if (!Account.root()) {
            throw new HypervisorException.Lacking(
                    "guests of this libvirt run as user %s, so this process must be root to give them their files: run it as root or use the private libvirt"
                            .formatted(name),
                    null);
        }
        return new Account(name, false);
    }
}
