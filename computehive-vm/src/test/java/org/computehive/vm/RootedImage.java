package org.computehive.vm;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** The demo image with one change: its renter may enter as root, to attack its host's network from within. */
final class RootedImage {
    static final String NAME = "rooted";

    private RootedImage() {}

    /** Makes it in a catalogue's folder out of the demo image in another. */
    static void make(Path demo, Path images) throws IOException {
        Path image = Files.createDirectory(images.resolve(NAME));
        Files.copy(demo.resolve("kernel"), image.resolve("kernel"));
        Files.copy(demo.resolve("initrd"), image.resolve("initrd"));
        String config;
        try (InputStream in = DemoImage.class.getResourceAsStream("demo/sshd_config")) {
            if (in == null) {
                throw new IOException("demo/sshd_config is not on the class path");
            }
            config = new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                    .replace("AllowUsers renter", "AllowUsers renter root")
                    .replace("PermitRootLogin no", "PermitRootLogin prohibit-password")
                    .replace("principals/%u", "principals/renter");
        }
        // The kernel unpacks archives that follow each other; a later file takes an earlier one's place.
        var archive = new ByteArrayOutputStream();
        entry(archive, "etc/ssh/sshd_config", config);
        entry(archive, "TRAILER!!!", "");
        Files.write(image.resolve("initrd"), archive.toByteArray(), StandardOpenOption.APPEND);
        Files.writeString(
                image.resolve(ImageCatalogue.MANIFEST),
                "kernel=kernel\nkernel.sha256=%s\ninitrd=initrd\ninitrd.sha256=%s\n"
                        .formatted(
                                ImageCatalogue.sha256(image.resolve("kernel")),
                                ImageCatalogue.sha256(image.resolve("initrd"))));
    }

    /** Writes a file in the format newc of cpio(5). */
    private static void entry(ByteArrayOutputStream out, String name, String content) throws IOException {
        byte[] bytes = content.getBytes(StandardCharsets.US_ASCII);
        var head = new StringBuilder("070701");
        int[] fields = {721, 0100644, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length() + 1, 0};
        for (int field : fields) {
            head.append("%08X".formatted(field));
        }
        out.write(head.append(name).append('\0').toString().getBytes(StandardCharsets.US_ASCII));
        pad(out);
        out.write(bytes);
        pad(out);
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % 4 != 0) {
            out.write(0);
        }
    }
}
