package org.computehive.store;

import java.time.InstantSource;
import org.computehive.feed.FeedStore;
import org.computehive.feed.FeedStoreContract;
import org.junit.jupiter.api.AfterEach;

class InMemoryFeedsTest extends FeedStoreContract {
    private final InMemoryStore store = InMemoryStore.simulated(InstantSource.system());

    @Override
    protected FeedStore store() {
        return store;
    }

    @AfterEach
    void close() {
        store.close();
    }
}
