package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelVersionTest {
    @TempDir
    private Path folder;

    private Optional<String> of(byte[] content) throws Exception {
        return KernelVersion.of(Files.write(folder.resolve("kernel"), content));
    }

    private static byte[] kernel(int pointer, String version) {
        ByteBuffer header = ByteBuffer.allocate(0x400).order(ByteOrder.LITTLE_ENDIAN);
        header.put(0x202, "HdrS".getBytes(StandardCharsets.US_ASCII));
        header.putShort(0x20e, (short) pointer);
        header.put(0x300, version.getBytes(StandardCharsets.US_ASCII));
        return header.array();
    }

    @Test
    void kernelWithAVersion_saysIt() throws Exception {
        assertEquals(
                Optional.of("6.1.0-42-cloud-amd64"), of(kernel(0x100, "6.1.0-42-cloud-amd64 (someone@somewhere) #1")));
    }

    private static byte[] elf(int size, int at, String banner) {
        byte[] text = banner.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer image = ByteBuffer.allocate(size).put(new byte[] {0x7f, 'E', 'L', 'F'});
        return image.put(at, text).array();
    }

    @Test
    void elfImage_saysTheVersionOfItsBanner_whereverItLies() throws Exception {
        String banner = "Linux version 6.1.0-56-cloud-amd64 (someone@somewhere)";
        int chunk = 1 << 20;
        for (int at :
                new int[] {0x300, chunk - 60, chunk - 15, chunk - 14, chunk - 13, chunk, 2 * chunk - 28, 3 * chunk - 54
                }) {
            assertEquals(Optional.of("6.1.0-56-cloud-amd64"), of(elf(3 * chunk, at, banner)), () -> "at " + at);
        }
    }

    @Test
    void elfImage_withoutABanner_hasNoVersion() throws Exception {
        assertEquals(Optional.empty(), of(elf(0x400, 0x300, "Linux version %s (%s)")), "a format is no version");
        assertEquals(Optional.empty(), of(elf(0x400, 0x3f2, "Linux version ")));
    }

    @Test
    void whatIsNoKernel_hasNoVersion() throws Exception {
        assertEquals(Optional.empty(), of(new byte[0]));
        assertEquals(Optional.empty(), of(new byte[0x400]));
        assertEquals(Optional.empty(), of("#!/bin/sh".getBytes(StandardCharsets.US_ASCII)));
        assertEquals(Optional.empty(), KernelVersion.of(folder.resolve("nothing")));
    }

    @Test
    void pointerBeyondTheFile_hasNoVersion() throws Exception {
        assertEquals(Optional.empty(), of(kernel(0xffff, "6.1")));
    }

    @Test
    void controlCharacters_endTheVersion() throws Exception {
        assertEquals(Optional.of("6.1"), of(kernel(0x100, "6.1\n7")));
        assertEquals(Optional.empty(), of(kernel(0x100, "\u0000")));
    }
}
