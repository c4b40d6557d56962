package org.computehive.market;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * IPv4 addresses that share a prefix (RFC 4632).
 *
 * @param network the first address, as an unsigned number of 32 bits
 * @param length how many bits they share, 0 to 32
 */
record Ipv4Range(long network, int length) {
    private static final Pattern FORM = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})/(\\d{1,2})");
    private static final long ALL = 0xffff_ffffL;

    /**
     * What no guest ever reaches: this network, loopback, link-local with the clouds' metadata service, Azure's platform
     * address, the platform's own links to guests (a range for benchmarks that no network uses, RFC 2544), multicast,
     * reserved and broadcast addresses (RFC 6890).
     */
    static final List<Ipv4Range> NEVER = Stream.of(
                    "0.0.0.0/8",
                    "127.0.0.0/8",
                    "168.63.129.16/32",
                    "169.254.0.0/16",
                    "198.18.0.0/15",
                    "224.0.0.0/4",
                    "240.0.0.0/4")
            .map(Ipv4Range::parse)
            .toList();

    /** Private networks (RFC 1918), those shared by a provider's customers (RFC 6598), protocol assignments (RFC 6890). */
    static final List<Ipv4Range> PRIVATE = Stream.of(
                    "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16")
            .map(Ipv4Range::parse)
            .toList();

    /**
     * Reads CIDR notation.
     *
     * @throws IllegalArgumentException if it is not four numbers, a slash and a length, or has bits behind its length
     */
    static Ipv4Range parse(String text) {
        Matcher parts = FORM.matcher(text);
        if (!parts.matches()) {
            throw malformed(text, "use IPv4 in CIDR notation, such as 192.0.2.0/24 or 192.0.2.7/32");
        }
        long network = 0;
        for (int i = 1; i <= 4; i++) {
            int part = Integer.parseInt(parts.group(i));
            if (part > 255 || (parts.group(i).length() > 1 && parts.group(i).startsWith("0"))) {
                throw malformed(text, "each of the four numbers is 0 to 255, without leading zeros");
            }
            network = network << 8 | part;
        }
        int length = Integer.parseInt(parts.group(5));
        if (length > 32 || (parts.group(5).length() > 1 && parts.group(5).startsWith("0"))) {
            throw malformed(text, "its length is 0 to 32");
        }
        if ((network & ~mask(length) & ALL) != 0) {
            throw malformed(text, "it has bits behind its length: the first address of the range stands there");
        }
        return new Ipv4Range(network, length);
    }

    private static long mask(int length) {
        return ALL << 32 - length & ALL;
    }

    private static IllegalArgumentException malformed(String text, String why) {
        return new IllegalArgumentException("addresses %s are malformed: %s".formatted(Text.quote(text), why));
    }

    boolean overlaps(Ipv4Range other) {
        long shared = mask(Math.min(length, other.length));
        return (network & shared) == (other.network & shared);
    }

    @Override
    public String toString() {
        return "%d.%d.%d.%d/%d"
                .formatted(network >> 24, network >> 16 & 255, network >> 8 & 255, network & 255, length);
    }
}
