package org.computehive.vm;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** The files of a host, its sysfs above all; paths are absolute. Thread-safe. */
interface HostFiles {
    /** Returns whether there is any: false for a host that is reached by libvirt alone. */
    boolean reachable();

    /**
     * Returns the first bytes of a file.
     *
     * @param limit at most so many
     * @throws IOException if it can't be read
     */
    byte[] read(String path, int limit) throws IOException;

    /** Returns the names in a folder, sorted. */
    List<String> list(String folder) throws IOException;

    /** Returns where a symbolic link leads. */
    String link(String path) throws IOException;

    /** Writes to a file that is there. */
    void write(String path, String text) throws IOException;

    /** Deletes a file if it is there. */
    void delete(String path) throws IOException;

    /** Returns a small text file without the blanks around it. */
    default String text(String path) throws IOException {
        return new String(read(path, 1 << 16), StandardCharsets.UTF_8).strip();
    }

    /** Returns this machine's files. */
    static HostFiles local() {
        return under(Path.of("/"));
    }

    /** Returns the files below a folder, as if it were a host's root. */
    static HostFiles under(Path root) {
        return new HostFiles() {
            private Path at(String path) {
                return root.resolve(path.substring(1));
            }

            @Override
            public boolean reachable() {
                return true;
            }

            @Override
            public byte[] read(String path, int limit) throws IOException {
                try (InputStream in = Files.newInputStream(at(path))) {
                    return in.readNBytes(limit);
                }
            }

            @Override
            public List<String> list(String folder) throws IOException {
                try (Stream<Path> entries = Files.list(at(folder))) {
                    return entries.map(entry -> String.valueOf(entry.getFileName()))
                            .sorted()
                            .toList();
                }
            }

            @Override
            public String link(String path) throws IOException {
                return Files.readSymbolicLink(at(path)).toString();
            }

            @Override
            public void write(String path, String text) throws IOException {
                Files.writeString(at(path), text, StandardOpenOption.WRITE);
            }

            @Override
            public void delete(String path) throws IOException {
                Files.deleteIfExists(at(path));
            }
        };
    }

    /** Returns those of a host that is reached by libvirt alone: none. */
    static HostFiles none() {
        return new HostFiles() {
            private IOException elsewhere(String path) {
                return new IOException(path + " is on another host: run this there");
            }

            @Override
            public boolean reachable() {
                return false;
            }

            @Override
            public byte[] read(String path, int limit) throws IOException {
                throw elsewhere(path);
            }

            @Override
            public List<String> list(String folder) throws IOException {
                throw elsewhere(folder);
            }

            @Override
            public String link(String path) throws IOException {
                throw elsewhere(path);
            }

            @Override
            public void write(String path, String text) throws IOException {
                throw elsewhere(path);
            }

            @Override
            public void delete(String path) throws IOException {
                throw elsewhere(path);
            }
        };
    }
}
