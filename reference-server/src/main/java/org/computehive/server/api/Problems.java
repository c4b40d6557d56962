package org.computehive.server.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.exceptions.HttpStatusException;
import java.util.stream.Collectors;
import org.computehive.access.AccessException;
import org.computehive.feed.FeedException;
import org.computehive.rental.EscrowException;
import org.computehive.rental.HypervisorException;
import org.computehive.rental.RentalException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which status each error of the engine's is, in one place. */
final class Problems {
    private static final Logger LOG = LoggerFactory.getLogger(Problems.class);

    private Problems() {}

    static Problem of(Throwable error) {
        return switch (error) {
            case BadField e -> Problem.of(HttpStatus.BAD_REQUEST, message(e), e.field());
            case Caller.Forbidden e -> Problem.of(HttpStatus.FORBIDDEN, message(e));
            case RentalException e -> Problem.of(status(e), message(e));
            case EscrowException e -> Problem.of(status(e), message(e));
            case AccessException e -> access(e);
            case FeedException e -> Problem.of(HttpStatus.SERVICE_UNAVAILABLE, message(e));
            case HypervisorException e -> unavailable("the host can't do this now", e);
            case HttpStatusException e -> Problem.of(e.getStatus(), message(e));
            case IllegalArgumentException e -> Problem.of(HttpStatus.UNPROCESSABLE_ENTITY, message(e));
            default -> internal(error);
        };
    }

    private static HttpStatus status(RentalException error) {
        return switch (error) {
            case RentalException.NotFound e -> HttpStatus.NOT_FOUND;
            case RentalException.NotAllowed e -> HttpStatus.FORBIDDEN;
            case RentalException.WrongState e -> HttpStatus.CONFLICT;
            case RentalException.Superseded e -> HttpStatus.CONFLICT;
            case RentalException.Overlap e -> HttpStatus.CONFLICT;
            case RentalException.LaneTaken e -> HttpStatus.CONFLICT;
            case RentalException.KeyReused e -> HttpStatus.UNPROCESSABLE_ENTITY;
            case RentalException.Expired e -> HttpStatus.GONE;
            case RentalException.Unacceptable e -> HttpStatus.UNPROCESSABLE_ENTITY;
        };
    }

    private static HttpStatus status(EscrowException error) {
        return switch (error) {
            case EscrowException.Refused e -> HttpStatus.UNPROCESSABLE_ENTITY;
            case EscrowException.NotYet e -> HttpStatus.CONFLICT;
            case EscrowException.Unreachable e -> HttpStatus.SERVICE_UNAVAILABLE;
        };
    }

    private static Problem access(AccessException error) {
        return switch (error) {
            case AccessException.KeyRefused e -> Problem.of(HttpStatus.UNPROCESSABLE_ENTITY, message(e), "publicKey");
            case AccessException.LeaseRefused e -> Problem.of(HttpStatus.FORBIDDEN, message(e));
            case AccessException.OutsideWindow e -> Problem.of(HttpStatus.CONFLICT, message(e));
            default -> internal(error);
        };
    }

    private static Problem unavailable(String detail, Throwable error) {
        LOG.warn("{}", detail, error);
        return Problem.of(HttpStatus.SERVICE_UNAVAILABLE, detail + ": try again later, or tell the operator");
    }

    private static Problem internal(Throwable error) {
        LOG.error("a request failed for a reason of ours", error);
        return Problem.of(HttpStatus.INTERNAL_SERVER_ERROR, "something failed here; the operator finds it in the log");
    }

    /**
     * Returns what is wrong with a body that could not be read; the message never quotes it.
     *
     * @param cause what was thrown while it was read, if anything
     * @param otherwise what to say if that doesn't tell
     */
    static Problem unreadable(@Nullable Throwable cause, String otherwise) {
        for (Throwable error = cause; error != null; error = error.getCause()) {
            if (error instanceof BadField e) {
                return of(e);
            }
            if (error instanceof UnrecognizedPropertyException e) {
                String field = path(e);
                return Problem.of(HttpStatus.BAD_REQUEST, field + " is not a field of this request", field);
            }
            if (error instanceof JsonMappingException e && !e.getPath().isEmpty()) {
                String field = path(e);
                return Problem.of(HttpStatus.BAD_REQUEST, field + " is of another type than expected", field);
            }
            if (error instanceof JsonProcessingException e) {
                var at = e.getLocation();
                String where = at == null ? "" : " at line %d, column %d".formatted(at.getLineNr(), at.getColumnNr());
                return Problem.of(HttpStatus.BAD_REQUEST, "the body is not the JSON that is expected" + where);
            }
        }
        return Problem.of(HttpStatus.BAD_REQUEST, otherwise);
    }

    private static String path(JsonMappingException error) {
        return error.getPath().stream()
                .map(part -> part.getFieldName() == null ? "[" + part.getIndex() + "]" : part.getFieldName())
                .map(part -> part.length() > 60 ? part.substring(0, 60) + "…" : part)
                .collect(Collectors.joining("."))
                .replace(".[", "[");
    }

    private static String message(Throwable error) {
        return String.valueOf(error.getMessage());
    }
}
