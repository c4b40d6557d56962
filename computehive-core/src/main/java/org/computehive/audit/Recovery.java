package org.computehive.audit;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.computehive.audit.Committer.Sized;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Rebuilds a log's state from tiles and write-ahead files, and checks that one continues the other. */
final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);
    private final Path root;
    private final TileStore tiles;
    private final NoteSigner key;
    private final MerkleTree tree = new MerkleTree();
    private final List<byte[]> tail = new ArrayList<>();
    private final long base;
    /** The checkpoint that begins the oldest write-ahead file: of what the tiles hold. */
    private final String newestOfTiles;

    private final Sized newest;
    private final long sealed;

    Recovery(Path root, TileStore tiles, NoteSigner key, WriteAheadLog.Recovered found) throws IOException {
        this.root = root;
        this.tiles = tiles;
        this.key = key;
        List<Batch> batches = found.batches();
        base = batches.isEmpty() ? 0 : batches.getFirst().first();
        newestOfTiles = batches.isEmpty() ? "" : batches.getFirst().note();
        loadTiles();
        Hasher hasher = new Hasher();
        long lastSealed = base;
        for (Batch batch : batches) {
            List<byte[]> leaves = new ArrayList<>();
            batch.entries().forEach(entry -> leaves.add(hasher.leaf(entry)));
            tree.appendAll(leaves);
            tail.addAll(batch.entries());
            checkRoot(Checkpoint.read(Note.text(batch.note())));
            lastSealed = batch.entries().isEmpty() ? batch.first() : lastSealed;
        }
        newest = new Sized(
                tree.size(), batches.isEmpty() ? sign() : batches.getLast().note());
        sealed = lastSealed;
        checkSignature();
        checkPublished();
    }

    private String sign() {
        return new Checkpoint(key.name(), 0, tree.root(0)).sign(key);
    }

    private void loadTiles() throws IOException {
        for (long n = 0; n < base / TilePaths.WIDTH; n++) {
            load(n, TilePaths.WIDTH, TilePaths.WIDTH);
        }
        int width = TilePaths.partialWidth(base);
        if (width > 0) {
            loadPartial(base / TilePaths.WIDTH, width);
            tail.addAll(LogFolder.bundle(tiles, base / TilePaths.WIDTH, width, tree));
        }
    }

    /**
     * Loads the first hashes of the last tile. A crash between the removals of two write-ahead files leaves one that begins
     * before the tiles end, so that its tile may be there in a wider form only; the signed root says which is right.
     */
    private void loadPartial(long n, int width) throws IOException {
        Checkpoint said = Checkpoint.read(Note.text(newestOfTiles));
        String exact = TilePaths.tile(0, n, width);
        List<Integer> widths = tiles.widths(exact, width);
        for (int present : widths) {
            try {
                load(n, width, present);
                if (Arrays.equals(tree.root(base), said.root())) {
                    return;
                }
                tree.truncate(n * TilePaths.WIDTH);
            } catch (AuditLogException e) {
                LOG.warn("tile {} of width {} is of no use: {}", exact, present, e.getMessage());
            }
        }
        throw refused("file %s is missing or was changed".formatted(exact));
    }

    private void load(long n, int width, int present) throws IOException {
        String path = TilePaths.tile(0, n, present);
        byte[] hashes = tiles.read(path, present * Hasher.BYTES);
        if (hashes.length != present * Hasher.BYTES) {
            throw refused("file %s was cut".formatted(path));
        }
        List<byte[]> leaves = new ArrayList<>(width);
        for (int i = 0; i < width; i++) {
            leaves.add(Arrays.copyOfRange(hashes, i * Hasher.BYTES, (i + 1) * Hasher.BYTES));
        }
        tree.appendAll(leaves);
    }

    private void checkRoot(Checkpoint said) {
        if (!said.equals(new Checkpoint(key.name(), tree.size(), tree.root(tree.size())))) {
            throw refused("its entries do not lead to its checkpoint (%s)".formatted(said));
        }
    }

    private void checkSignature() {
        try {
            Checkpoint.open(newest.note(), key.verifierKey());
        } catch (IllegalArgumentException e) {
            throw refused("its newest checkpoint does not fit key %s: %s".formatted(key.name(), e.getMessage()));
        }
    }

    /** What was published was acknowledged: less than that, or something else, means loss. */
    private void checkPublished() throws IOException {
        @Nullable String note = LogFolder.publishedCheckpoint(tiles);
        if (note == null) {
            return;
        }
        Checkpoint published;
        try {
            published = Checkpoint.open(note, key.verifierKey());
        } catch (IllegalArgumentException e) {
            LOG.warn(
                    "The published checkpoint of audit log {} is damaged and will be written anew: {}",
                    root,
                    e.getMessage());
            return;
        }
        if (published.size() > tree.size()) {
            throw refused("it has %d entries, but %d were acknowledged and published"
                    .formatted(tree.size(), published.size()));
        }
        if (!Arrays.equals(published.root(), tree.root(published.size()))) {
            throw refused("its first %d entries are not those that were published".formatted(published.size()));
        }
    }

    private AuditLogException refused(String why) {
        return new AuditLogException(
                "audit log %s can't be opened: %s. Nothing was changed: restore the folder from a copy"
                        .formatted(root, why),
                null);
    }

    MerkleTree tree() {
        return tree;
    }

    /** Returns the entries that the tiles may not hold durably, from the last full bundle on. */
    List<byte[]> tail() {
        return tail;
    }

    /** Returns how many entries the tiles hold durably. */
    long base() {
        return base;
    }

    Sized newest() {
        return newest;
    }

    /** Returns where the newest segment begins. */
    long sealed() {
        return sealed;
    }
}
