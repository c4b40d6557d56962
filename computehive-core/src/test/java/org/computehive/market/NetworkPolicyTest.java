package org.computehive.market;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Collections;
import java.util.List;
import org.computehive.market.NetworkPolicy.Destination;
import org.computehive.market.NetworkPolicy.Kind;
import org.computehive.market.NetworkPolicy.Protocol;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkPolicyTest {
    private static final Destination WEB = Destination.tcp("192.0.2.0/24", 443);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "192.0.2.1",
                "192.0.2.1/24",
                "192.0.2.0/33",
                "192.0.2.0/024",
                "256.0.2.0/24",
                "192.00.2.0/24",
                "::1/128",
                "example.org/32",
                "192.0.2.0/24 accept",
                "192.0.2.0/24\n",
                ""
            })
    void destination_thatIsNotCidrNotation_isRefused(String addresses) {
        assertThrows(IllegalArgumentException.class, () -> Destination.tcp(addresses, 80));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "127.0.0.1/32",
                "169.254.169.254/32",
                "169.254.0.0/16",
                "168.63.129.16/32",
                "198.18.0.1/32",
                "224.0.0.1/32",
                "255.255.255.255/32",
                "0.0.0.0/0",
                "128.0.0.0/1",
                "168.0.0.0/8"
            })
    void destination_thatNoGuestReaches_isRefusedWithTheRange(String addresses) {
        var refused = assertThrows(IllegalArgumentException.class, () -> Destination.tcp(addresses, 80));
        assertTrue(String.valueOf(refused.getMessage()).contains("no guest ever reaches"), refused::getMessage);
    }

    @Test
    void destination_ofTheLendersOwnNetwork_isAllowed() {
        assertEquals(
                "udp 10.1.2.0/24 ports 5000-5010",
                new Destination("10.1.2.0/24", Protocol.UDP, 5_000, 5_010).toString());
        assertEquals("tcp 1.1.1.1/32 port 53", Destination.tcp("1.1.1.1/32", 53).toString());
    }

    @Test
    void ports_outOfRange_areRefused() {
        for (int[] ports : new int[][] {{0, 1}, {2, 1}, {1, 65_536}, {-1, -1}}) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new Destination("192.0.2.0/24", Protocol.TCP, ports[0], ports[1]));
        }
    }

    @Test
    void list_thatDoesNotFitItsKind_isRefused() {
        assertThrows(IllegalArgumentException.class, () -> new NetworkPolicy(Kind.NONE, List.of(WEB)));
        assertThrows(IllegalArgumentException.class, () -> new NetworkPolicy(Kind.INTERNET, List.of(WEB)));
        assertThrows(IllegalArgumentException.class, () -> NetworkPolicy.restricted(List.of()));
        assertThrows(IllegalArgumentException.class, () -> NetworkPolicy.restricted(Collections.nCopies(257, WEB)));
        assertEquals(
                256,
                NetworkPolicy.restricted(Collections.nCopies(256, WEB))
                        .allowed()
                        .size());
    }

    @Test
    void shape_reachesNothing_unlessItSaysSo() {
        var shape = new MachineShape(1, 512, 64, "demo");
        assertEquals(NetworkPolicy.NONE, shape.network());
        assertEquals(NetworkPolicy.INTERNET, shape.with(NetworkPolicy.INTERNET).network());
    }
}
