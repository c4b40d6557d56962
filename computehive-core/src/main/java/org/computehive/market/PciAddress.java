package org.computehive.market;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Where a PCI function sits on its host, with the full domain: {@code 0000:41:00.0}.
 *
 * <p>Immutable and thread-safe.
 *
 * @param value {@code dddd:bb:ss.f} in lower-case hexadecimal; the domain has 4 to 8 digits
 */
public record PciAddress(String value) {
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{4,8}:[0-9a-f]{2}:[01][0-9a-f]\\.[0-7]");

    /**
     * Folds and checks the address.
     *
     * @throws IllegalArgumentException if it is not of the form {@code dddd:bb:ss.f}
     */
    public PciAddress {
        value = value.toLowerCase(Locale.ROOT);
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException("PCI address %s is not of the form dddd:bb:ss.f, such as 0000:41:00.0"
                    .formatted(Text.quote(value)));
        }
    }

    /** Returns the domain. */
    public int domain() {
        return Integer.parseUnsignedInt(value.substring(0, value.indexOf(':')), 16);
    }

    /** Returns the bus, 0 to 255. */
    public int bus() {
        return Integer.parseInt(value.substring(value.indexOf(':') + 1, value.lastIndexOf(':')), 16);
    }

    /** Returns the slot, 0 to 31. */
    public int slot() {
        return Integer.parseInt(value.substring(value.lastIndexOf(':') + 1, value.indexOf('.')), 16);
    }

    /** Returns the function, 0 to 7. */
    public int function() {
        return value.charAt(value.length() - 1) - '0';
    }

    @Override
    public String toString() {
        return value;
    }
}
