package org.computehive.server.api;

import io.micronaut.http.HttpHeaders;
import io.micronaut.http.HttpMethod;
import io.micronaut.http.HttpRequest;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.RequestFilter;
import io.micronaut.http.annotation.ServerFilter;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Lets in who has a token; only what says nothing of anybody is open to all. */
@ServerFilter("/**")
final class TokenFilter {
    /** Where a request carries its {@link Caller}. */
    static final String CALLER = "org.computehive.caller";

    private static final Set<String> OPEN = Set.of("/health", "/openapi.yml");
    private static final String SCHEME = "Bearer ";
    private static final int LONGEST = 256;

    private final Tokens tokens;

    TokenFilter(Tokens tokens) {
        this.tokens = tokens;
    }

    /** Returns an answer for who is not let in, else null. */
    @RequestFilter
    @Nullable HttpResponse<?> check(HttpRequest<?> request) {
        if (OPEN.contains(request.getPath()) || isFeed(request)) {
            return null;
        }
        String header = request.getHeaders().get(HttpHeaders.AUTHORIZATION);
        if (header == null || header.length() > LONGEST || !header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
            return unauthorized("send the header Authorization: Bearer and your token");
        }
        var caller = tokens.caller(header.substring(SCHEME.length()).strip());
        if (caller.isEmpty()) {
            return unauthorized("the token is not known here: check it, or ask the operator for one");
        }
        request.setAttribute(CALLER, caller.get());
        return null;
    }

    /** Whose address says by itself what may be read. */
    private static boolean isFeed(HttpRequest<?> request) {
        boolean reads = request.getMethod() == HttpMethod.GET || request.getMethod() == HttpMethod.HEAD;
        return reads && request.getPath().startsWith("/feeds/");
    }

    private static HttpResponse<?> unauthorized(String detail) {
        return Problem.of(HttpStatus.UNAUTHORIZED, detail)
                .response()
                .header(HttpHeaders.WWW_AUTHENTICATE, "Bearer realm=\"computehive\"");
    }
}
