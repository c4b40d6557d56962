package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.stream.Stream;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageCacheTest {
    private static final RentalId ONE = new RentalId("0123456789abcdefghjkmnpqrs");
    private static final RentalId OTHER = new RentalId("1123456789abcdefghjkmnpqrs");

    @TempDir
    private Path folder;

    private Path store;
    private Path cached;
    private ImageCatalogue catalogue;

    @BeforeEach
    void makeCatalogue() {
        store = folder.resolve("store");
        cached = folder.resolve("cached");
        catalogue = ImageCatalogue.in(cached, new ImageRules(List.of(), 1));
    }

    private void add(String name, int kib) throws IOException {
        catalogue.add(name, ImageSource.folder(SmallImage.of(store, name, kib)));
    }

    /** Says that an image was used at a time. */
    private void used(String name, long at) throws IOException {
        Files.setLastModifiedTime(cached.resolve(name).resolve(ImageCatalogue.MANIFEST), FileTime.fromMillis(at));
    }

    private void assertNothingLeftBut(String... names) throws IOException {
        assertEquals(List.of(names), catalogue.names());
        try (Stream<Path> entries = Files.list(cached)) {
            assertEquals(
                    List.of(names),
                    entries.map(path -> path.getFileName().toString())
                            .filter(name ->
                                    !List.of(".changing", ".noting", ".in-use").contains(name))
                            .sorted()
                            .toList());
        }
    }

    @Test
    void add_ofAWholeImage_isVerifiedAndThere() throws IOException {
        add("small", 4);
        GuestImage image = catalogue.verified("small");
        assertEquals(
                cached.resolve("small/vmlinux"), image.kernel().orElseThrow().file());
        assertEquals(GuestImage.SetUp.FIRMWARE, image.setUp());
        assertNothingLeftBut("small");
    }

    @Test
    void add_ofWhatIsThere_readsNoFileAgain() throws IOException {
        add("small", 4);
        Path source = SmallImage.of(store, "small", 4);
        Files.delete(source.resolve("vmlinux"));
        catalogue.add("small", ImageSource.folder(source));
        assertNothingLeftBut("small");
    }

    @Test
    void add_ofAnotherVersion_takesItsPlace_unlessASessionHasIt() throws IOException {
        add("small", 4);
        catalogue.hold("small", "host", ONE);
        var lacking = assertThrows(HypervisorException.Lacking.class, () -> add("small", 5));
        assertTrue(String.valueOf(lacking.getMessage()).contains("sessions have it"), lacking::getMessage);
        assertEquals(4 << 10, Files.size(cached.resolve("small/vmlinux")));
        catalogue.release("host", ONE);
        add("small", 5);
        assertEquals(5 << 10, Files.size(cached.resolve("small/vmlinux")));
        assertNothingLeftBut("small");
    }

    @Test
    void add_ofAFileThatWasChanged_isRefusedAndLeavesNothing() throws IOException {
        Path source = SmallImage.of(store, "small", 4);
        Files.writeString(source.resolve("initrd"), "changed");
        var refused = assertThrows(
                HypervisorException.Refused.class, () -> catalogue.add("small", ImageSource.folder(source)));
        assertTrue(String.valueOf(refused.getMessage()).contains("initrd"), refused::getMessage);
        assertNothingLeftBut();
    }

    @Test
    void add_thatBreaksOffInTheMiddle_isLackingAndLeavesNothing() throws IOException {
        ImageSource whole = ImageSource.folder(SmallImage.of(store, "small", 4));
        var broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("No space left on device");
            }
        };
        ImageSource source = file -> file.equals("vmlinux")
                ? new SequenceInputStream(new ByteArrayInputStream(new byte[100]), broken)
                : whole.open(file);
        var lacking = assertThrows(HypervisorException.Lacking.class, () -> catalogue.add("small", source));
        assertTrue(String.valueOf(lacking.getMessage()).contains("free space"), lacking::getMessage);
        assertNothingLeftBut();
    }

    @Test
    void tornCopy_ofAKilledProcess_isNeverUsedAndGoesAtTheNextAdding() throws IOException {
        Files.createDirectories(cached);
        SmallImage.of(cached, ".adding-123", 4);
        assertEquals(List.of(), catalogue.names());
        assertThrows(HypervisorException.Refused.class, () -> catalogue.verified(".adding-123"));
        add("small", 4);
        assertNothingLeftBut("small");
    }

    @Test
    void quota_evictsWhatWasUsedLeastRecently() throws IOException {
        add("one", 300);
        add("two", 300);
        add("three", 300);
        used("one", 3_000);
        used("two", 1_000);
        used("three", 2_000);
        add("four", 300);
        assertNothingLeftBut("four", "one", "three");
        catalogue.verified("three");
        used("four", 5_000);
        add("five", 300);
        assertNothingLeftBut("five", "four", "three");
    }

    @Test
    void quota_neverEvictsWhatASessionHas() throws IOException {
        add("one", 500);
        used("one", 1_000);
        catalogue.hold("one", "host", ONE);
        add("two", 400);
        add("three", 400);
        assertNothingLeftBut("one", "three");

        var lacking = assertThrows(HypervisorException.Lacking.class, () -> add("large", 600));
        assertTrue(String.valueOf(lacking.getMessage()).contains("quota is 1 MiB"), lacking::getMessage);
        assertTrue(catalogue.names().contains("one"));
        assertFalse(catalogue.names().contains("large"));

        // Another host's note stays when this one's sessions are gone.
        catalogue.hold("one", "other", OTHER);
        catalogue.releaseAllBut("host", List.of());
        assertThrows(HypervisorException.Lacking.class, () -> add("large", 600));
        catalogue.release("other", OTHER);
        add("large", 600);
        assertNothingLeftBut("large");
    }

    @Test
    void image_largerThanTheQuota_isLackingAndEvictsNothingForIt() throws IOException {
        add("small", 4);
        catalogue.hold("small", "host", ONE);
        assertThrows(HypervisorException.Lacking.class, () -> add("huge", 2_000));
        assertNothingLeftBut("small");
    }

    @Test
    void name_thatLeavesTheFolder_isRefused() {
        for (String name : List.of("..", "../x", "a/b", "", "<x>", "a\nb")) {
            assertThrows(HypervisorException.Refused.class, () -> catalogue.add(name, ImageSource.folder(store)), name);
        }
    }

    @Test
    void manifest_ofAnotherName_isRefused() throws IOException {
        Path source = SmallImage.of(store, "small", 4);
        var refused = assertThrows(
                HypervisorException.Refused.class, () -> catalogue.add("other", ImageSource.folder(source)));
        assertTrue(String.valueOf(refused.getMessage()).contains("small"), refused::getMessage);
        assertNothingLeftBut();
    }

    @Test
    void disk_thatStandsAlone_isTaken_andNoSmallerOverlayLiesOverIt() throws IOException {
        Path source = SmallImage.disk(store, "cloud", SmallImage.qcow2((100L << 20) + 1, 0, 0));
        catalogue.add("cloud", ImageSource.folder(source));
        GuestImage image = catalogue.verified("cloud");
        assertEquals(GuestImage.SetUp.CLOUD_INIT, image.setUp());
        assertTrue(image.kernel().isEmpty());
        image.check(101);
        var refused = assertThrows(HypervisorException.Refused.class, () -> image.check(100));
        assertTrue(String.valueOf(refused.getMessage()).contains("101 MiB"), refused::getMessage);
    }

    @Test
    void disk_thatNamesAnotherFile_orIsNone_isRefusedAndLeavesNothing() throws IOException {
        for (byte[] disk : List.of(
                SmallImage.qcow2(1 << 20, 512, 0), SmallImage.qcow2(1 << 20, 0, 4), new byte[4_096], new byte[10])) {
            Path source = SmallImage.disk(store, "cloud", disk);
            assertThrows(HypervisorException.Refused.class, () -> catalogue.add("cloud", ImageSource.folder(source)));
            assertNothingLeftBut();
        }
    }
}
