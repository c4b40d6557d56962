package org.computehive.server.api;

import io.swagger.v3.oas.annotations.media.Schema;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.Set;
import org.computehive.market.Amount;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Maintenance;
import org.computehive.market.Rate;
import org.computehive.rental.PriceAdvisor;
import org.computehive.schedule.Window;
import org.jspecify.annotations.Nullable;

/** What requests carry. Everything may be missing or nonsense until it was turned into a type of the engine's. */
final class Bodies {
    private Bodies() {}

    /** A calendar feed to be made. */
    @Schema(name = "FeedRequest")
    record FeedBody(
            @Nullable @Schema(
                    description =
                            "RENTALS: all of the caller's rentals; FREE_BUSY: when its listings and its time are taken",
                    example = "RENTALS")
            String scope,

            @Nullable @Schema(description = "when the address ends; never, if missing", example = "2027-01-01T00:00:00Z")
            String expires) {}

    /** What an operator did about a quarantined gpu. */
    @Schema(name = "GpuReleaseRequest")
    record ReleaseBody(
            @Nullable @Schema(description = "1 to 200 characters; kept with the gpu and in the audit log")
            String why) {}

    /** Hardware to be priced. */
    @Schema(name = "PriceSuggestionRequest")
    record PriceBody(
            @Nullable @Schema(example = "RTX 4090") String gpuModel,
            @Nullable @Schema(example = "1") Integer gpuCount,

            @Nullable @Schema(description = "each gpu's memory")
            Long gpuMemoryMiB,

            @Nullable @Schema(example = "4") Integer cpus,
            @Nullable @Schema(example = "16384") Long memoryMiB,

            @Nullable @Schema(description = "the share of like gpus that are rented now, 0 to 1")
            Double utilisation,

            @Nullable @Schema(description = "micro-USD per hour")
            Long floor,

            @Nullable @Schema(description = "micro-USD per hour")
            Long ceiling,

            @Nullable @Schema(description = "other gpus of the same host")
            List<LotBody> others,

            @Nullable @Schema(
                    type = "string",
                    format = "date-time",
                    description = "the first instant of a free window that the price is for; with end")
            String start,

            @Nullable @Schema(type = "string", format = "date-time")
            String end) {

        PriceAdvisor.Request request(Instant now) {
            PriceAdvisor.Request request = new PriceAdvisor.Request(
                    BadField.require("gpuModel", gpuModel),
                    BadField.require("gpuCount", gpuCount),
                    optional(gpuMemoryMiB),
                    BadField.require("cpus", cpus),
                    BadField.require("memoryMiB", memoryMiB),
                    utilisation == null ? OptionalDouble.empty() : OptionalDouble.of(utilisation),
                    optional(floor),
                    optional(ceiling));
            if (others != null) {
                request = request.with(others.stream().map(LotBody::lot).toList());
            }
            return start == null && end == null
                    ? request
                    : request.with(new PriceAdvisor.Slot(now, window(start, end)));
        }

        static OptionalLong optional(@Nullable Long value) {
            return value == null ? OptionalLong.empty() : OptionalLong.of(value);
        }
    }

    /** Gpus of one model, beside others. */
    @Schema(name = "GpuLot")
    record LotBody(
            @Nullable @Schema(example = "T4") String gpuModel,
            @Nullable @Schema(example = "2") Integer gpuCount,

            @Nullable @Schema(description = "each gpu's memory")
            Long gpuMemoryMiB) {
        PriceAdvisor.Lot lot() {
            return new PriceAdvisor.Lot(
                    BadField.require("others.gpuModel", gpuModel),
                    BadField.require("others.gpuCount", gpuCount),
                    PriceBody.optional(gpuMemoryMiB));
        }
    }

    /** What a quote is asked for. */
    @Schema(name = "QuoteRequest")
    record QuoteBody(
            @Nullable @Schema(description = "the listing's id", example = "rtx")
            String listing,

            @Nullable @Schema(type = "string", format = "date-time", description = "in whole seconds")
            String start,

            @Nullable @Schema(type = "string", format = "date-time")
            String end) {}

    /** What is booked at the price that the listing has. */
    @Schema(name = "BookingRequest")
    record BookingBody(
            @Nullable @Schema(type = "string", format = "date-time", description = "in whole seconds")
            String start,

            @Nullable @Schema(type = "string", format = "date-time")
            String end,

            @Nullable @Schema(
                    description = "what is paid for the whole window at the most, in the token's units",
                    example = "360000")
            String most) {}

    /** A quote to be taken up. */
    @Schema(name = "RentalRequest")
    record ReserveBody(
            @Nullable @Schema(description = "the quote's id")
            String quote) {}

    /** More time to be quoted. */
    @Schema(name = "ExtensionRequest")
    record ExtensionBody(
            @Nullable @Schema(type = "string", format = "date-time", description = "when the session is to end instead")
            String end) {}

    /** A notice that gpus are wanted back. */
    @Schema(name = "ReclaimRequest")
    record ReclaimBody(
            @Nullable @Schema(type = "string", format = "date-time", description = "when; in whole seconds")
            String at) {}

    /** Why an operator ends a session. */
    @Schema(name = "EndRequest")
    record FaultBody(
            @Nullable @Schema(description = "who answers: LENDER, RENTER, PLATFORM or NOBODY")
            String blame,

            @Nullable @Schema(description = "for people, 1 to 200 characters; the parties read it")
            String why) {}

    /** Why and for how long an operator is to be let into a session. */
    @Schema(name = "BreakGlassRequest")
    record GlassBody(
            @Nullable @Schema(description = "one line in OpenSSH's format", example = "ssh-ed25519 AAAA…")
            String publicKey,

            @Nullable @Schema(description = "for the audit log, 1 to 200 characters of printable ASCII")
            String reason,

            @Nullable @Schema(type = "string", format = "date-time", description = "when it ends, at the latest with the session")
            String until,

            @Nullable @Schema(
                    description =
                            "an absolute folder on the operator's machine that holds the private key as id; with it the answer has an ssh_config")
            String folder) {}

    /** Which certificates of a rental are to count no more. */
    @Schema(name = "RevocationRequest")
    record RevocationBody(
            @Nullable @Schema(description = "serials, as the certificates' answers say; none for all that were issued so far")
            List<String> serials,

            @Nullable @Schema(description = "an operator's reason, 1 to 200 characters, no secrets; a renter needs none")
            String why) {
        private static final int MOST = 200;

        Set<String> which() {
            List<String> named = serials == null ? List.of() : serials;
            return BadField.parse("serials", named, all -> {
                if (all.size() > MOST || all.stream().anyMatch(serial -> !serial.matches("[1-9][0-9]{0,19}"))) {
                    throw new IllegalArgumentException(
                            "serials are whole numbers above 0, %d at the most".formatted(MOST));
                }
                return Set.copyOf(all);
            });
        }
    }

    /** What an operator did. */
    @Schema(name = "ResumeRequest")
    record NoteBody(
            @Nullable @Schema(description = "1 to 200 characters; no secrets")
            String note) {}

    /** A time in which gpus are kept from being rented; its host is in the path. */
    @Schema(name = "MaintenanceRequest")
    record MaintenanceBody(
            @Nullable @Schema(description = "what the lender calls it", example = "new-fan")
            String name,

            @Nullable @Schema(description = "gpus of that host, as host/pci-address")
            List<String> gpus,

            @Nullable @Schema(type = "string", format = "date-time")
            String start,

            @Nullable @Schema(type = "string", format = "date-time")
            String end,

            @Nullable @Schema(description = "1 to 200 characters")
            String why) {

        Maintenance maintenance(HostId host) {
            String label = BadField.require("name", name);
            List<GpuId> devices = BadField.require("gpus", gpus).stream()
                    .map(gpu -> BadField.parse("gpus", gpu, GpuId::parse))
                    .toList();
            Window window = window(start, end);
            return BadField.parse("why", why, text -> new Maintenance(host, label, devices, window, text));
        }
    }

    /** Signatures from a wallet, one for each leg. */
    @Schema(name = "Signatures")
    record SignaturesBody(
            @Nullable @Schema(description = "each 0x and hexadecimal digits, in the order of what is to be signed")
            List<String> signatures) {}

    /** A signature from a wallet. */
    @Schema(name = "Signature")
    record SignatureBody(
            @Nullable @Schema(description = "0x and hexadecimal digits")
            String signature) {}

    /** A public key to be certified. */
    @Schema(name = "CertificateRequest")
    record KeyBody(
            @Nullable @Schema(description = "one line in OpenSSH's format", example = "ssh-ed25519 AAAA…")
            String publicKey,

            @Nullable @Schema(
                    description =
                            "an absolute folder on the renter's machine that holds the private key as id; with it the answer has an ssh_config")
            String folder) {}

    /** A token to be made. */
    @Schema(name = "TokenRequest")
    record TokenBody(
            @Nullable @Schema(description = "the account it speaks for")
            String account,

            @Nullable @Schema(description = "LENDER, RENTER, OPERATOR, AUDITOR or ARBITER")
            String role,

            @Nullable @Schema(
                    type = "string",
                    format = "date-time",
                    description = "from when on it is worth nothing, at most 366 days from now; 90 days without it")
            String expires) {}

    /** Text for people that is stored: a line, so that nobody can make it look like another record. */
    static String line(String text) {
        if (text.isBlank() || text.length() > 200 || text.chars().anyMatch(Character::isISOControl)) {
            throw new IllegalArgumentException(
                    "a text of %d characters came: write 1 to 200 in one line".formatted(text.length()));
        }
        return text;
    }

    static Window window(@Nullable String start, @Nullable String end) {
        Instant first = BadField.parse("start", start, Instant::parse);
        Instant last = BadField.parse("end", end, Instant::parse);
        return BadField.parse("end", last, any -> new Window(first, last));
    }

    static Rate rate(String field, @Nullable String units) {
        return BadField.parse(field, units, text -> new Rate(whole(field, text, "the token's units per second")));
    }

    static Amount amount(String field, @Nullable String units) {
        return BadField.parse(field, units, text -> new Amount(whole(field, text, "the token's units")));
    }

    private static BigInteger whole(String field, String text, String of) {
        if (!text.matches("[0-9]{1,39}")) {
            throw new IllegalArgumentException(
                    "%s is not a whole number of %s, as decimal digits".formatted(field, of));
        }
        return new BigInteger(text);
    }
}
