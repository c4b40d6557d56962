package org.computehive.store;

/** Says which optional dependency a program that wants a JDBC store forgot. */
final class Requirements {
    private Requirements() {}

    static void sqlite() {
        need("org.sqlite.SQLiteDataSource", "org.xerial:sqlite-jdbc");
        need("com.zaxxer.hikari.HikariDataSource", "com.zaxxer:HikariCP");
        shared();
    }

    static void postgres() {
        need("org.postgresql.Driver", "org.postgresql:postgresql");
        need("org.flywaydb.database.postgresql.PostgreSQLDatabaseType", "org.flywaydb:flyway-database-postgresql");
        shared();
    }

    static void pool() {
        need("com.zaxxer.hikari.HikariDataSource", "com.zaxxer:HikariCP");
    }

    private static void shared() {
        need("org.flywaydb.core.Flyway", "org.flywaydb:flyway-core");
        need("com.github.kagkarlsson.scheduler.Scheduler", "com.github.kagkarlsson:db-scheduler");
    }

    private static void need(String type, String artifact) {
        try {
            Class.forName(type, false, Requirements.class.getClassLoader());
        } catch (ClassNotFoundException | LinkageError e) {
            throw new StoreException(
                    "a JDBC store needs %s, which is not on the classpath: add that dependency, in the version of ComputeHive's BOM"
                            .formatted(artifact),
                    e);
        }
    }
}
