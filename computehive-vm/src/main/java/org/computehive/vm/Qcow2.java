package org.computehive.vm;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.computehive.rental.HypervisorException;

/** Reads the header of a disk image in qcow2 (qemu docs/interop/qcow2.txt). */
final class Qcow2 {
    private static final int MAGIC = 0x514649fb;
    /** Of the features that a reader must know: the data lie in another file. */
    private static final long EXTERNAL_DATA = 1 << 2;

    private Qcow2() {}

    /**
     * Returns the size in bytes of the disk that a file holds by itself. One that names another file could make QEMU read
     * whatever its maker likes of the host.
     *
     * @throws HypervisorException.Refused if it is not qcow2, names another file, or can't be read
     */
    static long standAlone(Path file) {
        try (var in = new DataInputStream(Files.newInputStream(file))) {
            int magic = in.readInt();
            int version = in.readInt();
            long backingAt = in.readLong();
            in.skipNBytes(8);
            long size = in.readLong();
            int encryption = in.readInt();
            in.skipNBytes(36);
            long features = version >= 3 ? in.readLong() : 0;
            if (magic != MAGIC || version < 2 || version > 3) {
                throw refused(file, "is not a disk image in qcow2: convert it with qemu-img convert -O qcow2");
            }
            if (backingAt != 0 || (features & EXTERNAL_DATA) != 0) {
                throw refused(
                        file,
                        "takes its content from another file: make it stand alone with qemu-img convert -O qcow2");
            }
            if (encryption != 0 || size <= 0) {
                throw refused(file, "is encrypted or has no size: convert it with qemu-img convert -O qcow2");
            }
            return size;
        } catch (IOException e) {
            throw new HypervisorException.Refused("disk %s can't be read as qcow2: %s".formatted(file, e), e);
        }
    }

    private static HypervisorException.Refused refused(Path file, String why) {
        return new HypervisorException.Refused("disk %s %s".formatted(file, why), null);
    }
}
