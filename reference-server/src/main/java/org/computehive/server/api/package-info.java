/** The REST API: input parsed into the engine's types at the edge, answers, errors as problem+json, tokens. */
@NullMarked
package org.computehive.server.api;

import org.jspecify.annotations.NullMarked;
