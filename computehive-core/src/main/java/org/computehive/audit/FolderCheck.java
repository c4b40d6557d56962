package org.computehive.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.computehive.audit.VerificationReport.Finding;

/** One verification of one folder. */
final class FolderCheck {
    private static final Pattern TILE = Pattern.compile(
            "tile/(?<kind>entries|0|[1-9][0-9]?)/(?<n>(x[0-9]{3}/){0,5}[0-9]{3})(\\.p/(?<w>[1-9][0-9]{0,2}))?");
    private static final int MAX_BUNDLE_BYTES = TilePaths.WIDTH * (AuditLog.MAX_ENTRY_BYTES + Short.BYTES);
    private static final int TILE_BYTES = TilePaths.WIDTH * Hasher.BYTES;
    private static final int MAX_FAILURES = 100;
    private final Path folder;
    private final TileStore files;
    private final VerifierKey key;
    private final MerkleTree tree = new MerkleTree();
    private final Set<String> seen = new HashSet<>();
    private final List<Finding> findings = new ArrayList<>();
    private Optional<Checkpoint> checkpoint = Optional.empty();
    private int failures;

    FolderCheck(Path folder, VerifierKey key) {
        this.folder = folder;
        this.files = new TileStore(folder, folder, SegmentFiles.DISK);
        this.key = key;
    }

    VerificationReport report() {
        if (failures > MAX_FAILURES) {
            findings.add(new Finding.Fails(
                    folder.toString(),
                    OptionalLong.empty(),
                    "%d more findings are not shown".formatted(failures - MAX_FAILURES)));
        }
        return new VerificationReport(checkpoint, findings);
    }

    Optional<Checkpoint> checkpoint() {
        try {
            byte[] bytes = files.read(TilePaths.CHECKPOINT, Note.MAX_CHARS);
            String note = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            checkpoint = Optional.of(Checkpoint.open(note, key));
            findings.add(new Finding.Holds("the checkpoint is signed by " + key));
        } catch (IOException | IllegalArgumentException e) {
            fails(TilePaths.CHECKPOINT, e);
        }
        return checkpoint;
    }

    void entriesAndTiles(Checkpoint signed) {
        int before = failures;
        if (!loadEntries(signed.size())) {
            return;
        }
        if (Arrays.equals(tree.root(signed.size()), signed.root())) {
            findings.add(new Finding.Holds("%d entries lead to the signed root".formatted(signed.size())));
        } else {
            fails(TilePaths.CHECKPOINT, "the entries in the folder do not lead to the root that was signed");
        }
        int tiles = hashTiles(signed.size());
        otherFiles(signed.size());
        if (failures == before) {
            findings.add(new Finding.Holds("%d hash tiles belong to the entries".formatted(tiles)));
        }
    }

    /** Reads the bundles into the tree; returns false if one can't be read, so that nothing can be computed. */
    private boolean loadEntries(long size) {
        Hasher hasher = new Hasher();
        for (long n = 0; n * TilePaths.WIDTH < size; n++) {
            int width = (int) Math.min(TilePaths.WIDTH, size - n * TilePaths.WIDTH);
            String path = present(TilePaths.bundle(n, width), TilePaths.bundle(n, TilePaths.WIDTH));
            try {
                byte[] bytes = files.read(path, MAX_BUNDLE_BYTES);
                List<byte[]> entries = TilePaths.decode(bytes, widthOf(path));
                tree.appendAll(
                        entries.subList(0, width).stream().map(hasher::leaf).toList());
                if (entries.size() == width) {
                    seen.add(path);
                }
            } catch (IOException | IllegalArgumentException e) {
                fails(path, n * TilePaths.WIDTH, "entries can't be read: " + reason(e));
                return false;
            } catch (AuditLogException e) {
                fails(path, e);
                return false;
            }
        }
        return true;
    }

    /** Checks that each hash tile that readers need is there and right, and returns their number. */
    private int hashTiles(long size) {
        int tiles = 0;
        int level = 0;
        for (long count = size; count > 0; count >>= TilePaths.HEIGHT) {
            for (long n = 0; n * TilePaths.WIDTH < count; n++) {
                int width = (int) Math.min(TilePaths.WIDTH, count - n * TilePaths.WIDTH);
                String path = present(TilePaths.tile(level, n, width), TilePaths.tile(level, n, TilePaths.WIDTH));
                hashTile(path, level, n, size);
                tiles++;
            }
            level++;
        }
        return tiles;
    }

    private void hashTile(String path, int level, long n, long size) {
        int shift = level * TilePaths.HEIGHT;
        int width = widthOf(path);
        int known = known(size >> shift, n, width);
        seen.add(path);
        try {
            byte[] hashes = files.read(path, TILE_BYTES);
            if (hashes.length != width * Hasher.BYTES) {
                fails(path, "it has %d bytes, not %d".formatted(hashes.length, width * Hasher.BYTES));
                return;
            }
            long first = n * TilePaths.WIDTH;
            byte[] right = tree.row(shift, first, first + known);
            int at = Arrays.mismatch(Arrays.copyOf(hashes, right.length), right);
            if (at >= 0 && level == 0) {
                long index = first + at / Hasher.BYTES;
                fails(path, index, "entry %d and its hash in this tile differ".formatted(index));
            } else if (at >= 0) {
                fails(path, "hash %d of the tile is wrong".formatted(at / Hasher.BYTES));
            }
            unjudged(path, known, width);
        } catch (IOException e) {
            fails(path, e);
        }
    }

    /** Judges every file under the tiles' folder that no check needed so far. */
    private void otherFiles(long size) {
        Path tiles = folder.resolve(TilePaths.TILES);
        if (!Files.isDirectory(tiles)) {
            return;
        }
        try (Stream<Path> all = Files.walk(tiles)) {
            all.filter(file -> !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS))
                    .map(file -> folder.relativize(file).toString())
                    .filter(path -> !seen.contains(path))
                    .sorted()
                    .forEach(path -> otherFile(path, size));
        } catch (IOException e) {
            fails(TilePaths.TILES, e);
        }
    }

    private void otherFile(String path, long size) {
        Matcher matcher = TILE.matcher(path);
        if (!matcher.matches()) {
            fails(path, "no file of this name belongs to a log");
            return;
        }
        int width = widthOf(path);
        long n = Long.parseLong(matcher.group("n").replaceAll("[x/]", ""));
        boolean bundle = matcher.group("kind").equals("entries");
        int level = bundle ? 0 : Integer.parseInt(matcher.group("kind"));
        boolean named = path.equals(bundle ? TilePaths.bundle(n, width) : TilePaths.tile(level, n, width));
        if (!named || level * TilePaths.HEIGHT >= Long.SIZE || width > TilePaths.WIDTH) {
            fails(path, "no file of this name belongs to a log");
        } else if (known(size >> level * TilePaths.HEIGHT, n, width) == 0) {
            unjudged(path, 0, width);
        } else if (bundle) {
            otherBundle(path, n, width, size);
        } else {
            hashTile(path, level, n, size);
        }
    }

    private void otherBundle(String path, long n, int width, long size) {
        Hasher hasher = new Hasher();
        try {
            List<byte[]> entries = TilePaths.decode(files.read(path, MAX_BUNDLE_BYTES), width);
            int known = known(size, n, width);
            for (int i = 0; i < known; i++) {
                long index = n * TilePaths.WIDTH + i;
                if (!Arrays.equals(hasher.leaf(entries.get(i)), tree.node(0, index))) {
                    fails(path, index, "entry %d differs from the signed one".formatted(index));
                }
            }
            unjudged(path, known, width);
        } catch (IOException | IllegalArgumentException e) {
            fails(path, n * TilePaths.WIDTH, "entries can't be read: " + reason(e));
        }
    }

    private void unjudged(String path, int known, int width) {
        if (known < width) {
            findings.add(new Finding.Unjudged(
                    path, "it goes beyond the signed checkpoint: %d of %d are covered".formatted(known, width)));
        }
    }

    /** Returns how many of a tile's first hashes or entries a row of {@code count} has. */
    private static int known(long count, long n, int width) {
        return Math.clamp(count - n * TilePaths.WIDTH, 0, width);
    }

    private String present(String exact, String full) {
        return Files.exists(folder.resolve(exact)) || !Files.exists(folder.resolve(full)) ? exact : full;
    }

    private static int widthOf(String path) {
        int partial = path.indexOf(".p/");
        return partial < 0 ? TilePaths.WIDTH : Integer.parseInt(path.substring(partial + 3));
    }

    /** Checks that the log continues what an earlier checkpoint signed. */
    void continues(Checkpoint signed, String earlierNote) {
        String name = "earlier checkpoint";
        try {
            Checkpoint earlier = Checkpoint.open(earlierNote, key);
            if (earlier.size() > signed.size()) {
                fails(name, "the log had %d entries then and has %d now".formatted(earlier.size(), signed.size()));
            } else if (tree.size() < signed.size()) {
                fails(name, "it can't be compared, since the entries can't be read");
            } else if (Arrays.equals(tree.root(earlier.size()), earlier.root())) {
                findings.add(new Finding.Holds(
                        "the first %d entries are those of the earlier checkpoint".formatted(earlier.size())));
            } else {
                fails(
                        name,
                        "the first %d entries are not those that were signed then: history was rewritten"
                                .formatted(earlier.size()));
            }
        } catch (IllegalArgumentException e) {
            fails(name, e);
        }
    }

    /** Checks that the log continues what was anchored elsewhere. */
    void continues(Checkpoint signed, Anchored anchored) {
        String name = "anchor of size " + anchored.size();
        if (!Arrays.equals(anchored.originHash(), Anchored.originHash(signed.origin()))) {
            fails(name, "it is of another log than " + signed.origin());
        } else if (anchored.size() > signed.size()) {
            fails(name, "the log has %d entries, fewer than were anchored".formatted(signed.size()));
        } else if (tree.size() < signed.size()) {
            fails(name, "it can't be compared, since the entries can't be read");
        } else if (Arrays.equals(tree.root(anchored.size()), anchored.root())) {
            findings.add(
                    new Finding.Holds("the first %d entries are those that were anchored".formatted(anchored.size())));
        } else {
            fails(
                    name,
                    "the first %d entries are not those that were anchored: history was rewritten"
                            .formatted(anchored.size()));
        }
    }

    /** Checks that enough witnesses cosigned what the log was at some size, and that it continues that. */
    void cosigned(Checkpoint signed, Quorum quorum) {
        if (quorum.needed() == 0) {
            return;
        }
        try {
            String note = new String(files.read(TilePaths.COSIGNED, Note.MAX_CHARS), UTF_8);
            continues(signed, note);
            findings.add(new Finding.Holds("the checkpoint of size %d is cosigned by %s"
                    .formatted(Checkpoint.open(note, key).size(), String.join(", ", quorum.check(note)))));
        } catch (IOException | IllegalArgumentException e) {
            fails(TilePaths.COSIGNED, e);
        }
    }

    /** Checks that an entry is in the log, by a proof against the signed root. */
    void contains(Checkpoint signed, byte[] entry) {
        byte[] leaf = Proofs.leafHash(entry);
        for (long index = 0; index < tree.size() && tree.size() == signed.size(); index++) {
            if (Arrays.equals(leaf, tree.node(0, index))
                    && Proofs.provesInclusion(
                            leaf, index, signed.size(), signed.root(), tree.inclusionProof(index, signed.size()))) {
                findings.add(new Finding.Holds("the entry asked for is entry %d".formatted(index)));
                return;
            }
        }
        fails(TilePaths.TILES, "the entry asked for is not in the log");
    }

    private static String reason(Exception e) {
        return e instanceof IllegalArgumentException ? String.valueOf(e.getMessage()) : e.toString();
    }

    private void fails(String file, Exception e) {
        fails(file, reason(e));
    }

    private void fails(String file, String why) {
        add(new Finding.Fails(file, OptionalLong.empty(), why));
    }

    private void fails(String file, long index, String why) {
        add(new Finding.Fails(file, OptionalLong.of(index), why));
    }

    private void add(Finding.Fails failure) {
        if (++failures <= MAX_FAILURES) {
            findings.add(failure);
        }
    }
}
