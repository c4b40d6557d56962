package org.computehive.server.api;

import io.micronaut.http.HttpStatus;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Header;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Produces;
import io.micronaut.http.annotation.QueryValue;
import io.micronaut.http.annotation.Status;
import io.micronaut.http.exceptions.HttpStatusException;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.computehive.embedded.CalendarFolder;
import org.computehive.market.Account;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEngine;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalException;
import org.computehive.rental.RentalId;
import org.computehive.server.api.Bodies.KeyBody;
import org.computehive.server.api.Bodies.ReclaimBody;
import org.computehive.server.api.Bodies.ReserveBody;
import org.computehive.server.api.Bodies.RevocationBody;
import org.computehive.server.api.Views.CertificateView;
import org.computehive.server.api.Views.EventView;
import org.computehive.server.api.Views.RentalView;
import org.computehive.server.config.ReferencePlatform;
import org.jspecify.annotations.Nullable;

/** Rentals and their sessions. */
@Controller("/rentals")
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@SecurityRequirement(name = "token")
@Tag(name = "rentals")
class RentalController {
    private final RentalEngine engine;
    private final CalendarFolder notifier;
    private final Changes changes;

    RentalController(ReferencePlatform platform, Changes changes) {
        this.engine = platform.engine();
        this.notifier = platform.local().notifier();
        this.changes = changes;
    }

    /** Takes up a quote: holds the gpus until the escrow is funded or the hold runs out. Repeating it is harmless. */
    @Post
    @Status(HttpStatus.CREATED)
    RentalView reserve(
            @Parameter(hidden = true) Caller caller,
            @Nullable @Header(Once.HEADER) String key,
            @Body ReserveBody body) {
        Account renter = caller.as(Role.RENTER);
        return RentalView.of(
                Once.of(engine, renter, key).reserve(BadField.parse("quote", body.quote(), RentalId::new), renter));
    }

    /** Returns the caller's rentals, newest first. */
    @Get
    List<RentalView> rentals(@Parameter(hidden = true) Caller caller) {
        return engine.rentals(party(caller)).stream().map(RentalView::of).toList();
    }

    /**
     * Returns a rental.
     *
     * @param id the rental
     * @param after waits until the rental is past this version, at most 30 seconds; then it comes as it is
     */
    @Get("/{id}")
    RentalView rental(@Parameter(hidden = true) Caller caller, String id, @Nullable @QueryValue String after) {
        Account account = party(caller);
        Rental rental = engine.rental(rentalId(id), account);
        if (after == null) {
            return RentalView.of(rental);
        }
        long version = BadField.parse("after", after, RentalController::version);
        return RentalView.of(changes.await(rental.id(), account, version));
    }

    private static long version(String text) {
        if (!text.matches("[0-9]{1,15}")) {
            throw new IllegalArgumentException("after is not a version: give the one of the answer before");
        }
        return Long.parseLong(text);
    }

    /** Certifies the renter's key; the certificate is worth nothing outside the window. */
    @Post("/{id}/certificate")
    CertificateView certify(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body KeyBody body) {
        Account renter = caller.as(Role.RENTER);
        String folder = folder(body.folder());
        return CertificateView.of(
                Once.of(engine, renter, key)
                        .issueCertificate(rentalId(id), renter, BadField.require("publicKey", body.publicKey())),
                folder);
    }

    /**
     * Revokes certificates of the renter's, which lost a key: their connections are cut, and no login by one is let in. A new
     * one may be had at once. Repeating it changes nothing.
     */
    @Post("/{id}/revocations")
    RentalView revoke(@Parameter(hidden = true) Caller caller, String id, @Body RevocationBody body) {
        Account renter = caller.as(Role.RENTER);
        return RentalView.of(engine.revokeCertificates(rentalId(id), renter, body.which()));
    }

    /** Ends the session early: the meter stops now, then access is cut and the VM destroyed. A lender answers for it. */
    @Post("/{id}/end")
    RentalView end(@Parameter(hidden = true) Caller caller, String id, @Nullable @Header(Once.HEADER) String key) {
        Account party = party(caller);
        return RentalView.of(Once.of(engine, party, key).end(rentalId(id), party));
    }

    /** Calls a rental off before it starts. */
    @Post("/{id}/cancellation")
    RentalView cancel(@Parameter(hidden = true) Caller caller, String id, @Nullable @Header(Once.HEADER) String key) {
        Account party = party(caller);
        return RentalView.of(Once.of(engine, party, key).cancel(rentalId(id), party));
    }

    /** Gives notice that the lender wants its gpus back at a time; repeating it with the same time changes nothing. */
    @Post("/{id}/reclaim")
    RentalView reclaim(
            @Parameter(hidden = true) Caller caller,
            String id,
            @Nullable @Header(Once.HEADER) String key,
            @Body ReclaimBody body) {
        Account lender = caller.as(Role.LENDER);
        Instant at = BadField.parse("at", body.at(), Instant::parse);
        return RentalView.of(Once.of(engine, lender, key).reclaim(rentalId(id), lender, at));
    }

    /** Returns what happened, with the salts that open the audit log's commitments. */
    @Get("/{id}/history")
    List<EventView> history(@Parameter(hidden = true) Caller caller, String id) {
        return engine.history(rentalId(id), party(caller)).stream()
                .map(EventView::of)
                .toList();
    }

    /** Returns the caller's latest calendar message about a rental (RFC 5545). */
    @Get("/{id}/calendar")
    @Produces("text/calendar")
    String calendar(@Parameter(hidden = true) Caller caller, String id) {
        Account account = party(caller);
        RentalEvent.Invited last = engine.history(rentalId(id), account).stream()
                .flatMap(recorded ->
                        recorded.event() instanceof RentalEvent.Invited invited ? Stream.of(invited) : Stream.empty())
                .reduce((earlier, later) -> later)
                .orElseThrow(() -> new RentalException.NotFound(
                        "no calendar message was sent for rental %s yet: one is once its escrow is funded"
                                .formatted(id)));
        try {
            return Files.readString(notifier.fileOf(rentalId(id), account, last.sequence(), last.method()));
        } catch (NoSuchFileException e) {
            throw new HttpStatusException(HttpStatus.NOT_FOUND, "the calendar message was removed here");
        } catch (IOException e) {
            throw new UncheckedIOException("a calendar message can't be read", e);
        }
    }

    /** Returns a folder on the caller's machine, if one is named. */
    static @Nullable String folder(@Nullable String folder) {
        if (folder != null && folder.length() > 1024) {
            throw new BadField("folder", "folder is too long: at most 1024 characters");
        }
        return folder;
    }

    static RentalId rentalId(String id) {
        return BadField.parse("id", id, RentalId::new);
    }

    static Account party(Caller caller) {
        return caller.as(Role.RENTER, Role.LENDER);
    }
}
