package org.computehive.vm;

import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.computehive.rental.VmSpec;

/**
 * Whether a VM may be made here: its host has what it needs, its network can be kept, its image is what its manifest says.
 * Thread-safe.
 */
final class Admission {
    private final Capacity capacity;
    private final GuestNetworks networks;
    private final ImageCatalogue images;
    /** Who this is for a catalogue that several hypervisors use. */
    private final String holder;

    Admission(Capacity capacity, GuestNetworks networks, ImageCatalogue images, String holder) {
        this.capacity = capacity;
        this.networks = networks;
        this.images = images;
        this.holder = holder;
    }

    /**
     * Returns the image, verified now; it is not evicted until {@link #release}, which is the caller's to call also after a
     * refusal. Its files are hashed while the host is looked at.
     *
     * @throws HypervisorException.Refused if the VM may not be made
     * @throws HypervisorException.Lacking if it has no room
     */
    GuestImage admit(VmSpec spec) {
        String name = spec.shape().image();
        images.hold(name, holder, spec.id());
        Aside<GuestImage> verified = Aside.begin(() -> capacity.image(name));
        capacity.check(spec);
        networks.check(spec.shape().network());
        GuestImage image = verified.await();
        image.check(spec.shape().diskMiB());
        return image;
    }

    /** Returns whether VMs use the processor's own virtualisation. */
    boolean accelerated() {
        return capacity.accelerated();
    }

    /** Notes that a session has no image any more. */
    void release(RentalId id) {
        images.release(holder, id);
    }
}
