package org.computehive.vm;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.computehive.vm.internal.CloudSeed;

/** How a guest's network device is joined to its host, and where the host reaches its SSH server. */
sealed interface GuestLink {
    /** The device's hardware address: each guest has a network of its own, so all have the same. */
    String MAC = "52:54:00:12:34:56";
    /** The guest's address in its own network, as QEMU's user network gives it. */
    String GUEST = "10.0.2.15";
    /** The guest's router in its own network. */
    String ROUTER = "10.0.2.2";
    /** How many bits the addresses of that network share. */
    int GUEST_PREFIX = 24;

    /** Returns a guest's place in its own network, as cloud-init is told. */
    static CloudSeed.Place place(List<String> resolvers) {
        return new CloudSeed.Place("macaddress", MAC, GUEST, GUEST_PREFIX, ROUTER, resolvers);
    }

    /** Returns where the host reaches the guest's SSH server. */
    InetSocketAddress ssh();

    /**
     * QEMU's user network, shut: one port of the host's loopback leads to the guest.
     *
     * @param port that port
     */
    record Forwarded(int port) implements GuestLink {
        @Override
        public InetSocketAddress ssh() {
            return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        }
    }

    /**
     * A tap device that lies in a network namespace of its own, which a pair of devices joins to the host.
     *
     * @param slot which of the host's links it is, 0 to {@value #LAST_SLOT}; names and addresses follow from it
     */
    record Routed(int slot) implements GuestLink {
        static final int LAST_SLOT = 32_767;
        /** What the names of the host's ends begin with. */
        static final String OUTER_PREFIX = "chv";

        private static final Pattern SESSION_ADDRESS = Pattern.compile("198\\.18\\.(\\d{1,3})\\.(\\d{1,3})");

        public Routed {
            if (slot < 0 || slot > LAST_SLOT) {
                throw new IllegalArgumentException("slot %d is out of range: 0 to %d".formatted(slot, LAST_SLOT));
            }
        }

        /** Returns the link whose namespace has an address; empty if no link has it. */
        static Optional<Routed> at(String sessionAddress) {
            Matcher parts = SESSION_ADDRESS.matcher(sessionAddress);
            if (!parts.matches()) {
                return Optional.empty();
            }
            int slot = Integer.parseInt(parts.group(1)) << 7 | Integer.parseInt(parts.group(2)) >> 1 & 127;
            return slot > LAST_SLOT
                    ? Optional.empty()
                    : Optional.of(new Routed(slot))
                            .filter(link -> link.sessionAddress().equals(sessionAddress));
        }

        /** Returns the tap device's name. */
        String tap() {
            return "cht" + slot;
        }

        /** Returns the name of the pair's end in the host. */
        String outer() {
            return OUTER_PREFIX + slot;
        }

        /** Returns the name of the pair's end in the namespace. */
        String inner() {
            return "chu" + slot;
        }

        /** Returns the host's address on the link. */
        String hostAddress() {
            return address(0);
        }

        /** Returns the namespace's address on the link. */
        String sessionAddress() {
            return address(1);
        }

        /** A range for benchmarks (RFC 2544) that no network uses. */
        private String address(int end) {
            return "198.18.%d.%d".formatted(slot >> 7, (slot & 127) * 2 + end);
        }

        @Override
        public InetSocketAddress ssh() {
            try {
                return new InetSocketAddress(
                        InetAddress.getByName(sessionAddress()), 22); // a literal: nothing is asked
            } catch (UnknownHostException e) {
                throw new IllegalStateException("four numbers are an address", e);
            }
        }
    }
}
