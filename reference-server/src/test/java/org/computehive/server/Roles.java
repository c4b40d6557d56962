package org.computehive.server;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** Which role may use which route; the empty role is somebody without a token. */
final class Roles {
    static final Set<String> ALL = Set.of("", "lender", "renter", "operator", "auditor");

    /** The roles, and what they may use beside what others do. */
    private static final Map<Set<String>, String> TABLE = Map.of(
            ALL,
            """
            GET /health
            GET /feeds/{file}
            """,
            Set.of("lender", "renter", "operator", "auditor"),
            """
            GET /account
            GET /audit/checkpoint
            GET /audit/checkpoint.cosigned
            GET /audit/key
            GET /audit/tile/{path}
            """,
            Set.of("lender", "renter", "operator"),
            """
            GET /accounts/{account}/reputation
            GET /hosts
            GET /listings
            GET /listings/{id}
            """,
            Set.of("lender", "operator"),
            """
            POST /price-suggestions
            """,
            Set.of("lender", "renter"),
            """
            POST /feeds
            DELETE /feeds
            GET /account/deposit
            GET /invoices/{month}
            GET /rentals
            GET /rentals/{id}
            GET /rentals/{id}/calendar
            POST /rentals/{id}/cancellation
            POST /rentals/{id}/end
            GET /rentals/{id}/escrow/dispute
            GET /rentals/{id}/escrow/end
            GET /rentals/{id}/escrow/no-show
            GET /rentals/{id}/escrow/settlement
            GET /rentals/{id}/history
            GET /rentals/{id}/manifest
            GET /rentals/{id}/offer
            GET /rentals/{id}/offers
            GET /rentals/{id}/receipt
            PUT /rentals/{id}/receipt/signature
            GET /rentals/{id}/receipts
            PUT /rentals/{id}/receipts/signatures
            GET /rentals/{id}/release
            GET /rentals/{id}/releases
            """,
            // An arbiter's alone, who has no token at the first start.
            Set.of(),
            """
            GET /rentals/{id}/escrow/ruling
            """,
            Set.of("lender"),
            """
            GET /account/offers-cancellation
            GET /hosts/{host}/maintenance
            POST /hosts/{host}/maintenance
            DELETE /hosts/{host}/maintenance/{name}
            GET /price-suggestions
            PUT /listings/{id}
            PUT /rentals/{id}/offer/signature
            POST /rentals/{id}/reclaim
            PUT /rentals/{id}/release/signature
            PUT /rentals/{id}/releases/signatures
            """,
            Set.of("renter"),
            """
            POST /listings/{id}/rentals
            POST /quotes
            POST /rentals
            POST /rentals/{id}/certificate
            POST /rentals/{id}/extensions
            POST /rentals/{id}/extensions/quotes
            POST /rentals/{id}/revocations
            """,
            Set.of("operator"),
            """
            POST /hosts/{host}/gpus/{address}/release
            GET /operations/rentals/stuck
            POST /operations/rentals/{id}/break-glass
            POST /operations/rentals/{id}/end
            POST /operations/rentals/{id}/resume
            POST /operations/rentals/{id}/revocations
            GET /tokens
            POST /tokens
            DELETE /tokens/{id}
            """);

    private Roles() {}

    /** Returns the roles that may use each route, by its method and path. */
    static Map<String, Set<String>> byRoute() {
        var routes = new TreeMap<String, Set<String>>();
        TABLE.forEach((roles, text) -> text.lines().forEach(route -> routes.put(route, roles)));
        return routes;
    }

    /** Returns the routes that a description (OpenAPI) has. */
    static Set<String> described(String yaml) {
        Map<String, Map<String, Map<String, Object>>> all =
                new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
        var routes = new TreeSet<String>();
        all.get("paths")
                .forEach((path, methods) ->
                        methods.keySet().forEach(method -> routes.add(method.toUpperCase(Locale.ROOT) + " " + path)));
        return routes;
    }

    /** Asks with an empty body for what is not there, so that nothing is changed, and returns the status. */
    static int ask(ApiClient api, String role, String route) throws Exception {
        String[] parts = route.split(" ", 2);
        String path = parts[1].replaceAll("\\{[a-z]+}", "0".repeat(26));
        boolean sends = parts[0].equals("POST") || parts[0].equals("PUT");
        return api.send(role, parts[0], path, sends ? Optional.of("{}") : Optional.empty(), Optional.empty())
                .statusCode();
    }
}
