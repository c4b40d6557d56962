package org.computehive.vm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.computehive.market.MachineShape;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;

/**
 * A guest that says at once that it is ready and then does nothing: a kernel of a hundred bytes, by the Multiboot
 * specification. For tests of everything around a guest; it takes no SSH connection.
 */
final class TinyGuest {
    static final String NAME = "tiny";
    /** Says nothing, ever. */
    static final String MUTE = "mute";

    static final MachineShape SHAPE = new MachineShape(1, 128, 16, NAME);
    static final LibvirtHypervisor.Options OPTIONS = new LibvirtHypervisor.Options(
            LibvirtHypervisor.Acceleration.TCG, Duration.ofMinutes(1), InstantSource.system());

    private static final int LOADED_AT = 0x100000;
    private static final int HEADER = 32;

    private TinyGuest() {}

    /** Makes a catalogue with both. */
    static ImageCatalogue images(Path folder) throws IOException {
        Files.createDirectory(
                folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        image(folder.resolve(NAME), kernel(Console.READY + " at once\n"));
        image(folder.resolve(MUTE), kernel(""));
        return ImageCatalogue.in(folder);
    }

    private static void image(Path folder, byte[] kernel) throws IOException {
        Files.createDirectory(folder);
        Path initrd = Files.writeString(folder.resolve("initrd"), "none");
        Path file = Files.write(folder.resolve("kernel"), kernel);
        Files.writeString(
                folder.resolve("image.properties"),
                "kernel=kernel\nkernel.sha256=%s\ninitrd=initrd\ninitrd.sha256=%s\n"
                        .formatted(ImageCatalogue.sha256(file), ImageCatalogue.sha256(initrd)));
    }

    private static byte[] kernel(String words) {
        byte[] text = (words + "\0").getBytes(StandardCharsets.US_ASCII);
        byte[] code = {
            (byte) 0xba,
            (byte) 0xf8,
            0x03,
            0x00,
            0x00, // mov edx, 0x3f8: the first serial port
            (byte) 0xbe,
            0x00,
            0x00,
            0x00,
            0x00, // mov esi, the text
            (byte) 0xac, // lodsb
            (byte) 0x84,
            (byte) 0xc0, // test al, al
            0x74,
            0x03, // jz to the end
            (byte) 0xee, // out dx, al
            (byte) 0xeb,
            (byte) 0xf8, // jmp to lodsb
            (byte) 0xfa, // cli
            (byte) 0xf4, // hlt
            (byte) 0xeb,
            (byte) 0xfc // jmp to cli
        };
        int length = HEADER + code.length + text.length;
        int magic = 0x1badb002;
        int addressesAreGiven = 0x10000;
        ByteBuffer kernel = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        kernel.putInt(magic).putInt(addressesAreGiven).putInt(-(magic + addressesAreGiven));
        kernel.putInt(LOADED_AT).putInt(LOADED_AT).putInt(LOADED_AT + length).putInt(LOADED_AT + length);
        kernel.putInt(LOADED_AT + HEADER);
        kernel.put(code).putInt(HEADER + 6, LOADED_AT + HEADER + code.length).put(text);
        return kernel.array();
    }

    /** Returns the spec of a rental with this guest and nothing passed through; its keys are no keys. */
    static VmSpec spec(RentalId id, MachineShape shape) {
        var access = new VmSpec.GuestAccess("no key", "no certificate", "no authority", "renter");
        return new VmSpec(id, Instant.parse("2031-01-01T00:00:00Z"), shape, List.of(), access);
    }
}
