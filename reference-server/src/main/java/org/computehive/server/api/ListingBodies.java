package org.computehive.server.api;

import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Duration;
import java.util.List;
import org.computehive.market.Account;
import org.computehive.market.Amount;
import org.computehive.market.Assurance;
import org.computehive.market.Cancellation;
import org.computehive.market.GpuId;
import org.computehive.market.HostId;
import org.computehive.market.Interconnect;
import org.computehive.market.Listing;
import org.computehive.market.ListingId;
import org.computehive.market.MachineShape;
import org.computehive.market.NetworkPolicy;
import org.computehive.market.Rate;
import org.computehive.market.Stakes;
import org.computehive.market.Token;
import org.computehive.schedule.Availability;
import org.jspecify.annotations.Nullable;

/** What a listing says in JSON: as it comes, and for its shape and rules also as it is shown. Checked as {@link Bodies} are. */
final class ListingBodies {
    private ListingBodies() {}

    /** A listing to be made or changed; its id is in the path, its lender in the token. */
    @Schema(name = "ListingRequest")
    record ListingBody(
            @Nullable @Schema(description = "the host's name", example = "local")
            String host,

            @Nullable @Schema(description = "gpus of that host, as host/pci-address")
            List<String> gpus,

            @Nullable ShapeBody shape,

            @Nullable @Schema(description = "the least the lender accepts: the token's units per second", example = "50")
            String floor,

            @Nullable @Schema(description = "the most the lender asks, likewise", example = "500")
            String ceiling,

            @Nullable @Schema(description = "the price, from floor to ceiling", example = "97")
            String price,

            @Nullable @Schema(
                    description = "always, or weekly hours",
                    example = "Europe/Berlin: MON 09:00-17:00, TUE 09:00-17:00")
            String availability,

            @Nullable RulesBody rules,

            @Nullable @Schema(description = "ISOLATED or CONFIDENTIAL", example = "ISOLATED")
            String assurance,

            @Nullable @Schema(description = "whether its gpus are emulated stand-ins")
            Boolean emulated,

            @Nullable @Schema(description = "where its host stands; not said without it", example = "eu-central")
            String region,

            @Nullable @Schema(description = "NONE, PCIE, NVLINK, INFINITY_FABRIC or NVSWITCH; NONE without it")
            String interconnect) {

        Listing listing(ListingId id, Account lender, Token token) {
            HostId hostId = BadField.parse("host", host, HostId::new);
            List<GpuId> devices = BadField.require("gpus", gpus).stream()
                    .map(gpu -> BadField.parse("gpus", gpu, GpuId::parse))
                    .toList();
            MachineShape machine = BadField.require("shape", shape).shape();
            Listing.Rules limits = BadField.require("rules", rules).rules();
            Rate least = Bodies.rate("floor", floor);
            Rate most = Bodies.rate("ceiling", ceiling);
            Rate asked = Bodies.rate("price", price);
            Availability hours = BadField.parse("availability", availability, Availability::parse);
            Assurance promised = BadField.constant("assurance", assurance, Assurance.class);
            boolean standIn = BadField.require("emulated", emulated);
            Interconnect links = interconnect == null
                    ? Interconnect.NONE
                    : BadField.constant("interconnect", interconnect, Interconnect.class);
            Listing listing = BadField.parse(
                    "price",
                    id,
                    name -> new Listing(
                            name, lender, hostId, devices, machine, token, least, most, asked, hours, limits, promised,
                            standIn));
            return BadField.parse("region", region == null ? "" : region, where -> listing.at(where, links));
        }
    }

    /** The VM that comes with a listing. */
    @Schema(name = "Shape")
    record ShapeBody(
            @Nullable @Schema(example = "1") Integer cpus,
            @Nullable @Schema(example = "512") Integer memoryMiB,
            @Nullable @Schema(example = "64") Integer diskMiB,

            @Nullable @Schema(description = "an image of the host's", example = "demo")
            String image,

            @Nullable NetworkBody network) {

        static ShapeBody of(MachineShape shape) {
            return new ShapeBody(
                    shape.cpus(), shape.memoryMiB(), shape.diskMiB(), shape.image(), NetworkBody.of(shape.network()));
        }

        MachineShape shape() {
            int processors = BadField.require("shape.cpus", cpus);
            int memory = BadField.require("shape.memoryMiB", memoryMiB);
            int disk = BadField.require("shape.diskMiB", diskMiB);
            NetworkPolicy reach = network == null ? NetworkPolicy.NONE : network.policy();
            return BadField.parse("shape", image, name -> new MachineShape(processors, memory, disk, name, reach));
        }
    }

    /** What a guest reaches over the network. */
    @Schema(name = "Network")
    record NetworkBody(
            @Nullable @Schema(
                    description = "NONE: nothing; RESTRICTED: what allowed names; INTERNET: public IPv4 addresses",
                    example = "NONE")
            String kind,

            @Nullable @Schema(description = "for RESTRICTED, 1 to 256 destinations")
            List<DestinationBody> allowed) {

        static NetworkBody of(NetworkPolicy policy) {
            return new NetworkBody(
                    policy.kind().name(),
                    policy.allowed().stream().map(DestinationBody::of).toList());
        }

        NetworkPolicy policy() {
            List<NetworkPolicy.Destination> destinations = allowed == null
                    ? List.of()
                    : allowed.stream().map(DestinationBody::destination).toList();
            NetworkPolicy.Kind how = BadField.constant("shape.network.kind", kind, NetworkPolicy.Kind.class);
            return BadField.parse("shape.network.allowed", how, known -> new NetworkPolicy(known, destinations));
        }
    }

    /** Where a guest may connect to. */
    @Schema(name = "Destination")
    record DestinationBody(
            @Nullable @Schema(description = "IPv4 addresses in CIDR notation", example = "192.0.2.7/32")
            String addresses,

            @Nullable @Schema(example = "TCP") String protocol,
            @Nullable @Schema(example = "443") Integer firstPort,

            @Nullable @Schema(description = "the first port if it is left out", example = "443")
            Integer lastPort) {

        static DestinationBody of(NetworkPolicy.Destination destination) {
            return new DestinationBody(
                    destination.addresses(),
                    destination.protocol().name(),
                    destination.firstPort(),
                    destination.lastPort());
        }

        NetworkPolicy.Destination destination() {
            NetworkPolicy.Protocol carried =
                    BadField.constant("shape.network.allowed.protocol", protocol, NetworkPolicy.Protocol.class);
            int first = BadField.require("shape.network.allowed.firstPort", firstPort);
            int last = lastPort == null ? first : lastPort;
            return BadField.parse(
                    "shape.network.allowed",
                    addresses,
                    range -> new NetworkPolicy.Destination(range, carried, first, last));
        }
    }

    /** Lengths and delays of a listing, as ISO 8601 durations. */
    @Schema(name = "Rules")
    record RulesBody(
            @Nullable @Schema(type = "string", example = "PT1M")
            String shortest,

            @Nullable @Schema(type = "string", example = "PT24H")
            String longest,

            @Nullable @Schema(type = "string", example = "PT1M")
            String turnover,

            @Nullable @Schema(type = "string", example = "PT15M")
            String grace,

            @Nullable @Schema(type = "string", example = "PT1H")
            String disputeWindow,

            @Nullable CancellationBody cancellation,

            @Nullable @Schema(
                    type = "string",
                    description = "how long before it takes its gpus back the lender must say so; PT1H without it",
                    example = "PT2H")
            String reclaimNotice,

            @Nullable StakesBody stakes) {

        static RulesBody of(Listing.Rules rules) {
            return new RulesBody(
                    rules.shortest().toString(),
                    rules.longest().toString(),
                    rules.turnover().toString(),
                    rules.grace().toString(),
                    rules.disputeWindow().toString(),
                    CancellationBody.of(rules.cancellation()),
                    rules.reclaimNotice().toString(),
                    StakesBody.of(rules.stakes()));
        }

        Listing.Rules rules() {
            Duration least = BadField.parse("rules.shortest", shortest, Duration::parse);
            Duration most = BadField.parse("rules.longest", longest, Duration::parse);
            Duration blocked = BadField.parse("rules.turnover", turnover, Duration::parse);
            Duration free = BadField.parse("rules.grace", grace, Duration::parse);
            Duration disputes = BadField.parse("rules.disputeWindow", disputeWindow, Duration::parse);
            Cancellation terms = cancellation == null ? Cancellation.FREE : cancellation.cancellation();
            Duration notice = reclaimNotice == null
                    ? Listing.Rules.USUAL_RECLAIM_NOTICE
                    : BadField.parse("rules.reclaimNotice", reclaimNotice, Duration::parse);
            Stakes asked = stakes == null ? Stakes.NONE : stakes.stakes();
            return BadField.parse(
                    "rules",
                    least,
                    any -> new Listing.Rules(least, most, blocked, free, disputes, terms, notice, asked));
        }
    }

    /** What is at stake beside the deposit, in the token's smallest unit; what is missing is nothing. */
    @Schema(name = "Stakes")
    record StakesBody(
            @Nullable @Schema(
                    description = "who decides a dispute; nobody without it, and then there are no disputes",
                    example = "0x00000000000000000000000000000000000000aa")
            String arbiter,

            @Nullable @Schema(
                    description = "what the lender locks for each rental, from its balance in the escrow's ledger",
                    example = "5000000")
            String bond,

            @Nullable @Schema(description = "what a party locks to dispute; takes an arbiter", example = "1000000")
            String disputeBond) {

        static StakesBody of(Stakes stakes) {
            return new StakesBody(
                    stakes.arbiter().address(),
                    stakes.bond().toString(),
                    stakes.disputeBond().toString());
        }

        Stakes stakes() {
            Account decides =
                    arbiter == null ? Account.ZERO : BadField.parse("rules.stakes.arbiter", arbiter, Account::new);
            Amount ofLender = orNothing("rules.stakes.bond", bond);
            Amount ofParty = orNothing("rules.stakes.disputeBond", disputeBond);
            return BadField.parse("rules.stakes", decides, any -> new Stakes(any, ofLender, ofParty));
        }

        private static Amount orNothing(String field, @Nullable String units) {
            return units == null ? Amount.ZERO : Bodies.amount(field, units);
        }
    }

    /** What calling off late and not coming cost; what is missing is nothing. */
    @Schema(name = "Cancellation")
    record CancellationBody(
            @Nullable @Schema(
                    type = "string",
                    description = "called off for nothing until so long before the start; an ISO 8601 duration",
                    example = "PT24H")
            String notice,

            @Nullable @Schema(description = "owed after that, in basis points of the deposit", example = "2500")
            Integer lateShare,

            @Nullable @Schema(
                    type = "string",
                    description = "a renter who has not come so long after the start loses the session; PT0S: never",
                    example = "PT30M")
            String noShowAfter,

            @Nullable @Schema(description = "owed then at least, likewise", example = "5000")
            Integer noShowShare) {

        static CancellationBody of(Cancellation terms) {
            return new CancellationBody(
                    terms.notice().toString(),
                    terms.lateShare(),
                    terms.noShowAfter().toString(),
                    terms.noShowShare());
        }

        Cancellation cancellation() {
            Duration free = time("rules.cancellation.notice", notice);
            Duration waits = time("rules.cancellation.noShowAfter", noShowAfter);
            int late = lateShare == null ? 0 : lateShare;
            int noShow = noShowShare == null ? 0 : noShowShare;
            return BadField.parse("rules.cancellation", free, any -> new Cancellation(free, late, waits, noShow));
        }

        private static Duration time(String field, @Nullable String value) {
            return value == null ? Duration.ZERO : BadField.parse(field, value, Duration::parse);
        }
    }
}
