package org.computehive.market;

/**
 * Names a listing.
 *
 * @param value a DNS label: 1 to 63 of a-z, 0-9 and inner hyphens
 */
public record ListingId(String value) {
    /**
     * Checks the form.
     *
     * @throws IllegalArgumentException if {@code value} is not a label
     */
    public ListingId {
        Text.label("listing id", value);
    }

    @Override
    public String toString() {
        return value;
    }
}
