package org.computehive.server.config;

import io.micronaut.context.annotation.EachProperty;
import io.micronaut.context.annotation.Parameter;
import java.util.Optional;

/**
 * A witness of the audit log (C2SP tlog-witness), under {@code computehive.audit.witnesses} and a name of its own.
 *
 * @param name what the operator calls it
 * @param key its key, as it publishes it: {@code <name>+<hash>+<key>}
 * @param url its submission prefix, such as {@code https://witness.example.org}
 */
@EachProperty("computehive.audit.witnesses")
public record WitnessSettings(@Parameter String name, Optional<String> key, Optional<String> url) {}
