package org.computehive.vm.proxmox;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * An ISO 9660 image (ECMA-119) of a few files in its root, with the label that cloud-init looks for. Names keep their hyphens,
 * as {@code genisoimage -relaxed-filenames} has them; Linux shows them in small letters.
 */
final class SeedIso {
    private static final int SECTOR = 2048;
    private static final int ROOT = 20;

    private SeedIso() {}

    static byte[] of(Map<String, String> files) {
        SortedMap<String, byte[]> contents = new TreeMap<>();
        files.forEach((name, text) ->
                contents.put(name.toUpperCase(Locale.ROOT) + ".;1", text.getBytes(StandardCharsets.UTF_8)));
        var places = new ArrayList<Integer>();
        int next = ROOT + 1;
        for (byte[] content : contents.values()) {
            places.add(next);
            next += Math.max(1, (content.length + SECTOR - 1) / SECTOR);
        }
        ByteBuffer image = ByteBuffer.allocate(next * SECTOR);
        volume(image, next);
        image.position(ROOT * SECTOR);
        entry(image, "\0", ROOT, SECTOR, true);
        entry(image, "\1", ROOT, SECTOR, true);
        int number = 0;
        for (Map.Entry<String, byte[]> file : contents.entrySet()) {
            entry(image, file.getKey(), places.get(number), file.getValue().length, false);
            image.put(places.get(number++) * SECTOR, file.getValue());
        }
        return image.array();
    }

    private static void volume(ByteBuffer image, int sectors) {
        image.position(16 * SECTOR);
        image.put((byte) 1).put(ascii("CD001", 5)).put((byte) 1).put((byte) 0);
        image.put(ascii("", 32)).put(ascii("CIDATA", 32));
        image.position(16 * SECTOR + 80);
        both(image, sectors);
        image.position(16 * SECTOR + 120);
        both16(image, 1);
        both16(image, 1);
        both16(image, SECTOR);
        both(image, 10);
        image.order(ByteOrder.LITTLE_ENDIAN).putInt(18).putInt(0);
        image.order(ByteOrder.BIG_ENDIAN).putInt(19).putInt(0);
        entry(image, "\0", ROOT, SECTOR, true);
        image.put(16 * SECTOR + 881, (byte) 1);
        image.position(17 * SECTOR);
        image.put((byte) 0xff).put(ascii("CD001", 5)).put((byte) 1);
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            image.position((order == ByteOrder.LITTLE_ENDIAN ? 18 : 19) * SECTOR);
            image.order(order)
                    .put((byte) 1)
                    .put((byte) 0)
                    .putInt(ROOT)
                    .putShort((short) 1)
                    .putShort((short) 0);
        }
    }

    private static void entry(ByteBuffer image, String name, int sector, int length, boolean folder) {
        int size = 33 + name.length() + (name.length() % 2 == 0 ? 1 : 0);
        int end = image.position() + size;
        image.put((byte) size).put((byte) 0);
        both(image, sector);
        both(image, length);
        image.put(new byte[] {126, 1, 1, 0, 0, 0, 0}); // 1 January 2026
        image.put((byte) (folder ? 2 : 0)).put((byte) 0).put((byte) 0);
        both16(image, 1);
        image.put((byte) name.length()).put(name.getBytes(StandardCharsets.US_ASCII));
        image.position(end);
    }

    private static void both(ByteBuffer image, int value) {
        image.order(ByteOrder.LITTLE_ENDIAN)
                .putInt(value)
                .order(ByteOrder.BIG_ENDIAN)
                .putInt(value);
    }

    private static void both16(ByteBuffer image, int value) {
        image.order(ByteOrder.LITTLE_ENDIAN).putShort((short) value);
        image.order(ByteOrder.BIG_ENDIAN).putShort((short) value);
    }

    private static byte[] ascii(String text, int length) {
        return (text + " ".repeat(length)).substring(0, length).getBytes(StandardCharsets.US_ASCII);
    }
}
