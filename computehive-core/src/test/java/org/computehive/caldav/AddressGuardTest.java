package org.computehive.caldav;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.URI;
import java.util.List;
import org.computehive.caldav.CalDavCollection.OnCancel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressGuardTest {
    private static final CalDavCredential CREDENTIAL = new CalDavCredential.Basic("user", "the-secret");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "10.1.2.3",
                "100.64.0.1",
                "127.0.0.1",
                "127.9.9.9",
                "169.254.169.254",
                "172.16.0.1",
                "172.31.255.255",
                "192.168.0.1",
                "192.0.0.8",
                "192.0.2.1",
                "198.18.0.1",
                "198.51.100.7",
                "203.0.113.9",
                "224.0.0.1",
                "240.0.0.1",
                "255.255.255.255",
                "::",
                "::1",
                "fe80::1",
                "fc00::1",
                "fd12::1",
                "fec0::1",
                "ff02::1",
                "2001:db8::1",
                "2001::1",
                "::ffff:10.0.0.1",
                "64:ff9b::a00:1",
                "64:ff9b::7f00:1",
                "2002:a00:1::1",
                "2002:c0a8:1::1",
                "::10.0.0.1"
            })
    void privateOrSpecialAddress_isNotPublic(String literal) throws Exception {
        assertFalse(AddressGuard.isPublic(InetAddress.getByName(literal)), literal);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1.1.1.1",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.1",
                "172.15.0.1",
                "172.32.0.1",
                "192.167.255.255",
                "198.17.0.1",
                "198.20.0.1",
                "223.255.255.255",
                "2606:4700::1",
                "64:ff9b::101:101",
                "2002:101:101::1",
                "::ffff:1.1.1.1"
            })
    void addressOfThePublicInternet_isPublic(String literal) throws Exception {
        assertTrue(AddressGuard.isPublic(InetAddress.getByName(literal)), literal);
    }

    private static CalDavCollection at(String url) {
        return new CalDavCollection(URI.create(url), CREDENTIAL, OnCancel.MARK);
    }

    @Test
    void privateServer_isRefused_unlessTheOperatorAllowsIt() {
        for (String url : List.of(
                "https://127.0.0.1/a/",
                "https://[::1]/a/",
                "https://10.0.0.1/",
                "https://169.254.169.254/",
                "https://2130706433/")) {
            CalDavCollection collection = at(url);
            assertThrows(CalDavException.class, () -> AddressGuard.check(collection, false), url);
        }
        AddressGuard.check(at("http://127.0.0.1/a/"), true);
        AddressGuard.check(at("https://10.0.0.1/a/"), true);
        AddressGuard.check(at("https://1.1.1.1/a/"), false);
    }

    @Test
    void collection_thatWouldShowItsPassword_orIsNone_isRefused() {
        for (String url : List.of(
                "http://example.org/a/",
                "http://10.0.0.1/a/",
                "http://127.evil.example/a/",
                "ftp://example.org/a/",
                "https://example.org/a",
                "https://user:pass@example.org/a/",
                "https://example.org/a/?b",
                "https://example.org/a/#b",
                "https://example.org/a/../b/",
                "https:///a/",
                "/a/",
                "mailto:a@example.org",
                "https://example.org/" + "a".repeat(1000) + "/")) {
            assertThrows(IllegalArgumentException.class, () -> at(url), url);
        }
        assertEquals("https", at("https://example.org/a/").url().getScheme());
    }

    @Test
    void credential_isNeverShown() {
        assertFalse(at("https://example.org/a/").toString().contains("the-secret"));
        assertFalse(new CalDavCredential.Bearer("abcdef").toString().contains("abcdef"));
        assertEquals("Basic dXNlcjp0aGUtc2VjcmV0", CREDENTIAL.header());
        assertThrows(IllegalArgumentException.class, () -> new CalDavCredential.Basic("a:b", "c"));
        assertThrows(IllegalArgumentException.class, () -> new CalDavCredential.Basic("a", "c\r\nX: y"));
        assertThrows(IllegalArgumentException.class, () -> new CalDavCredential.Bearer("a b"));
    }
}
