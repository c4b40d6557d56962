package org.computehive.embedded;

import java.nio.file.Path;
import java.time.InstantSource;
import org.computehive.rental.EmbeddedParts;

/** The embedded defaults of {@code computehive-core}. Public for {@link java.util.ServiceLoader} alone. Stateless. */
public final class DefaultParts implements EmbeddedParts {
    /** Called by the service loader. */
    public DefaultParts() {}

    @Override
    public Parts inMemory(InstantSource clock) {
        return new MemoryParts(clock);
    }

    @Override
    public Parts in(Path folder, InstantSource clock) {
        return new FolderParts(folder, clock);
    }
}
