package org.computehive.server.api;

import io.micronaut.http.HttpResponse;
import io.micronaut.http.HttpStatus;
import io.micronaut.http.MediaType;
import io.micronaut.http.annotation.Body;
import io.micronaut.http.annotation.Controller;
import io.micronaut.http.annotation.Delete;
import io.micronaut.http.annotation.Get;
import io.micronaut.http.annotation.Post;
import io.micronaut.http.annotation.Status;
import io.micronaut.scheduling.TaskExecutors;
import io.micronaut.scheduling.annotation.ExecuteOn;
import io.swagger.v3.oas.annotations.Hidden;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.security.SecurityRequirement;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.computehive.chain.WalletRequests;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.rental.RentalException;
import org.computehive.server.api.Bodies.TokenBody;
import org.computehive.server.api.Views.AccountView;
import org.computehive.server.api.Views.ChainView;
import org.computehive.server.api.Views.HealthView;
import org.computehive.server.api.Views.KnownTokenView;
import org.computehive.server.api.Views.NewTokenView;
import org.computehive.server.api.Views.TokenView;
import org.computehive.server.config.ReferencePlatform;

/** The server itself: its health, its description, its callers. */
@Controller
@ExecuteOn(TaskExecutors.BLOCKING)
@ApiResponse(
        responseCode = "4XX",
        description = "Why it was refused (RFC 9457)",
        content = @Content(mediaType = "application/problem+json", schema = @Schema(implementation = Problem.class)))
@Tag(name = "service")
class ServiceController {
    private static final String DESCRIPTION = "/META-INF/swagger/openapi.yml";

    private final Tokens tokens;
    private final WalletRequests wallets;
    private final ChainView chain;
    private final byte[] description;

    ServiceController(ReferencePlatform platform, Tokens tokens) {
        this.tokens = tokens;
        var escrow = platform.local().escrow();
        this.wallets = escrow.walletRequests();
        this.chain = new ChainView(
                escrow.settings().chainId(), escrow.settings().contract().address(), TokenView.of(escrow.token()));
        try (InputStream in = ServiceController.class.getResourceAsStream(DESCRIPTION)) {
            if (in == null) {
                throw new IllegalStateException("the jar was built without " + DESCRIPTION);
            }
            this.description = in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns whether the server is up. */
    @Get("/health")
    HealthView health() {
        return new HealthView("UP");
    }

    /** Returns this API's description (OpenAPI 3). */
    @Get("/openapi.yml")
    @Hidden
    HttpResponse<byte[]> openapi() {
        return HttpResponse.ok(description).contentType(MediaType.of("application/yaml"));
    }

    /** Returns who the caller is, the chain, what the escrow's ledger owes the caller, and how to withdraw it. */
    @Get("/account")
    @SecurityRequirement(name = "token")
    AccountView account(@Parameter(hidden = true) Caller caller) {
        Account account = caller.account();
        Amount balance = account.equals(Account.ZERO) ? Amount.ZERO : wallets.balance(account);
        return AccountView.of(
                caller, chain, balance, balance.equals(Amount.ZERO) ? null : wallets.withdraw(account, balance));
    }

    /** Makes a token for an account; it is shown this once, and ends by itself. */
    @Post("/tokens")
    @Status(HttpStatus.CREATED)
    @SecurityRequirement(name = "token")
    NewTokenView token(@Parameter(hidden = true) Caller caller, @Body TokenBody body) {
        caller.as(Role.OPERATOR);
        Account account = BadField.parse("account", body.account(), Account::new);
        Role role = BadField.constant("role", body.role(), Role.class);
        Optional<Instant> expires =
                Optional.ofNullable(body.expires()).map(text -> BadField.parse("expires", text, Instant::parse));
        return NewTokenView.of(BadField.parse("expires", expires, until -> tokens.make(account, role, until)));
    }

    /** Returns the tokens that count, without themselves: those of the first start first. */
    @Get("/tokens")
    @SecurityRequirement(name = "token")
    List<KnownTokenView> all(@Parameter(hidden = true) Caller caller) {
        caller.as(Role.OPERATOR);
        return tokens.all().stream().map(KnownTokenView::of).toList();
    }

    /** Makes a token worth nothing from now on. The last one of an operator's stays. */
    @Delete("/tokens/{id}")
    @Status(HttpStatus.NO_CONTENT)
    @SecurityRequirement(name = "token")
    void revoke(@Parameter(hidden = true) Caller caller, String id) {
        caller.as(Role.OPERATOR);
        if (!tokens.revoke(id)) {
            throw new RentalException.NotFound("there is no such token: GET /tokens lists those that count");
        }
    }
}
