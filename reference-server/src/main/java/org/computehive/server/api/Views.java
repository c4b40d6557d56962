package org.computehive.server.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonRawValue;
import io.swagger.v3.oas.annotations.media.Schema;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.computehive.chain.WalletRequests.Transaction;
import org.computehive.demand.DemandSignals;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
import org.computehive.market.Rate;
import org.computehive.market.Token;
import org.computehive.rental.AdviceOutcome;
import org.computehive.rental.EventCodec;
import org.computehive.rental.GivenAdvice;
import org.computehive.rental.PriceSuggestion;
import org.computehive.rental.Quote;
import org.computehive.rental.Rental;
import org.computehive.rental.RentalEvent;
import org.computehive.rental.RentalStore.Recorded;
import org.computehive.rental.SessionAccess;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/** What answers carry. Amounts are strings in the token's smallest unit, times are ISO 8601 in UTC. */
final class Views {
    private Views() {}

    /** A time window; its end is the first instant after it. */
    @Schema(name = "Window")
    record WindowView(Instant start, Instant end) {
        static WindowView of(Window window) {
            return new WindowView(window.start(), window.end());
        }
    }

    /** What rent is paid in. */
    @Schema(name = "Token")
    record TokenView(String contract, String symbol, int decimals) {
        static TokenView of(Token token) {
            return new TokenView(token.contract().address(), token.symbol(), token.decimals());
        }
    }

    /** A price: units of the token per second, and for people per hour. */
    @Schema(name = "Rate")
    record RateView(String unitsPerSecond, String perHour) {
        static RateView of(Rate rate, Token token) {
            return new RateView(rate.unitsPerSecond().toString(), rate.inTokensPerHour(token));
        }
    }

    /** One thing that moved a suggested price. */
    @Schema(name = "PriceFactor")
    record FactorView(String name, double multiplier, String why) {}

    /** What was seen of demand for gpus like these, in the day up to an instant. */
    @Schema(name = "DemandSignals")
    record DemandView(
            Instant until,
            double utilisation,
            long searches,
            long foundNothing,
            long bookings,

            @Schema(description = "the median from booking to start, as an ISO 8601 duration")
            String leadTime) {
        static DemandView of(DemandSignals signals) {
            return new DemandView(
                    signals.until(),
                    signals.utilisation(),
                    signals.searches(),
                    signals.foundNothing(),
                    signals.bookings(),
                    signals.leadTime().toString());
        }
    }

    /** A suggested price in micro-USD per hour; nothing applies it. {@code point} is also given as a rate to list with. */
    @Schema(name = "PriceSuggestion")
    record SuggestionView(
            String currency,
            long low,
            long point,
            long high,
            @Nullable RateView pointRate,
            String confidence,
            List<FactorView> factors,
            String reference,
            String modelId,
            String modelSha256,
            String dataDate,
            List<DemandView> demand) {
        static SuggestionView of(PriceSuggestion suggestion, Token token) {
            return new SuggestionView(
                    suggestion.currency(),
                    suggestion.low(),
                    suggestion.point(),
                    suggestion.high(),
                    token.usdPegged() ? RateView.of(suggestion.pointIn(token), token) : null,
                    suggestion.confidence().name(),
                    suggestion.factors().stream()
                            .map(factor -> new FactorView(factor.name(), factor.multiplier(), factor.why()))
                            .toList(),
                    suggestion.reference(),
                    suggestion.modelId(),
                    suggestion.modelSha256(),
                    suggestion.dataDate().toString(),
                    suggestion.demand().stream().map(DemandView::of).toList());
        }
    }

    /** A suggestion that the lender was given, and what it charged for such gpus until the next one. */
    @Schema(name = "AdviceOutcome")
    record AdviceView(
            Instant at,
            String gpuModel,
            int gpuCount,
            SuggestionView suggestion,

            @Schema(description = "how many rentals of such gpus were paid for")
            int rentals,

            @Nullable @Schema(description = "their mean rate in micro-USD per hour; null without any")
            Long charged) {
        static AdviceView of(AdviceOutcome outcome, Token token) {
            GivenAdvice advice = outcome.advice();
            return new AdviceView(
                    advice.at(),
                    advice.gpuModel(),
                    advice.gpuCount(),
                    SuggestionView.of(advice.suggestion(), token),
                    outcome.rentals(),
                    outcome.charged().isPresent() ? outcome.charged().getAsLong() : null);
        }
    }

    /** A price for a listing and a window; whoever takes it up in time gets it. */
    @Schema(name = "Quote")
    record QuoteView(String id, String listing, WindowView window, RateView rate, String total, Instant expires) {
        static QuoteView of(Quote quote, Token token) {
            return new QuoteView(
                    quote.id().value(),
                    quote.listing().value(),
                    WindowView.of(quote.window()),
                    RateView.of(quote.rate(), token),
                    quote.total().toString(),
                    quote.expires());
        }
    }

    /** Who answers for what went wrong. */
    @Schema(name = "Fault")
    record FaultView(String blame, String what) {}

    /** What the chain says was paid to the lender and refunded to the renter. */
    @Schema(name = "Settlement")
    record SettlementView(
            String paid,
            String refunded,

            @Schema(description = "what of the lender's bond went to the renter, beside the deposit")
            String slashed,

            @Schema(description = "what of the bond of the party that disputed went to the other one")
            String forfeited,

            String transaction) {
        static SettlementView of(RentalEvent.Settled settled) {
            return new SettlementView(
                    settled.paid().toString(),
                    settled.refunded().toString(),
                    settled.slashed().toString(),
                    settled.forfeited().toString(),
                    settled.transaction().hex());
        }

        static SettlementView of(RentalEvent.OfLeg.Settled settled) {
            return new SettlementView(
                    settled.paid().toString(),
                    settled.refunded().toString(),
                    settled.slashed().toString(),
                    settled.forfeited().toString(),
                    settled.transaction().hex());
        }
    }

    /** A rental and its session, as its version left it. */
    @Schema(name = "Rental")
    record RentalView(
            String id,
            long version,
            String state,
            String listing,
            String host,
            String renter,
            String lender,
            List<String> gpus,
            boolean emulated,
            WindowView window,
            RateView rate,
            TokenView token,
            String deposit,
            Instant holdUntil,
            boolean offerWritten,
            boolean offerSigned,
            boolean funded,
            @Nullable Map<String, String> machine,
            @Nullable Instant activeSince,
            @Nullable Instant endedAt,
            @Nullable String endCause,
            Duration used,
            String due,
            @Nullable FaultView fault,
            @Nullable SettlementView settlement,

            @Nullable @Schema(description = "when the lender takes its gpus back, if it gave notice")
            Instant reclaimedAt,

            @Schema(description = "what was booked, then each extension")
            List<LegView> legs) {
        static RentalView of(Rental rental) {
            var terms = rental.terms();
            return new RentalView(
                    rental.id().value(),
                    rental.version(),
                    rental.state().name(),
                    terms.listing().value(),
                    rental.host().value(),
                    terms.renter().address(),
                    terms.lender().address(),
                    rental.gpus().stream().map(GpuId::toString).toList(),
                    terms.emulated(),
                    WindowView.of(rental.window()),
                    RateView.of(terms.rate(), terms.token()),
                    TokenView.of(terms.token()),
                    (rental.funded() ? rental.deposit() : terms.deposit()).toString(),
                    terms.holdUntil(),
                    rental.offer().isPresent(),
                    rental.offerSignature().isPresent(),
                    rental.funded(),
                    orNull(rental.machine()),
                    orNull(rental.activeSince()),
                    orNull(rental.endedAt()),
                    orNull(rental.endCause().map(Enum::name)),
                    rental.used(),
                    rental.due().toString(),
                    orNull(rental.fault()
                            .map(fault -> new FaultView(fault.blame().name(), fault.what()))),
                    orNull(rental.settlement().map(SettlementView::of)),
                    orNull(rental.reclaimedAt()),
                    rental.legs().stream()
                            .map(leg -> LegView.of(leg, terms.token()))
                            .toList());
        }
    }

    private static <T> @Nullable T orNull(Optional<T> value) {
        return value.isPresent() ? value.get() : null;
    }

    /** A transaction for {@code eth_sendTransaction}; the wallet adds nonce, gas and fees. */
    @Schema(name = "UnsignedTransaction")
    record TransactionView(String purpose, String from, String to, String data, String value) {
        static TransactionView of(Transaction transaction) {
            return new TransactionView(
                    transaction.purpose(),
                    transaction.from().address(),
                    transaction.to().address(),
                    transaction.data(),
                    "0x" + transaction.value().toString(16));
        }
    }

    /** A message for {@code eth_signTypedData_v4} (EIP-712), and the digest that it must have. */
    @Schema(name = "Signable")
    record SignableView(
            @Schema(description = "0 for what was booked, or the extension's number")
            int leg,

            @Schema(type = "string", description = "the time that a receipt is for; PT0S for a release")
            Duration used,

            String digest,
            @Schema(description = "who is to sign") List<String> signers,

            @JsonRawValue @Schema(type = "object", description = "EIP-712 typed data")
            String typedData) {}

    /** The offer to sign; once the lender has, the transactions with which the renter opens the escrow. */
    @Schema(name = "Offer")
    record OfferView(
            @Schema(description = "0 for what was booked, or the extension's number")
            int leg,

            String digest,
            @Schema(description = "who is to sign") String signer,

            @JsonRawValue @Schema(type = "object", description = "EIP-712 typed data")
            String typedData,

            @Schema(description = "for the renter to send, in order; none before the lender signed")
            List<TransactionView> open,

            @Nullable @Schema(description = "for the renter to end the escrow without the platform, once it is open")
            TransactionView end) {}

    /** What the renter's OpenSSH client needs; the last three only where a folder was named. */
    @Schema(name = "Certificate")
    record CertificateView(
            String certificate,
            String serial,
            String keyFingerprint,
            Instant notAfter,
            String knownHosts,
            @Nullable String sshConfig,
            @Nullable String command) {
        static CertificateView of(SessionAccess.Grant grant, @Nullable String folder) {
            var files = BadField.parse("folder", folder == null ? "/" : folder, text -> grant.files(Path.of(text)));
            return new CertificateView(
                    grant.certificate(),
                    grant.serial(),
                    grant.keyFingerprint(),
                    grant.notAfter(),
                    files.knownHosts(),
                    folder == null ? null : files.sshConfig(),
                    folder == null ? null : files.command());
        }
    }

    /**
     * One event of a rental. The audit log commits to {@code json}, byte for byte, with {@code salt}; see {@code
     * AuditEntry}.
     */
    @Schema(name = "Event")
    record EventView(long version, String type, Instant at, String state, String json, String salt) {
        static EventView of(Recorded recorded) {
            return new EventView(
                    recorded.after().version(),
                    EventCodec.name(recorded.event()),
                    recorded.event().at(),
                    recorded.after().state().name(),
                    EventCodec.write(recorded.event()),
                    recorded.salt());
        }
    }

    /** A calendar feed that was made. */
    @Schema(name = "Feed")
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record FeedView(
            @Schema(description = "to be put behind the address of this API; who has it reads the calendar")
            String path,

            String scope,

            @Nullable String expires) {}

    /** The chain that rent is locked on. */
    @Schema(name = "Chain")
    record ChainView(long id, String contract, TokenView token) {}

    /** The caller as its token says, and what the escrow's ledger owes it. */
    @Schema(name = "Account")
    record AccountView(
            String account,
            String role,
            ChainView chain,
            String balance,

            @Nullable @Schema(description = "moves the balance to the account, if there is any")
            TransactionView withdraw) {
        static AccountView of(Caller caller, ChainView chain, Amount balance, @Nullable Transaction withdraw) {
            return new AccountView(
                    caller.account().address(),
                    caller.role().name(),
                    chain,
                    balance.toString(),
                    withdraw == null ? null : TransactionView.of(withdraw));
        }
    }

    /** A token, shown this once. */
    @Schema(name = "NewToken")
    record NewTokenView(String id, String token, String account, String role, Instant expires) {
        static NewTokenView of(Tokens.Made made) {
            Tokens.Token token = made.token();
            return new NewTokenView(
                    token.id(),
                    made.secret(),
                    token.account().address(),
                    token.role().name(),
                    token.expires().orElseThrow());
        }

        @Override
        public String toString() {
            return "NewToken[" + id + " " + role + " " + account + "]";
        }
    }

    /** What is known of a token that counts. */
    @Schema(name = "AccessToken")
    record KnownTokenView(
            String id,
            String account,
            String role,

            @Nullable @Schema(description = "none for those of the first start, which count until they are revoked")
            Instant expires) {
        static KnownTokenView of(Tokens.Token token) {
            return new KnownTokenView(
                    token.id(),
                    token.account().address(),
                    token.role().name(),
                    token.expires().orElse(null));
        }
    }

    /** Whether the server is up. */
    @Schema(name = "Health")
    record HealthView(String status) {}
}
