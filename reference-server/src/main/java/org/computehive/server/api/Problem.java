package org.computehive.server.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.MediaType;
import io.micronaut.http.MutableHttpResponse;
import io.swagger.v3.oas.annotations.media.Schema;
import org.jspecify.annotations.Nullable;

/**
 * Why a request failed (RFC 9457).
 *
 * @param type always {@code about:blank}: the status says what kind it is
 * @param title the status in words
 * @param status the HTTP status
 * @param detail what is wrong, with the value, the limit and the remedy
 * @param field the field or parameter that is wrong, if it is one
 */
@Schema(name = "Problem")
@JsonInclude(JsonInclude.Include.NON_NULL)
record Problem(
        String type,
        String title,
        int status,
        String detail,
        @Nullable String field) {
    private static final MediaType PROBLEM_JSON = MediaType.of("application/problem+json");

    static Problem of(HttpStatus status, String detail) {
        return new Problem("about:blank", status.getReason(), status.getCode(), detail, null);
    }

    static Problem of(HttpStatus status, String detail, @Nullable String field) {
        return new Problem("about:blank", status.getReason(), status.getCode(), detail, field);
    }

    MutableHttpResponse<Problem> response() {
        return HttpResponse.<Problem>status(HttpStatus.valueOf(status))
                .body(this)
                .contentType(PROBLEM_JSON);
    }

    /** Writes this into an answer that was begun, whose headers stay. */
    MutableHttpResponse<Problem> into(MutableHttpResponse<?> begun) {
        return begun.status(HttpStatus.valueOf(status)).body(this).contentType(PROBLEM_JSON);
    }
}
