package org.computehive.feed;

/** What a feed shows. */
public enum FeedScope {
    /** All of a party's rentals. */
    RENTALS((byte) 1),
    /** When a party's listings, or its own time, are taken; nothing of by whom. */
    FREE_BUSY((byte) 2);

    private final byte code;

    FeedScope(byte code) {
        this.code = code;
    }

    /** Returns what stands for it in a token. */
    byte code() {
        return code;
    }
}
