package org.computehive.caldav;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Locale;

/**
 * Keeps us from sending requests into our own network for somebody who can't: an address that a party chose must be one of
 * the public Internet's (IANA's special-purpose registries, RFC 6890).
 *
 * <p>The name is looked up here and again when connecting. The JDK keeps what it found for some seconds, so that both give
 * the same; an operator who can't rely on that puts a firewall before this process.
 */
final class AddressGuard {
    private AddressGuard() {}

    /** Returns whether a host, as it stands in an address, is this machine by its very name. */
    static boolean isLoopback(String host) {
        String name = host.toLowerCase(Locale.ROOT);
        return name.equals("localhost")
                || name.equals("[::1]")
                || name.matches("127\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}");
    }

    /**
     * Checks where a collection's name leads.
     *
     * @throws CalDavException.Refused if to a private address, or unencrypted to another machine
     * @throws CalDavException.Unreachable if nowhere
     */
    static void check(CalDavCollection collection, boolean privateAllowed) {
        String host = collection.url().getHost();
        InetAddress[] addresses;
        try {
            addresses = InetAddress.getAllByName(host);
        } catch (UnknownHostException e) {
            throw new CalDavException.Unreachable("the CalDAV server %s is not known".formatted(host), e);
        }
        for (InetAddress address : addresses) {
            if (!collection.isEncrypted() && !address.isLoopbackAddress()) {
                throw new CalDavException.Refused(
                        "the CalDAV server %s is another machine: give an https: address".formatted(host));
            }
            if (!privateAllowed && !isPublic(address)) {
                throw new CalDavException.Refused(
                        "the CalDAV server %s has a private address: only the operator can allow that".formatted(host));
            }
        }
    }

    static boolean isPublic(InetAddress address) {
        boolean special = address.isAnyLocalAddress()
                || address.isLoopbackAddress()
                || address.isLinkLocalAddress()
                || address.isSiteLocalAddress()
                || address.isMulticastAddress();
        return !special
                && switch (address) {
                    case Inet4Address four -> isPublic(four.getAddress());
                    case Inet6Address six -> isPublic6(six.getAddress());
                    default -> false;
                };
    }

    private static boolean isPublic(byte[] four) {
        int a = four[0] & 0xff;
        int b = four[1] & 0xff;
        int c = four[2] & 0xff;
        boolean special = a == 0
                || a == 10
                || a == 127
                || (a == 100 && b >= 64 && b < 128)
                || (a == 169 && b == 254)
                || (a == 172 && b >= 16 && b < 32)
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 0 && c == 2)
                || (a == 192 && b == 168)
                || (a == 198 && (b == 18 || b == 19))
                || (a == 198 && b == 51 && c == 100)
                || (a == 203 && b == 0 && c == 113)
                || a >= 224;
        return !special;
    }

    private static boolean isPublic6(byte[] six) {
        int first = (six[0] & 0xff) << 8 | six[1] & 0xff;
        int second = (six[2] & 0xff) << 8 | six[3] & 0xff;
        // What carries an IPv4 address in it: NAT64 (RFC 6052), 6to4 (RFC 3056); Teredo is of no use to anybody.
        if (first == 0x64 && second == 0xff9b) {
            return isPublic(Arrays.copyOfRange(six, 12, 16));
        }
        if (first == 0x2002) {
            return isPublic(Arrays.copyOfRange(six, 2, 6));
        }
        boolean global = (first & 0xe000) == 0x2000;
        boolean special = first == 0x2001 && (second == 0 || second == 0xdb8);
        return global && !special;
    }
}
