package org.computehive.access;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The {@code source-address} option of a certificate (PROTOCOL.certkeys): addresses and CIDR blocks, comma-separated. */
final class Addresses {
    private static final String OCTET = "(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])";
    /** Four octets, or something with a colon: no such text is a name that would be looked up, as {@code fade.cafe} is. */
    private static final Pattern BLOCK = Pattern.compile("(?<address>" + OCTET + "(?:\\." + OCTET
            + "){3}|(?=[0-9a-fA-F.]*:)[0-9a-fA-F:][0-9a-fA-F:.]{1,44})(?:/(?<bits>[0-9]{1,3}))?");

    private static final int LIMIT = 1024;

    private Addresses() {}

    /** Returns whether a peer is among them; whatever is malformed holds nobody. */
    static boolean hold(String list, @Nullable SocketAddress peer) {
        if (!(peer instanceof InetSocketAddress inet) || inet.getAddress() == null || list.length() > LIMIT) {
            return false;
        }
        byte[] address = inet.getAddress().getAddress();
        boolean held = false;
        for (String block : list.split(",", -1)) {
            var form = BLOCK.matcher(block);
            if (!form.matches()) {
                return false;
            }
            try {
                byte[] network = InetAddress.getByName(form.group("address")).getAddress();
                String bits = form.group("bits");
                held |= holds(network, bits == null ? Byte.SIZE * network.length : Integer.parseInt(bits), address);
            } catch (UnknownHostException e) {
                return false;
            }
        }
        return held;
    }

    private static boolean holds(byte[] network, int bits, byte[] address) {
        if (network.length != address.length || bits > Byte.SIZE * network.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit++) {
            int mask = 0x80 >> bit % Byte.SIZE;
            if ((network[bit / Byte.SIZE] & mask) != (address[bit / Byte.SIZE] & mask)) {
                return false;
            }
        }
        return true;
    }
}
