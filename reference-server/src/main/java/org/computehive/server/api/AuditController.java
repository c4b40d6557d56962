package org.computehive.server.api;

import io.micronaut.http.HttpResponse;
import io.micronaut.http.MediaType;
import io.micronaut.http.MutableHttpResponse;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Produces;
import io.micronaut.http.server.types.files.SystemFile;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.computehive.rental.RentalException;
import org.computehive.server.config.ReferencePlatform;

/**
 * The audit log's published files (C2SP tlog-tiles), for every role: copy them into a folder, and {@code ./computehive
 * audit verify} needs nothing else.
 */
@Controller("/audit")
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "audit")
class AuditController {
    /** Hash tiles by level and entry bundles; with {@code .p/WIDTH} while they are not full. Nothing else is served. */
    private static final Pattern TILE =
            Pattern.compile("(?:[0-9]|[1-5][0-9]|6[0-3]|entries)/(?:x[0-9]{3}/){0,6}[0-9]{3}(\\.p/[1-9][0-9]{0,2})?");

    private static final String FOREVER = "private, max-age=31536000, immutable";
    private static final String FRESH = "no-cache";

    private final Path folder;
    private final String key;

    AuditController(ReferencePlatform platform) {
        this.folder = platform.local().layout().audit();
        this.key = platform.local().auditVerifierKey();
    }

    /** Returns the log's signed tree head (C2SP tlog-checkpoint). */
    @Get("/checkpoint")
    @ApiResponse(responseCode = "200", content = @Content(mediaType = "text/plain", schema = @Schema(type = "string")))
    HttpResponse<?> checkpoint() {
        return file("checkpoint", MediaType.TEXT_PLAIN_TYPE, FRESH);
    }

    /** Returns the newest signed tree head that witnesses cosigned (C2SP tlog-cosignature), where there are any. */
    @Get("/checkpoint.cosigned")
    @ApiResponse(responseCode = "200", content = @Content(mediaType = "text/plain", schema = @Schema(type = "string")))
    HttpResponse<?> cosigned() {
        return file("checkpoint.cosigned", MediaType.TEXT_PLAIN_TYPE, FRESH);
    }

    /**
     * Returns a tile or an entry bundle.
     *
     * @param path its path below {@code tile/}, such as {@code 0/000.p/12} or {@code entries/000}
     */
    @Get("/tile/{path:.+}")
    @ApiResponse(
            responseCode = "200",
            content =
                    @Content(
                            mediaType = "application/octet-stream",
                            schema = @Schema(type = "string", format = "binary")))
    HttpResponse<?> tile(@Parameter(example = "entries/000") String path) {
        var form = TILE.matcher(path);
        if (!form.matches()) {
            throw new RentalException.NotFound(
                    "this is no tile's path: tlog-tiles has 0/000, 0/000.p/12, entries/x001/234");
        }
        return file("tile/" + path, MediaType.APPLICATION_OCTET_STREAM_TYPE, form.group(1) == null ? FOREVER : FRESH);
    }

    /** Returns the key that verifies checkpoints (C2SP signed-note). */
    @Get("/key")
    @Produces(MediaType.TEXT_PLAIN)
    String key() {
        return key + "\n";
    }

    private MutableHttpResponse<?> file(String path, MediaType type, String caching) {
        Path file = folder.resolve(path);
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new RentalException.NotFound("the log has no %s now: read the checkpoint again".formatted(path));
        }
        return HttpResponse.ok(new SystemFile(file.toFile(), type)).header("Cache-Control", caching);
    }
}
