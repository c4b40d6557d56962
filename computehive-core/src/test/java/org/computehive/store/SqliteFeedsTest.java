package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.time.InstantSource;
import org.computehive.feed.FeedStore;
import org.computehive.feed.FeedStoreContract;
import org.computehive.market.Account;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteFeedsTest extends FeedStoreContract {
    @TempDir
    Path folder;

    private JdbcStore store;

    @BeforeEach
    void open() {
        store = JdbcStore.sqlite(folder.resolve("store.db"), InstantSource.system());
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Override
    protected FeedStore store() {
        return store;
    }

    @Test
    void generation_outlivesTheProcess() {
        store.raiseFeedGeneration(Account.ZERO);
        store.close();
        open();
        assertEquals(1, store.feedGeneration(Account.ZERO));
    }
}
