package org.computehive.market;

/**
 * Names one physical device across the whole market: its host and its place there.
 *
 * @param host the host it sits in
 * @param address its PCI address on that host
 */
public record GpuId(HostId host, PciAddress address) {
    /**
     * Reads what {@link #toString()} writes.
     *
     * @throws IllegalArgumentException if the text is not {@code host/pci-address}
     */
    public static GpuId parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("gpu id %s is not host/pci-address".formatted(Text.quote(text)));
        }
        return new GpuId(new HostId(text.substring(0, slash)), new PciAddress(text.substring(slash + 1)));
    }

    @Override
    public String toString() {
        return host + "/" + address;
    }
}
