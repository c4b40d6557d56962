package org.computehive.market;

/**
 * Names a host, as its lender does.
 *
 * @param value a DNS label: 1 to 63 of a-z, 0-9 and inner hyphens
 */
public record HostId(String value) {
    /**
     * Checks the form.
     *
     * @throws IllegalArgumentException if {@code value} is not a label
     */
    public HostId {
        Text.label("host id", value);
    }

    @Override
    public String toString() {
        return value;
    }
}
