package org.computehive.server.api;

import io.micronaut.http.HttpStatus;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.server.exceptions.response.Error;
import io.micronaut.http.server.exceptions.response.ErrorContext;
import io.micronaut.http.server.exceptions.response.ErrorResponseProcessor;
import jakarta.inject.Singleton;
import java.util.stream.Collectors;

/** Turns the errors that the framework finds, such as an unknown path or a malformed body, into problem+json. */
@Singleton
final class ProblemProcessor implements ErrorResponseProcessor<Problem> {
    @Override
    public MutableHttpResponse<Problem> processResponse(ErrorContext context, MutableHttpResponse<?> begun) {
        HttpStatus status = begun.status();
        String said = context.getErrors().stream().map(Error::getMessage).collect(Collectors.joining("; "));
        Problem problem = switch (status) {
            case BAD_REQUEST -> Problems.unreadable(context.getRootCause().orElse(null), plain(said));
            case NOT_FOUND -> Problem.of(status, "there is nothing at this path: /openapi.yml lists all there is");
            case REQUEST_ENTITY_TOO_LARGE -> Problem.of(status, "the body is too large: at most 64 KiB");
            case INTERNAL_SERVER_ERROR -> Problem.of(status, "something failed here; the operator finds it in the log");
            default -> Problem.of(status, plain(said));
        };
        return problem.into(begun);
    }

    /** The framework's own words, of which none is taken that shows an argument's value or a type of ours. */
    private static String plain(String said) {
        int internals = said.indexOf("[");
        String shown = said.contains("org.computehive") || said.contains("java.") ? "" : said;
        return shown.isEmpty() || shown.length() > 200
                ? "the request can't be understood"
                : internals < 0 ? shown : shown.replaceAll("[\\[\\]]", "\"");
    }
}
