package org.computehive.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Optional;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.NetworkPolicy.Destination;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalId;
import org.junit.jupiter.api.Test;

class GuestNetworksTest {
    private static final RentalId ID = new RentalId("0123456789abcdefghjkmnpqrs");
    private static final GuestLink.Routed LINK = new GuestLink.Routed(300);

    @Test
    void policyWithANetwork_whereThisProcessIsNotRoot_isLackingWithTheRemedy() {
        var networks = new GuestNetworks(HostNetwork.defaults(), new Account("somebody", true), false);
        networks.check(NetworkPolicy.NONE);
        var list = NetworkPolicy.restricted(List.of(Destination.tcp("192.0.2.0/24", 443)));
        for (NetworkPolicy policy : List.of(NetworkPolicy.INTERNET, list)) {
            var lacking = assertThrows(HypervisorException.Lacking.class, () -> networks.check(policy));
            String message = String.valueOf(lacking.getMessage());
            assertTrue(message.contains(policy.kind() + " needs root") && message.contains("NONE"), message);
        }
    }

    @Test
    void ipv6_isDroppedFirstAtTheGuestsDevice() {
        String edge = new FirewallRules(LINK, NetworkPolicy.INTERNET, List.of()).inner();
        int drop = edge.indexOf("ether type ip6 counter drop");
        assertTrue(drop > 0 && drop < edge.indexOf("accept"), edge);
    }

    @Test
    void link_isKnownByItsAddress_andNoOtherAddressIsALink() {
        assertEquals("198.18.2.88", LINK.hostAddress());
        assertEquals("198.18.2.89", LINK.sessionAddress());
        for (int slot : new int[] {0, 1, 127, 128, GuestLink.Routed.LAST_SLOT}) {
            var link = new GuestLink.Routed(slot);
            assertEquals(Optional.of(link), GuestLink.Routed.at(link.sessionAddress()));
            assertEquals(Optional.empty(), GuestLink.Routed.at(link.hostAddress()), "the host's own end");
        }
        for (String address : List.of("198.19.0.1", "10.0.0.1", "198.18.0.256", "198.18.256.1", "198.18.0.1 ", "::1")) {
            assertEquals(Optional.empty(), GuestLink.Routed.at(address), address);
        }
    }

    @Test
    void rules_takeOnlyWords() {
        for (String word : List.of("", "accept;", "x\n", "{", "\"", "198.18.0.1}")) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Nft.table("inet", "t", table -> table.addresses("s", List.of("192.0.2.1", word))),
                    word);
            assertThrows(IllegalArgumentException.class, () -> Nft.table("inet", word, table -> {}), word);
        }
    }

    @Test
    void internet_refusesTheHostsNetworks_andAListAllowsOnlyItself() {
        var internet = new FirewallRules(LINK, NetworkPolicy.INTERNET, List.of("203.0.113.0/24"));
        for (String rules : List.of(internet.inner(), internet.outer(ID))) {
            for (String range : List.of("203.0.113.0/24", "169.254.0.0/16", "10.0.0.0/8", "198.18.0.0/15")) {
                assertTrue(rules.contains(range + " "), rules);
            }
        }
        var listed = new FirewallRules(
                LINK, NetworkPolicy.restricted(List.of(Destination.tcp("10.1.0.0/16", 443))), List.of());
        assertTrue(listed.inner().contains("10.1.0.0/16 . tcp . 443-443 "), listed.inner());
        assertFalse(listed.inner().contains("oifname chu300 accept"), listed.inner());
        assertTrue(internet.inner().contains("oifname chu300 accept"), internet.inner());
    }
}
