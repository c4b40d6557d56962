package org.computehive.access;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The SSH protocol's data types (RFC 4251, section 5). */
final class Wire {
    private Wire() {}

    /** Grows as it is written to; for one thread. */
    static final class Writer {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream(512);

        Writer bytes(byte... value) {
            out.writeBytes(value);
            return this;
        }

        Writer uint32(int value) {
            return bytes((byte) (value >>> 24), (byte) (value >>> 16), (byte) (value >>> 8), (byte) value);
        }

        Writer uint64(long value) {
            return uint32((int) (value >>> 32)).uint32((int) value);
        }

        Writer string(byte[] value) {
            return uint32(value.length).bytes(value);
        }

        Writer string(String value) {
            return string(value.getBytes(StandardCharsets.UTF_8));
        }

        byte[] toBytes() {
            return out.toByteArray();
        }
    }

    /** Reads strictly; whatever does not fit is an {@link IllegalArgumentException}. For one thread. */
    static final class Reader {
        private final ByteBuffer in;

        Reader(byte[] value) {
            in = ByteBuffer.wrap(value);
        }

        byte[] string() {
            if (in.remaining() < Integer.BYTES) {
                throw new IllegalArgumentException("cut off");
            }
            int length = in.getInt();
            if (length < 0 || length > in.remaining()) {
                throw new IllegalArgumentException("cut off");
            }
            var value = new byte[length];
            in.get(value);
            return value;
        }

        String text() {
            return new String(string(), StandardCharsets.US_ASCII);
        }

        byte[] rest() {
            var value = new byte[in.remaining()];
            in.get(value);
            return value;
        }

        void end() {
            if (in.hasRemaining()) {
                throw new IllegalArgumentException("followed by " + in.remaining() + " surplus bytes");
            }
        }
    }
}
