package org.computehive.vm;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.stream.XMLStreamException;
import org.computehive.market.PciAddress;
import org.computehive.rental.HypervisorException;
import org.libvirt.Connect;
import org.libvirt.Domain;
import org.libvirt.Error.ErrorNumber;
import org.libvirt.LibvirtException;

/**
 * Boots a small guest of our own that gets the gpu, overwrites its memory and says so: what a tenant left in the gpu meets
 * a guest behind the IOMMU, not a driver of the host's. Thread-safe.
 *
 * <p>The guest is a kernel and perhaps an initial RAM disk. It finds {@code computehive.scrub=NONCE} on its command line,
 * overwrites all memory of every device it was given, reads it back, writes {@code computehive.scrub=NONCE bytes=N} to its
 * first serial port as one line, N in decimal or hexadecimal with 0x, and powers off.
 */
final class ScrubGuest implements GpuScrub {
    private static final int CONSOLE_LIMIT = 64 << 10;
    private static final long MEBIBYTE = 1 << 20;

    private final Libvirt libvirt;
    private final HostFiles files;
    private final Guest guest;

    /**
     * The guest.
     *
     * @param vendor whose devices it knows: a PCI vendor, four hexadecimal digits
     * @param kernel its kernel, on the host
     * @param initrd its initial RAM disk, on the host
     * @param commandLine what stands before the nonce on its command line; may be empty
     * @param kvm whether the processor's own virtualisation is used
     * @param memoryMiB its memory
     * @param folder where its console is kept while it runs, on the host
     * @param limit how long it may take
     */
    record Guest(
            String vendor,
            String kernel,
            Optional<String> initrd,
            String commandLine,
            boolean kvm,
            int memoryMiB,
            String folder,
            Duration limit) {}

    ScrubGuest(Libvirt libvirt, HostFiles files, Guest guest) {
        this.libvirt = libvirt;
        this.files = files;
        this.guest = guest;
    }

    @Override
    public String name() {
        return "a guest that overwrites it";
    }

    @Override
    public boolean handles(HostGpu gpu) {
        return gpu.gpu().vendorId().equals(guest.vendor()) && files.reachable();
    }

    /** Returns the name of the VM that scrubs a gpu. */
    static String vmName(PciAddress gpu) {
        return "ch-scrub-" + gpu.value().replace(':', '-').replace('.', '-');
    }

    @Override
    public long scrub(HostGpu gpu) {
        PciAddress at = gpu.gpu().address();
        end(at);
        String nonce = "computehive.scrub=" + UUID.randomUUID();
        UUID uuid = UUID.randomUUID();
        String console = guest.folder() + "/" + vmName(at) + ".console";
        libvirt.stop(uuid); // registered before anything can stop it
        try {
            String xml = xml(gpu, uuid, nonce, console);
            libvirt.call("making the VM that scrubs " + at, connect -> {
                connect.domainCreateXML(xml, 0).free();
                return true;
            });
            if (!libvirt.awaitStop(uuid, guest.limit())) {
                throw failed(
                        at,
                        "its guest was not done in %d s".formatted(guest.limit().toSeconds()));
            }
            return bytes(gpu, nonce, console(at, console));
        } finally {
            libvirt.forget(uuid);
            end(at);
            delete(console);
        }
    }

    private static HypervisorException.Lacking failed(PciAddress at, String why) {
        return new HypervisorException.Lacking("scrub of gpu %s failed: %s".formatted(at, why), null);
    }

    private String console(PciAddress at, String path) {
        try {
            return new String(files.read(path, CONSOLE_LIMIT), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw failed(at, "what its guest said can't be read: " + e.getMessage());
        }
    }

    private void delete(String console) {
        try {
            files.delete(console);
        } catch (IOException e) {
            throw new HypervisorException.NotGone("%s can't be deleted: %s".formatted(console, e.getMessage()), e);
        }
    }

    /** Finds the guest's word in its console; it must speak of all the memory that the gpu is known to have. */
    static long bytes(HostGpu gpu, String nonce, String console) {
        PciAddress at = gpu.gpu().address();
        Matcher line = Pattern.compile("(?m)^" + Pattern.quote(nonce) + " bytes=(0x[0-9a-f]{1,15}|[1-9]\\d{0,17})\\s*$")
                .matcher(console);
        if (!line.find()) {
            throw failed(at, "its guest ended without saying that it is done; it said: " + Printable.line(console));
        }
        long bytes = Long.decode(line.group(1));
        long known = Math.max(1, gpu.gpu().memoryMiB() * MEBIBYTE / 100 * CudaScrub.LEAST_PERCENT);
        if (bytes < known) {
            throw failed(
                    at,
                    "its guest overwrote %d bytes of a gpu of %d MiB"
                            .formatted(bytes, gpu.gpu().memoryMiB()));
        }
        return bytes;
    }

    private void end(PciAddress at) {
        end(libvirt, at);
    }

    /** Ends the VM that scrubs a gpu, if there is one: a run that was cut off leaves it. */
    static void end(Libvirt libvirt, PciAddress at) {
        libvirt.call("ending the VM that scrubs " + at, connect -> {
            end(connect, vmName(at));
            return true;
        });
    }

    private static void end(Connect connect, String name) throws LibvirtException {
        try {
            Domain domain = connect.domainLookupByName(name);
            try {
                domain.destroy();
            } finally {
                domain.free();
            }
        } catch (LibvirtException e) {
            if (Libvirt.code(e) != ErrorNumber.VIR_ERR_NO_DOMAIN) {
                throw e;
            }
        }
    }

    private String xml(HostGpu gpu, UUID uuid, String nonce, String console) {
        return Xml.document("domain", List.of("type", guest.kvm() ? "kvm" : "qemu"), domain -> {
            domain.text("name", vmName(gpu.gpu().address())).text("uuid", uuid.toString());
            domain.text("memory", Integer.toString(guest.memoryMiB()), "unit", "MiB", "dumpCore", "off");
            domain.text("vcpu", "1");
            domain.element("os", List.of(), os -> {
                os.text("type", "hvm", "arch", "x86_64", "machine", "q35").text("kernel", guest.kernel());
                if (guest.initrd().isPresent()) {
                    os.text("initrd", guest.initrd().get());
                }
                os.text("cmdline", (guest.commandLine() + " " + nonce).strip());
            });
            domain.element("features", List.of(), features -> features.element("acpi"));
            if (guest.kvm()) {
                domain.element("cpu", "mode", "host-passthrough", "migratable", "off");
            }
            domain.text("on_poweroff", "destroy").text("on_reboot", "destroy").text("on_crash", "destroy");
            domain.element("devices", List.of(), devices -> devices(devices, gpu, console));
        });
    }

    private static void devices(Xml devices, HostGpu gpu, String console) throws XMLStreamException {
        devices.element("controller", "type", "usb", "model", "none");
        devices.element("memballoon", "model", "none");
        devices.element("video", List.of(), video -> video.element("model", "type", "none"));
        devices.element("serial", List.of("type", "file"), serial -> serial.element("source", "path", console));
        // Firmware leaves alone what has no place in the order once something has; a guest may need it to reach a
        // device.
        int order = 1;
        for (PciAddress function : gpu.functions()) {
            Passthrough.hostdev(devices, function, OptionalInt.of(order++));
        }
    }
}
