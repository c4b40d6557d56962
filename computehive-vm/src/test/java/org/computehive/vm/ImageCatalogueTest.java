package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.computehive.rental.HypervisorException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageCatalogueTest {
    private static final String EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    @TempDir
    private Path folder;

    private ImageCatalogue catalogue;

    @BeforeEach
    void makeImage() throws IOException {
        catalogue = ImageCatalogue.in(folder);
        Path image = Files.createDirectory(folder.resolve("small"));
        Files.createFile(image.resolve("vmlinux"));
        Files.createFile(image.resolve("initrd"));
        manifest("kernel=vmlinux\nkernel.sha256=" + EMPTY + "\ninitrd=initrd\ninitrd.sha256=" + EMPTY + "\n");
    }

    private void manifest(String text) throws IOException {
        Files.writeString(folder.resolve("small/image.properties"), text);
    }

    private String refusal(String name) {
        return assertThrows(HypervisorException.Refused.class, () -> catalogue.verified(name))
                .getMessage();
    }

    @Test
    void wholeImage_isVerified() {
        GuestImage image = catalogue.verified("small");
        assertEquals(EMPTY, image.kernel().orElseThrow().sha256());
        assertEquals(
                folder.resolve("small/vmlinux"), image.kernel().orElseThrow().file());
        assertEquals(List.of("small"), catalogue.names());
    }

    @Test
    void changedFile_isRefusedWithBothDigestsAndTheRemedy() throws IOException {
        Files.writeString(folder.resolve("small/initrd"), "changed");
        String refusal = refusal("small");
        assertTrue(refusal.contains(EMPTY), refusal);
        assertTrue(refusal.contains(ImageCatalogue.sha256(folder.resolve("small/initrd"))), refusal);
        assertTrue(refusal.contains("build or copy the image again"), refusal);
    }

    @Test
    void unknownImage_isRefusedWithTheNamesThereAre() {
        String refusal = refusal("large");
        assertTrue(refusal.contains("large") && refusal.contains("[small]"), refusal);
    }

    @Test
    void nameThatLeavesTheFolder_isRefused() {
        for (String name : List.of("..", "../small", "/etc", "small/..", "", "Small")) {
            assertTrue(refusal(name).contains("label"), name);
        }
    }

    @Test
    void manifestThatLeavesItsFolder_isRefused() throws IOException {
        manifest("kernel=../../etc/passwd\nkernel.sha256=" + EMPTY + "\ninitrd=initrd\ninitrd.sha256=" + EMPTY + "\n");
        assertTrue(refusal("small").contains("plain file name"));
    }

    @Test
    void manifestWithoutDigest_isRefused() throws IOException {
        manifest("kernel=vmlinux\ninitrd=initrd\ninitrd.sha256=" + EMPTY + "\n");
        assertTrue(refusal("small").contains("kernel.sha256"));
    }
}
