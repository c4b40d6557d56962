package org.computehive.vm.attestation;

import java.util.Arrays;
import java.util.HexFormat;

/** Reads what stands one after the other in DER (X.690), with lengths of at most two bytes. */
final class Der {
    static final int SEQUENCE = 0x30;
    static final int OID = 0x06;
    static final int INTEGER = 0x02;
    static final int OCTETS = 0x04;

    private final byte[] bytes;
    private int at;

    Der(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Returns whether nothing is left. */
    boolean isEmpty() {
        return at == bytes.length;
    }

    /** Returns the tag of what comes next, without taking it. */
    int tag() {
        return at < bytes.length ? Byte.toUnsignedInt(bytes[at]) : -1;
    }

    /** Takes what comes next. */
    byte[] take(int tag) {
        if (tag() != tag || bytes.length - at < 2) {
            throw malformed();
        }
        int length = Byte.toUnsignedInt(bytes[at + 1]);
        int from = at + 2;
        if (length > 0x80) {
            int count = length - 0x80;
            if (count > 2 || bytes.length - from < count) {
                throw malformed();
            }
            length = 0;
            for (int i = 0; i < count; i++) {
                length = length << 8 | Byte.toUnsignedInt(bytes[from++]);
            }
        } else if (length == 0x80) {
            throw malformed();
        }
        if (length > bytes.length - from) {
            throw malformed();
        }
        at = from + length;
        return Arrays.copyOfRange(bytes, from, at);
    }

    /** Takes whatever comes next. */
    void skip() {
        take(tag());
    }

    /** Takes an object identifier, as the hexadecimal digits of its encoding. */
    String oid() {
        return HexFormat.of().formatHex(take(OID));
    }

    /** Takes a number from 0 to 65535. */
    int number() {
        byte[] value = take(INTEGER);
        boolean good = value.length > 0 && value.length <= 3 && value[0] >= 0 && (value.length < 3 || value[0] == 0);
        if (!good) {
            throw malformed();
        }
        int number = 0;
        for (byte one : value) {
            number = number << 8 | Byte.toUnsignedInt(one);
        }
        return number;
    }

    private static RuntimeException malformed() {
        return Failed.because("signer's certificate", "its extension is not as it should be");
    }
}
