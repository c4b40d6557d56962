package org.computehive.vm;

import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.computehive.market.PciAddress;

/**
 * What makes a PCI function the one it was: the parts of its configuration space that no driver and no VM changes, and a
 * digest of its firmware (VBIOS). A tenant who writes other firmware to a gpu shows here.
 *
 * @param parts each part by name
 */
record Fingerprint(SortedMap<String, String> parts) {
    private static final int CONFIG_HEADER = 64;
    private static final int CAPABILITIES = 0x34;
    private static final int EXPRESS = 0x10;
    private static final int EXTENDED = 0x100;
    private static final int SERIAL_NUMBER = 0x0003;
    private static final int MOST_CAPABILITIES = 128;
    private static final HexFormat HEX = HexFormat.of();

    Fingerprint {
        parts = new TreeMap<>(parts);
    }

    /**
     * Reads it.
     *
     * @throws IOException if the function does not answer, or may not be read
     */
    static Fingerprint of(Sysfs sysfs, PciAddress at) throws IOException {
        var parts = new TreeMap<String, String>(config(at, sysfs.config(at)));
        parts.put("firmware", firmware(sysfs, at));
        return new Fingerprint(parts);
    }

    private static String firmware(Sysfs sysfs, PciAddress at) {
        try {
            Optional<byte[]> rom = sysfs.rom(at);
            return rom.isPresent() ? "sha256 " + sha256(rom.get()) : "none";
        } catch (IOException e) {
            return "unreadable";
        }
    }

    /** Takes what never changes out of the configuration space (PCI Express Base Specification 5.0, chapter 7). */
    static Map<String, String> config(PciAddress at, byte[] config) throws IOException {
        if (config.length < CONFIG_HEADER) {
            throw new IOException(
                    "%s gave %d bytes of configuration space: reading it needs root".formatted(at, config.length));
        }
        if (word(config, 0) == 0xffff) {
            throw new IOException("%s does not answer: its configuration space reads as ones".formatted(at));
        }
        var parts = new TreeMap<String, String>();
        parts.put("ids", bytes(config, 0, 4));
        parts.put("revision and class", bytes(config, 8, 4));
        parts.put("header", "%02x".formatted(config[0x0e]));
        if ((config[0x0e] & 0x7f) == 0) {
            parts.put("subsystem", bytes(config, 0x2c, 4));
        }
        var capabilities = new ArrayList<String>();
        int next = config[CAPABILITIES] & 0xfc;
        for (int i = 0; next >= CONFIG_HEADER && next + 1 < config.length && i < MOST_CAPABILITIES; i++) {
            int id = config[next] & 0xff;
            capabilities.add("%02x".formatted(id));
            if (id == EXPRESS && next + 16 <= config.length) {
                parts.put("express", bytes(config, next + 2, 6) + bytes(config, next + 12, 4));
            }
            next = config[next + 1] & 0xfc;
        }
        next = config.length > EXTENDED ? EXTENDED : 0;
        for (int i = 0; next >= EXTENDED && next + 4 <= config.length && i < MOST_CAPABILITIES; i++) {
            int header = word(config, next) | word(config, next + 2) << 16;
            if (header == 0) {
                break;
            }
            capabilities.add("%08x".formatted(header & 0xfffff));
            if ((header & 0xffff) == SERIAL_NUMBER && next + 12 <= config.length) {
                parts.put("serial number", bytes(config, next + 4, 8));
            }
            next = header >>> 20 & 0xffc;
        }
        parts.put("capabilities", String.join(" ", capabilities));
        return parts;
    }

    private static int word(byte[] config, int at) {
        return config[at] & 0xff | (config[at + 1] & 0xff) << 8;
    }

    private static String bytes(byte[] config, int at, int count) {
        return HEX.formatHex(Arrays.copyOfRange(config, at, at + count));
    }

    private static String sha256(byte[] bytes) {
        try {
            return HEX.formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Returns what is not as in another, in words. */
    List<String> differences(Fingerprint first) {
        var names = new TreeSet<String>(parts.keySet());
        names.addAll(first.parts.keySet());
        return names.stream()
                .filter(name -> !parts.getOrDefault(name, "").equals(first.parts.getOrDefault(name, "")))
                .map(name -> "%s was %s and is %s"
                        .formatted(name, first.parts.getOrDefault(name, "absent"), parts.getOrDefault(name, "absent")))
                .toList();
    }
}
