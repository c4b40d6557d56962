package org.computehive.market;

import java.util.Map;
import java.util.Optional;

/**
 * What the guests of a host run on, as far as it is known before one starts: what a renter is promised for the sake of
 * reproducibility. Immutable and thread-safe.
 *
 * @param software names and versions of what runs guests, such as {@code qemu → 7.2.22}
 * @param layout how a guest's machine is made, such as {@code machine → q35}, {@code acceleration → kvm}
 * @param network what a guest can reach, in words
 * @param images the guest images, by name
 */
public record GuestPlatform(
        Map<String, String> software, Map<String, String> layout, String network, Map<String, Image> images) {
    /** Nothing is stated, as for hosts that were registered before this was asked. */
    public static final GuestPlatform UNSTATED = new GuestPlatform(Map.of(), Map.of(), "", Map.of());

    /** Copies the maps. */
    public GuestPlatform {
        software = Map.copyOf(software);
        layout = Map.copyOf(layout);
        images = Map.copyOf(images);
    }

    /** Returns an image, if the host has it. */
    public Optional<Image> image(String name) {
        return Optional.ofNullable(images.get(name));
    }

    /**
     * A guest image.
     *
     * @param sha256 the digest of each of its parts, such as {@code kernel}, 64 hexadecimal digits
     * @param software names and versions of what is in it, such as {@code kernel → 6.1.0-42-cloud-amd64}
     */
    public record Image(Map<String, String> sha256, Map<String, String> software) {
        /** Copies the maps. */
        public Image {
            sha256 = Map.copyOf(sha256);
            software = Map.copyOf(software);
        }
    }
}
