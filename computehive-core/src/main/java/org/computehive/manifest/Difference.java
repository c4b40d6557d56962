package org.computehive.manifest;

/**
 * One thing in which a manifest differs from another.
 *
 * @param path where, such as {@code software/qemu}
 * @param was the value in the first; {@value #NONE} where it has none
 * @param now the value in the second; {@value #NONE} where it has none
 */
public record Difference(String path, String was, String now) {
    static final String NONE = "(not stated)";

    /**
     * Returns how much it matters: another image, device or network is another experiment; another version or layout may
     * change a result in its last digits or its speed; what one of the two does not state can't be judged.
     */
    public Effect effect() {
        if (was.equals(NONE) || now.equals(NONE)) {
            return path.startsWith("devices/") ? Effect.OTHER : Effect.UNKNOWN;
        }
        return path.startsWith("software/") || path.startsWith("machine/layout/") ? Effect.VARIANT : Effect.OTHER;
    }

    /** What a difference does to a result, from the least to the most. */
    public enum Effect {
        /** One side doesn't say. */
        UNKNOWN,
        /** Another version or layout: results may vary in detail or in speed. */
        VARIANT,
        /** Something else is computed on. */
        OTHER
    }

    @Override
    public String toString() {
        return path + ": " + was + " -> " + now;
    }
}
