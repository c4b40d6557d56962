package org.computehive.access;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressesTest {
    private static SocketAddress peer(String address) throws UnknownHostException {
        return new InetSocketAddress(InetAddress.getByName(address), 4_000);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "192.0.2.7; 192.0.2.7; true",
                "192.0.2.7; 192.0.2.8; false",
                "192.0.2.0/24; 192.0.2.255; true",
                "192.0.2.0/24; 192.0.3.0; false",
                "192.0.2.128/25; 192.0.2.127; false",
                "192.0.2.128/25; 192.0.2.128; true",
                "192.0.2.6/31; 192.0.2.7; true",
                "0.0.0.0/0; 203.0.113.9; true",
                "0.0.0.0/0; 2001:db8::1; false",
                "::/0; 203.0.113.9; false",
                "2001:db8::/33; 2001:db8:7fff::1; true",
                "2001:db8::/33; 2001:db8:8000::1; false",
                "198.51.100.1,192.0.2.0/24; 192.0.2.9; true",
                "192.0.2.0/33; 192.0.2.0; false",
                "2001:db8::/129; 2001:db8::; false"
            })
    void hold_blocks_holdThoseInThemAndOfTheirFamily(String list, String address, boolean held) throws Exception {
        assertEquals(held, Addresses.hold(list, peer(address)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",",
                "192.0.2.7,",
                "192.0.2.7 ",
                "*",
                "192.0.2.*",
                "!192.0.2.8",
                "localhost",
                "192.0.2.7,example.org",
                "192.0.2.7/-1",
                "192.0.2.7/",
                "192.0.2.999",
                "100.2.7",
                "fade.cafe",
                ".::1",
                "192.0.2.7,::ffff::1"
            })
    void hold_anythingMalformed_holdsNobody(String list) throws Exception {
        assertFalse(Addresses.hold(list, peer("192.0.2.7")));
    }

    @Test
    void hold_listThatIsTooLongOrPeerWithoutAnAddress_holdsNobody() throws Exception {
        String all = "0.0.0.0/0";
        assertFalse(Addresses.hold((all + ",").repeat(120) + all, peer("192.0.2.7")));
        assertFalse(Addresses.hold(all, null));
        assertFalse(Addresses.hold(all, InetSocketAddress.createUnresolved("example.org", 22)));
        assertFalse(Addresses.hold(all, UnixDomainSocketAddress.of("/run/somewhere")));
    }
}
