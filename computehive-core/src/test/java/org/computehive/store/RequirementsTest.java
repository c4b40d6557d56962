package org.computehive.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequirementsTest {
    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "sqlite-jdbc, org.xerial:sqlite-jdbc",
        "HikariCP, com.zaxxer:HikariCP",
        "flyway-core, org.flywaydb:flyway-core",
        "db-scheduler, com.github.kagkarlsson:db-scheduler"
    })
    void sqlite_withoutADependency_namesIt(String jar, String artifact) throws Exception {
        try (URLClassLoader loader = classpathWithout(jar)) {
            Method sqlite =
                    loader.loadClass(JdbcStore.class.getName()).getMethod("sqlite", Path.class, InstantSource.class);
            assertNames(artifact, sqlite, directory.resolve("store.db"), InstantSource.system());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "postgresql, org.postgresql:postgresql",
        "HikariCP, com.zaxxer:HikariCP",
        "flyway-database-postgresql, org.flywaydb:flyway-database-postgresql",
    })
    void postgres_withoutADependency_namesIt(String jar, String artifact) throws Exception {
        try (URLClassLoader loader = classpathWithout(jar)) {
            Method postgres = loader.loadClass(JdbcStore.class.getName())
                    .getMethod("postgres", String.class, String.class, String.class, InstantSource.class);
            assertNames(artifact, postgres, "jdbc:postgresql://127.0.0.1:1/x", "u", "p", InstantSource.system());
        }
    }

    private static void assertNames(String artifact, Method open, Object... arguments) {
        var thrown = assertThrows(InvocationTargetException.class, () -> open.invoke(null, arguments));
        Throwable refused = assertInstanceOf(Throwable.class, thrown.getCause());
        assertEquals(StoreException.class.getName(), refused.getClass().getName(), refused::toString);
        assertTrue(refused.getMessage().contains(artifact), refused.getMessage());
    }

    private static URLClassLoader classpathWithout(String jar) throws Exception {
        URL[] rest = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .filter(path -> !path.getFileName().toString().matches(jar + "-[0-9].*\\.jar"))
                .map(RequirementsTest::url)
                .toArray(URL[]::new);
        return new URLClassLoader(rest, ClassLoader.getPlatformClassLoader());
    }

    private static URL url(Path path) {
        try {
            return path.toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }
}
