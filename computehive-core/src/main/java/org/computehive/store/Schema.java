package org.computehive.store;

import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;

/** Brings a database's tables to this version's form. Replicas that start together wait for each other. */
final class Schema {
    private Schema() {}

    static void migrate(DataSource source, Dialect dialect) {
        try {
            Flyway.configure(Schema.class.getClassLoader())
                    .dataSource(source)
                    .locations(dialect.migrations())
                    .table("ch_schema_history")
                    // The database may hold other programs' tables.
                    .baselineOnMigrate(true)
                    .baselineVersion("0")
                    .load()
                    .migrate();
        } catch (FlywayException e) {
            throw new StoreException(
                    "could not bring the database's tables to this version: check that its user may create tables (on PostgreSQL the extension btree_gist too), and that no newer version opened it",
                    e);
        }
    }
}
