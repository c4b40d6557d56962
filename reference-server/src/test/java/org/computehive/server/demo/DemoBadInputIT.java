package org.computehive.server.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.computehive.server.platform.FolderTree;
import org.computehive.vm.DemoImage;
import org.computehive.vm.ImageCatalogue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the demo says and leaves where something that it needs is not as it should be. */
class DemoBadInputIT {
    private DemoProcess.Places places;

    @BeforeEach
    void makePlaces() throws IOException {
        places = DemoProcess.Places.make();
    }

    @AfterEach
    void removePlaces() throws IOException {
        FolderTree.delete(places.base());
    }

    private void assertRefused(int exit, String message, DemoProcess demo) throws Exception {
        try (demo) {
            assertEquals(exit, demo.awaitExit(), demo::output);
            assertTrue(demo.output().contains(message), demo::output);
        }
        places.assertNothingLeft();
    }

    @Test
    void gatewayPort_busy_isNamed() throws Exception {
        try (var busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(busy.getLocalPort());
            assertRefused(1, port, DemoProcess.start(places, "--gateway-port", port));
        }
    }

    @Test
    void chainPort_busy_isNamed() throws Exception {
        try (var busy = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = Integer.toString(busy.getLocalPort());
            assertRefused(1, "port " + port + " on loopback is taken", DemoProcess.start(places, "--chain-port", port));
        }
    }

    @Test
    void hypervisor_notThere_isNamedWithTheRemedy() throws Exception {
        String uri = "qemu+unix:///session?socket=/nonexistent/socket";
        assertRefused(1, uri + " does not answer", DemoProcess.start(places, "--hypervisor", uri));
    }

    @Test
    void libvirt_notInstalled_saysWhatToInstall() throws Exception {
        var without = mounting("mount --bind /dev/null \"$(command -v libvirtd)\"");
        assertRefused(
                1,
                "libvirtd is not installed: install the Debian packages",
                DemoProcess.start(places, without, Map.of()));
    }

    @Test
    void folder_full_saysHowMuchIsNeeded() throws Exception {
        Path full = Files.createDirectory(places.artefacts());
        var tiny = mounting("mount -t tmpfs -o size=1m tmpfs " + full);
        assertRefused(2, "MiB free, the demo needs", DemoProcess.start(places, tiny, Map.of()));
    }

    @Test
    void disk_full_failsTheSessionAndGivesTheWholeDepositBack() throws Exception {
        Path state = Files.createDirectory(places.state());
        var tiny = mounting("mount -t tmpfs -o size=24m,mode=0711 tmpfs " + state);
        try (var demo = DemoProcess.start(places, tiny, Map.of())) {
            assertEquals(1, demo.awaitExit(), demo::output);
            assertTrue(
                    demo.output().contains("disk of 64 MiB needs 68 MiB with its headers and does not fit"),
                    demo::output);
            assertTrue(demo.output().contains("✔ the whole deposit is back"), demo::output);
        }
        Files.delete(state);
        places.assertNothingLeft();
    }

    @Test
    void image_tampered_failsTheSessionAndGivesTheWholeDepositBack() throws Exception {
        Path cache = places.base().resolve("cache");
        Path image = cache.resolve("computehive/images").resolve(DemoImage.NAME);
        DemoImage.ensure(ImageCatalogue.defaultFolder(), line -> {});
        Files.createDirectories(image);
        Path original = ImageCatalogue.defaultFolder().resolve(DemoImage.NAME);
        for (Path file : DemoProcess.walked(original)) {
            if (Files.isRegularFile(file)) {
                Files.copy(file, image.resolve(file.getFileName()));
            }
        }
        byte[] initrd = Files.readAllBytes(image.resolve("initrd"));
        initrd[initrd.length / 2] ^= 1;
        Files.write(image.resolve("initrd"), initrd);
        try (var demo = DemoProcess.start(places, List.of(), Map.of("XDG_CACHE_HOME", cache.toString()))) {
            assertEquals(1, demo.awaitExit(), demo::output);
            assertTrue(demo.output().contains("file initrd of image demo has SHA-256"), demo::output);
            assertTrue(demo.output().contains("✔ the whole deposit is back"), demo::output);
        }
        places.assertNothingLeft();
    }

    /** Words that run a command where a mount is as asked, for it and what it starts alone. */
    private static List<String> mounting(String mount) {
        var words = new ArrayList<>(List.of("unshare", "--mount"));
        if (!System.getProperty("user.name").equals("root")) {
            words.addAll(List.of("--user", "--map-root-user"));
        }
        words.addAll(List.of("sh", "-c", mount + " && exec \"$@\"", "sh"));
        return words;
    }
}
