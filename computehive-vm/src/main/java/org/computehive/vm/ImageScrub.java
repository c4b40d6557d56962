package org.computehive.vm;

import java.time.Duration;
import org.computehive.rental.HypervisorException;

/**
 * The {@link ScrubGuest} that the operator put into the image catalogue, under the name {@code scrub-VENDOR}, such as
 * {@code scrub-10de}. Its files are verified before every start, as any image's. Thread-safe.
 */
final class ImageScrub implements GpuScrub {
    private static final int MEMORY_MIB = 2048;
    private static final Duration LIMIT = Duration.ofMinutes(10);
    private static final String PREFIX = "scrub-";

    private final Libvirt libvirt;
    private final Places places;
    private final ImageCatalogue images;
    private final Capacity capacity;

    ImageScrub(Libvirt libvirt, Places places, ImageCatalogue images, Capacity capacity) {
        this.libvirt = libvirt;
        this.places = places;
        this.images = images;
        this.capacity = capacity;
    }

    /** Returns whether an image is one of these, and so none to rent a VM with. */
    static boolean isOne(String image) {
        return image.startsWith(PREFIX);
    }

    private static String image(HostGpu gpu) {
        return PREFIX + gpu.gpu().vendorId();
    }

    @Override
    public String name() {
        return "a guest that overwrites it";
    }

    @Override
    public boolean handles(HostGpu gpu) {
        return libvirt.local() && images.names().contains(image(gpu));
    }

    @Override
    public long scrub(HostGpu gpu) {
        GuestImage image = capacity.image(image(gpu));
        GuestImage.Part kernel = image.kernel()
                .orElseThrow(() -> new HypervisorException.Refused(
                        "image %s has no kernel of its own: a scrub's guest is a kernel and an initial RAM disk"
                                .formatted(image.name()),
                        null));
        return new ScrubGuest(
                        libvirt,
                        HostFiles.local(),
                        new ScrubGuest.Guest(
                                gpu.gpu().vendorId(),
                                kernel.file().toString(),
                                image.initrd().map(part -> part.file().toString()),
                                "console=ttyS0 quiet panic=-1",
                                capacity.accelerated(),
                                MEMORY_MIB,
                                places.domainRun().toString(),
                                LIMIT))
                .scrub(gpu);
    }
}
