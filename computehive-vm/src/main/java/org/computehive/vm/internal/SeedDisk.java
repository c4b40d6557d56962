package org.computehive.vm.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.computehive.rental.HypervisorException;

/**
 * Writes a small read-only disk with a few files: FAT12, which every kernel and every tool reads. The same files give the same
 * bytes.
 *
 * <p>The format is Microsoft's (FAT: General Overview of On-Disk Format, 1.03; ECMA-107), with its long names.
 */
public final class SeedDisk {
    /** How many bytes all files together may have. */
    public static final int LIMIT = 65_536;

    private static final int ENTRY = 32;
    private static final int END_OF_FILE = 0xfff;

    /** How a disk is divided: by what it is read from, since no kernel reads sectors that are smaller than its device's. */
    public enum Kind {
        /** A disk, on the geometry of a 1.44 MB floppy disk. */
        DISK(512, 2_880, 9, 224),
        /** A disc in a CD drive. */
        DISC(2_048, 720, 1, 256);

        private final int sector;
        private final int sectors;
        private final int fatSectors;
        private final int rootEntries;

        Kind(int sector, int sectors, int fatSectors, int rootEntries) {
            this.sector = sector;
            this.sectors = sectors;
            this.fatSectors = fatSectors;
            this.rootEntries = rootEntries;
        }

        private int rootAt() {
            return (1 + 2 * fatSectors) * sector;
        }

        private int dataAt() {
            return rootAt() + rootEntries * ENTRY;
        }
    }

    /** 1 January 2026: the time of every file. */
    private static final short DATE = (2026 - 1980) << 9 | 1 << 5 | 1;
    /** Where the characters of a part of a long name stand in its entry. */
    private static final int[] NAME_PLACES = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};

    private final Kind kind;
    private final ByteBuffer disk;
    private int entryAt;
    private int cluster = 2;

    private SeedDisk(Kind kind) {
        this.kind = kind;
        this.disk = ByteBuffer.allocate(kind.sectors * kind.sector).order(ByteOrder.LITTLE_ENDIAN);
        this.entryAt = kind.rootAt();
    }

    /**
     * Returns the disk's bytes.
     *
     * @param kind what it is read from
     * @param label 1 to 11 capital letters and digits
     * @param files name to content; names of 1 to 13 lower-case letters and hyphens that differ in their first six, or longer
     * @throws HypervisorException.Refused if the files have over {@value #LIMIT} bytes
     */
    public static byte[] of(Kind kind, String label, Map<String, String> files) {
        var contents = new LinkedHashMap<String, byte[]>();
        files.forEach((name, text) -> contents.put(name, text.getBytes(StandardCharsets.UTF_8)));
        long total = contents.values().stream().mapToLong(bytes -> bytes.length).sum();
        if (total > LIMIT) {
            throw new HypervisorException.Refused(
                    "seed has %d bytes: at most %d are allowed".formatted(total, LIMIT), null);
        }
        var seed = new SeedDisk(kind);
        seed.boot(label);
        seed.fat(0, 0xff0);
        seed.fat(1, END_OF_FILE);
        seed.ascii(seed.entryAt, label, 11);
        seed.disk.put(seed.entryAt + 11, (byte) 0x08);
        seed.disk.putShort(seed.entryAt + 24, DATE);
        seed.entryAt += ENTRY;
        contents.forEach(seed::file);
        return seed.disk.array();
    }

    private void boot(String label) {
        disk.put(0, (byte) 0xeb).put(1, (byte) 0x3c).put(2, (byte) 0x90);
        ascii(3, "MSWIN4.1", 8);
        disk.putShort(11, (short) kind.sector)
                .put(13, (byte) 1)
                .putShort(14, (short) 1)
                .put(16, (byte) 2);
        disk.putShort(17, (short) kind.rootEntries)
                .putShort(19, (short) kind.sectors)
                .put(21, (byte) 0xf0);
        disk.putShort(22, (short) kind.fatSectors).putShort(24, (short) 18).putShort(26, (short) 2);
        disk.put(38, (byte) 0x29).putInt(39, 0x43480001);
        ascii(43, label, 11);
        ascii(54, "FAT12", 8);
        disk.putShort(510, (short) 0xaa55);
    }

    private void file(String name, byte[] content) {
        String alias = (name.toUpperCase(Locale.ROOT) + "      ").substring(0, 6) + "~1";
        byte[] shortName = (alias + "   ").getBytes(StandardCharsets.US_ASCII);
        int sum = 0;
        for (byte c : shortName) {
            sum = ((sum & 1) << 7 | sum >> 1) + (c & 255) & 255;
        }
        int parts = (name.length() + NAME_PLACES.length - 1) / NAME_PLACES.length;
        for (int part = parts; part >= 1; part--) {
            longName(name, part, part == parts, sum);
        }
        disk.put(entryAt, shortName);
        disk.put(entryAt + 11, (byte) 0x01); // read only
        disk.putShort(entryAt + 16, DATE).putShort(entryAt + 18, DATE).putShort(entryAt + 24, DATE);
        disk.putShort(entryAt + 26, (short) (content.length == 0 ? 0 : cluster));
        disk.putInt(entryAt + 28, content.length);
        entryAt += ENTRY;
        disk.put(kind.dataAt() + (cluster - 2) * kind.sector, content);
        int clusters = (content.length + kind.sector - 1) / kind.sector;
        for (int i = 1; i <= clusters; i++) {
            fat(cluster, i == clusters ? END_OF_FILE : cluster + 1);
            cluster++;
        }
    }

    private void longName(String name, int part, boolean last, int sum) {
        disk.put(entryAt, (byte) (last ? part | 0x40 : part)).put(entryAt + 11, (byte) 0x0f);
        disk.put(entryAt + 13, (byte) sum);
        for (int i = 0; i < NAME_PLACES.length; i++) {
            int at = (part - 1) * NAME_PLACES.length + i;
            int c = at < name.length() ? name.charAt(at) : at == name.length() ? 0 : 0xffff;
            disk.putShort(entryAt + NAME_PLACES[i], (short) c);
        }
        entryAt += ENTRY;
    }

    /** Writes an entry of 12 bits to both tables. */
    private void fat(int entry, int value) {
        for (int table = 0; table < 2; table++) {
            int at = (1 + table * kind.fatSectors) * kind.sector + entry * 3 / 2;
            int pair = disk.getShort(at) & 0xffff;
            disk.putShort(at, (short) (entry % 2 == 0 ? pair & 0xf000 | value : pair & 0x000f | value << 4));
        }
    }

    private void ascii(int at, String text, int length) {
        disk.put(at, (text + " ".repeat(length)).substring(0, length).getBytes(StandardCharsets.US_ASCII));
    }
}
