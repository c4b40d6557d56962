package org.computehive.caldav;

import java.net.URI;
import java.util.Locale;

/**
 * A calendar of a party's on a CalDAV server.
 *
 * <p>Immutable and thread-safe.
 *
 * @param url the collection's own address, ending in {@code /}: {@code https:}, or {@code http:} on this machine alone
 * @param credential who may write there
 * @param onCancel what becomes of a rental that is called off
 */
public record CalDavCollection(URI url, CalDavCredential credential, OnCancel onCancel) {
    private static final int LONGEST = 1000;

    /** What becomes of a rental that is called off. */
    public enum OnCancel {
        /** It stays, marked as cancelled, so that a message that comes late can't bring it back. */
        MARK,
        /** It is deleted. A message that was overtaken by the cancellation could bring it back. */
        REMOVE
    }

    /**
     * Checks the address.
     *
     * @throws IllegalArgumentException if credentials could be read on the way, or it is no collection's address; the
     *     message quotes no more than scheme and host
     */
    public CalDavCollection {
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        String host = url.getHost() == null ? "" : url.getHost();
        boolean plain = url.getRawUserInfo() == null
                && url.getRawQuery() == null
                && url.getRawFragment() == null
                && url.normalize().equals(url)
                && url.toString().length() <= LONGEST;
        if (host.isEmpty()
                || !plain
                || url.getRawPath() == null
                || !url.getRawPath().endsWith("/")) {
            throw new IllegalArgumentException(
                    "a CalDAV collection at %s must be an address of at most %d characters that ends in /, without user, query, fragment or dots"
                            .formatted(host, LONGEST));
        }
        if (!scheme.equals("https") && !(scheme.equals("http") && AddressGuard.isLoopback(host))) {
            throw new IllegalArgumentException(
                    "a CalDAV collection at %s must be https:, so that nobody reads its password on the way; http: is for this machine alone"
                            .formatted(host));
        }
    }

    boolean isEncrypted() {
        return url.getScheme().equalsIgnoreCase("https");
    }
}
