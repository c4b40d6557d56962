package org.computehive.audit;

/** Checks of what callers ask of a log. */
final class LogRanges {
    private LogRanges() {}

    static byte[] entry(byte[] entry) {
        if (entry.length == 0 || entry.length > AuditLog.MAX_ENTRY_BYTES) {
            throw new IllegalArgumentException("an entry of %d bytes can't be appended: use 1 to %d bytes"
                    .formatted(entry.length, AuditLog.MAX_ENTRY_BYTES));
        }
        return entry;
    }

    static void range(long from, long to, long size) {
        if (from < 0 || from > to || to > size) {
            throw new IllegalArgumentException(
                    "entries [%d, %d) are not in the log: it has %d".formatted(from, to, size));
        }
    }

    static void treeSize(long treeSize, long size) {
        if (treeSize > size) {
            throw new IllegalArgumentException(
                    "tree size %d is out of range: the log has %d entries".formatted(treeSize, size));
        }
    }
}
