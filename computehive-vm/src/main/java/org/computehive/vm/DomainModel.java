package org.computehive.vm;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import javax.xml.stream.XMLStreamException;
import org.computehive.market.PciAddress;

/**
 * A hardened, transient libvirt domain.
 *
 * <p>No USB, sound, balloon, agent, graphics server or host share; it never restarts by itself; its memory is neither
 * merged with others' nor dumped. The format is libvirt's (libvirt.org/formatdomain.html).
 *
 * @param mark whose VM it is
 * @param link how its network device is joined to the host
 * @param uuid its identity for libvirt
 * @param kvm whether the processor's own virtualisation is used; otherwise software emulation
 * @param cpus virtual processors
 * @param memoryMiB memory in MiB
 * @param kernel the kernel's file; empty if the disk boots by itself
 * @param initrd the initial RAM disk's file; there if the kernel is
 * @param commandLine the kernel's command line
 * @param overlay the encrypted disk
 * @param base the disk below it, if the image has one
 * @param secret the libvirt secret with the overlay's key
 * @param console the socket of the serial console
 * @param seed firmware entries: name to file
 * @param seedDisk the disk that cloud-init reads, if the image has that
 * @param emulatedDisplay whether it gets the emulated display device
 * @param devices host devices passed through
 * @param resources what of its host it gets
 * @param label who QEMU runs as, {@code +uid:+gid}; empty for libvirt's choice
 * @param security the encryption of its memory, where it is confidential
 */
record DomainModel(
        SessionMark mark,
        GuestLink link,
        UUID uuid,
        boolean kvm,
        int cpus,
        int memoryMiB,
        Optional<Path> kernel,
        Optional<Path> initrd,
        String commandLine,
        Path overlay,
        Optional<Path> base,
        UUID secret,
        Path console,
        Map<String, Path> seed,
        Optional<Path> seedDisk,
        boolean emulatedDisplay,
        List<PciAddress> devices,
        Resources resources,
        Optional<String> label,
        Optional<LaunchSecurity> security) {
    private static final String QEMU_NAMESPACE = "http://libvirt.org/schemas/domain/qemu/1.0";
    static final String EMULATOR = "/usr/bin/qemu-system-x86_64";

    DomainModel {
        seed = new TreeMap<>(seed);
        devices = List.copyOf(devices);
        if (security.isPresent() && !kvm) {
            throw new IllegalArgumentException(
                    "%s needs the processor's own virtualisation: software emulation encrypts no memory"
                            .formatted(security.get().kind().words()));
        }
    }

    /** Returns how a guest's machine is made, in words for its renter. */
    static Map<String, String> layout(boolean kvm, Resources resources, HostNetwork.Bandwidth bandwidth) {
        var layout = new TreeMap<>(Map.of(
                "machine",
                "q35",
                "acceleration",
                kvm ? "kvm" : "tcg",
                "cpu",
                kvm ? "host-passthrough" : "maximum",
                "memory",
                resources.memory(),
                "disk",
                "qcow2, LUKS, key for this session only"));
        if (bandwidth.isLimited()) {
            layout.put("bandwidth", bandwidth.words());
        }
        return layout;
    }

    /** Returns the description that libvirt takes. */
    String xml() {
        var root = List.of("type", kvm ? "kvm" : "qemu", "xmlns:qemu", QEMU_NAMESPACE);
        return Xml.document("domain", root, domain -> {
            domain.text("name", mark.id().vmName());
            domain.text("uuid", uuid.toString());
            domain.element("metadata", List.of(), mark.content());
            domain.text("memory", Integer.toString(memoryMiB), "unit", "MiB", "dumpCore", "off");
            domain.element("memoryBacking", List.of(), resources::memoryBacking);
            domain.text("vcpu", Integer.toString(cpus), "placement", "static");
            resources.placement(domain);
            // Confidential guests start with UEFI, which libvirt chooses by what the guest needs; it is part of the
            // measurement.
            domain.element("os", security.isPresent() ? List.of("firmware", "efi") : List.of(), this::boot);
            domain.element("sysinfo", List.of("type", "fwcfg"), sysinfo -> {
                for (Map.Entry<String, Path> entry : seed.entrySet()) {
                    sysinfo.element(
                            "entry",
                            "name",
                            entry.getKey(),
                            "file",
                            entry.getValue().toString());
                }
            });
            domain.element("features", List.of(), this::features);
            processor(domain);
            domain.element("clock", "offset", "utc");
            domain.text("on_poweroff", "destroy").text("on_reboot", "destroy").text("on_crash", "destroy");
            domain.element(
                    "pm",
                    List.of(),
                    pm -> pm.element("suspend-to-mem", "enabled", "no").element("suspend-to-disk", "enabled", "no"));
            domain.element("devices", List.of(), this::devices);
            label(domain);
            if (security.isPresent()) {
                security.get().write(domain);
            }
            if (link instanceof GuestLink.Forwarded forwarded) {
                domain.element("qemu:commandline", List.of(), arguments -> network(arguments, forwarded));
            }
        });
    }

    /**
     * Libvirt would give the kernel and the initial RAM disk to QEMU's user while the VM runs, who could then change them
     * for the next VM. The files have the owners that they need already, so it is told to leave them; not where there
     * are host devices, whose nodes it must give to QEMU.
     */
    private void label(Xml domain) throws XMLStreamException {
        if (label.isPresent() && devices.isEmpty()) {
            String user = label.get();
            domain.element(
                    "seclabel",
                    List.of("type", "static", "model", "dac", "relabel", "no"),
                    seclabel -> seclabel.text("label", user));
        }
    }

    private void features(Xml features) throws XMLStreamException {
        features.element("acpi").element("apic");
        if (security.isPresent() && security.get().kind() == LaunchSecurity.Kind.TDX) {
            features.element("ioapic", "driver", "qemu"); // the kernel's can't serve a TDX guest
        }
        features.element("pmu", "state", "off").element("vmport", "state", "off");
    }

    private void boot(Xml os) throws XMLStreamException {
        os.text("type", "hvm", "arch", "x86_64", "machine", "q35");
        if (kernel.isPresent() && initrd.isPresent()) {
            os.text("kernel", kernel.get().toString());
            os.text("initrd", initrd.get().toString());
            os.text("cmdline", commandLine);
        } else {
            os.element("boot", "dev", "hd");
        }
    }

    private void processor(Xml domain) throws XMLStreamException {
        if (!kvm) {
            domain.element("cpu", "mode", "maximum");
            return;
        }
        var attributes = List.of("mode", "host-passthrough", "check", "none", "migratable", "off");
        domain.element(
                "cpu",
                attributes,
                cpu -> cpu.element("feature", "policy", "disable", "name", "vmx")
                        .element("feature", "policy", "disable", "name", "svm"));
    }

    private void devices(Xml devices) throws XMLStreamException {
        devices.text("emulator", EMULATOR);
        devices.element("disk", List.of("type", "file", "device", "disk"), this::disk);
        if (seedDisk.isPresent()) {
            String file = seedDisk.get().toString();
            devices.element(
                    "disk",
                    List.of("type", "file", "device", "disk"),
                    disk -> disk.element("driver", "name", "qemu", "type", "raw")
                            .element("source", "file", file)
                            .element("backingStore")
                            .element("target", "dev", "vdb", "bus", "virtio")
                            .element("readonly"));
        }
        devices.element("controller", "type", "usb", "model", "none");
        devices.element(
                "serial",
                List.of("type", "unix"),
                serial -> serial.element("source", "mode", "bind", "path", console.toString())
                        .element("target", "type", "isa-serial", "port", "0"));
        devices.element(
                "rng",
                List.of("model", "virtio"),
                rng -> rng.element("rate", "bytes", "16384", "period", "1000")
                        .text("backend", "/dev/urandom", "model", "random"));
        if (link instanceof GuestLink.Routed routed) {
            devices.element("interface", List.of("type", "ethernet"), device -> network(device, routed));
        }
        devices.element("memballoon", "model", "none");
        devices.element("audio", "id", "1", "type", "none");
        if (emulatedDisplay) {
            devices.element(
                    "video",
                    List.of(),
                    video -> video.element("model", "type", "bochs", "heads", "1")
                            .element("address", "type", "pci", "bus", "0x00", "slot", "0x10", "function", "0x0"));
        } else {
            devices.element("video", List.of(), video -> video.element("model", "type", "none"));
        }
        for (PciAddress device : devices()) {
            Passthrough.hostdev(devices, device);
        }
    }

    private void disk(Xml disk) throws XMLStreamException {
        disk.element(
                "driver",
                "name",
                "qemu",
                "type",
                "qcow2",
                "cache",
                "writeback",
                "discard",
                "unmap",
                "detect_zeroes",
                "unmap");
        disk.element(
                "source",
                List.of("file", overlay.toString()),
                source -> source.element(
                        "encryption",
                        List.of("format", "luks"),
                        encryption -> encryption.element("secret", "type", "passphrase", "uuid", secret.toString())));
        if (base.isPresent()) {
            disk.element(
                    "backingStore",
                    List.of("type", "file"),
                    store -> store.element("format", "type", "qcow2")
                            .element("source", "file", base.get().toString())
                            .element("backingStore"));
        } else {
            disk.element("backingStore");
        }
        disk.element("target", "dev", "vda", "bus", "virtio");
        resources.diskLimits(disk);
    }

    /**
     * The network of policy {@code NONE}: one loopback port leads to the guest's SSH server, nothing leads out. libvirt
     * 9 can't forward a port of its user network, so QEMU's own arguments say it; every value here is a number. IPv6 is off:
     * QEMU would announce a router to the guest, and what {@code restrict} refuses was thought out for IPv4.
     */
    private static void network(Xml arguments, GuestLink.Forwarded forwarded) throws XMLStreamException {
        var words = new ArrayList<String>();
        words.add("-netdev");
        words.add("user,id=ch0,ipv6=off,restrict=on,hostfwd=tcp:127.0.0.1:%d-:22".formatted(forwarded.port()));
        words.add("-device");
        words.add("virtio-net-pci,netdev=ch0,romfile=,addr=0x11");
        for (String word : words) {
            arguments.element("qemu:arg", "value", word);
        }
    }

    /**
     * A tap device that was made before: libvirt only opens it. The packets stay in QEMU, not in the kernel's vhost. Limits on
     * bandwidth don't stand here: the kernel forgets those of a device that is moved to a namespace, as this one is
     * afterwards, so {@link GuestNetworks#join} sets them there.
     */
    private static void network(Xml device, GuestLink.Routed routed) throws XMLStreamException {
        device.element("mac", "address", GuestLink.MAC)
                .element("target", "dev", routed.tap(), "managed", "no")
                .element("model", "type", "virtio")
                .element("driver", "name", "qemu")
                .element("rom", "enabled", "no")
                .element("address", "type", "pci", "bus", "0x00", "slot", "0x11", "function", "0x0");
    }
}
