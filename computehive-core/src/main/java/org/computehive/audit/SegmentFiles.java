package org.computehive.audit;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Every change to a log's files: the seam where tests inject a full or failing disk, or a crash at any byte. */
interface SegmentFiles {
    /** The file system's own. */
    SegmentFiles DISK = (file, create) -> {
        FileChannel channel = create
                ? FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)
                : FileChannel.open(file, StandardOpenOption.WRITE);
        return new DiskFile(channel);
    };

    SegmentFile open(Path file, boolean create) throws IOException;

    /** Puts a file in another's place, at once. */
    default void replace(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** Removes a file if it is there. */
    default void delete(Path file) throws IOException {
        Files.deleteIfExists(file);
    }

    /** One file, open for writing. */
    interface SegmentFile extends Closeable {
        /** Writes all bytes at a position. */
        void write(ByteBuffer bytes, long position) throws IOException;

        /** Makes what was written durable. */
        void force() throws IOException;

        /** Cuts the file. */
        void truncate(long size) throws IOException;
    }

    /**
     * A file of the file system's.
     *
     * @param channel it, open for writing
     */
    record DiskFile(FileChannel channel) implements SegmentFile {
        @Override
        public void write(ByteBuffer bytes, long position) throws IOException {
            long at = position;
            while (bytes.hasRemaining()) {
                at += channel.write(bytes, at);
            }
        }

        @Override
        public void force() throws IOException {
            channel.force(false);
        }

        @Override
        public void truncate(long size) throws IOException {
            channel.truncate(size);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
