package org.computehive.vm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.computehive.rental.HypervisorException;

/** Puts the boot files of an image where the guests' user can read them. */
final class Staging {
    private Staging() {}

    /**
     * Returns the image with files that the account reaches: where the catalogue lies in a private folder, the kernel
     * and initial RAM disk are copied to memory once, by digest, where that account can't change them.
     *
     * @throws HypervisorException.Lacking if a base disk can't be reached, which is too large to copy
     */
    static GuestImage reachable(GuestImage image, Places places) {
        image.base().filter(base -> !places.account().reaches(base.file())).ifPresent(base -> {
            throw new HypervisorException.Lacking(
                    "user %s can't reach %s: keep images below /var/lib/computehive or let others pass (chmod o+x)"
                            .formatted(places.account().name(), base.file()),
                    null);
        });
        return new GuestImage(
                image.name(),
                image.kernel().map(kernel -> staged(kernel, places)),
                image.initrd().map(initrd -> staged(initrd, places)),
                image.base(),
                image.setUp());
    }

    private static GuestImage.Part staged(GuestImage.Part part, Places places) {
        if (places.account().reaches(part.file())) {
            return part;
        }
        Path copy = places.images().resolve(part.sha256());
        try {
            if (!Files.exists(copy)) {
                Path fresh = places.images().resolve(part.sha256() + ".new");
                Files.copy(part.file(), fresh, StandardCopyOption.REPLACE_EXISTING);
                String digest = ImageCatalogue.sha256(fresh);
                if (!digest.equals(part.sha256())) {
                    Files.delete(fresh);
                    throw new HypervisorException.Refused(
                            "file %s changed while it was read: SHA-256 %s, expected %s"
                                    .formatted(part.file(), digest, part.sha256()),
                            null);
                }
                Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("r--r--r--"));
                Files.move(fresh, copy, StandardCopyOption.ATOMIC_MOVE);
            }
            return new GuestImage.Part(copy, part.sha256());
        } catch (IOException e) {
            throw new HypervisorException.Lacking(
                    "boot file %s can't be copied to %s: %s".formatted(part.file(), places.images(), e), e);
        }
    }
}
