package org.computehive.server;

import java.util.List;

/** A request that is refused, and how: with which status, and naming which field. */
record BadRequest(String role, String method, String path, String body, int status, String field) {
    private static final String NO_RENTAL = "0".repeat(26);

    private static String listing(String rule) {
        return """
                {"host":"local","gpus":[],"shape":{"cpus":1,"memoryMiB":256,"diskMiB":64,"image":"demo"},
                "rules":{"shortest":"PT1M","longest":"PT1H","turnover":"PT1M","grace":"PT15M","disputeWindow":"PT1H",%s}}""".formatted(rule);
    }

    private static BadRequest network(String network, String field) {
        String body = """
                {"host":"local","gpus":[],"shape":{"cpus":1,"memoryMiB":256,"diskMiB":64,"image":"demo","network":%s}}"""
                .formatted(network);
        return new BadRequest("lender", "PUT", "/listings/a", body, 400, field);
    }

    static List<BadRequest> all() {
        String rental = "/rentals/" + NO_RENTAL;
        return List.of(
                new BadRequest("", "GET", "/hosts", "", 401, ""),
                new BadRequest("nobody", "GET", "/hosts", "", 401, ""),
                new BadRequest("", "GET", "/feeds/abc.ics", "", 404, ""),
                new BadRequest("", "GET", "/feeds/abc", "", 404, ""),
                new BadRequest("", "POST", "/feeds", "{\"scope\":\"RENTALS\"}", 401, ""),
                new BadRequest("", "DELETE", "/feeds", "", 401, ""),
                new BadRequest("auditor", "POST", "/feeds", "{\"scope\":\"RENTALS\"}", 403, ""),
                new BadRequest("renter", "POST", "/feeds", "{\"scope\":\"ALL\"}", 400, "scope"),
                new BadRequest("renter", "POST", "/feeds", "{}", 400, "scope"),
                new BadRequest(
                        "renter",
                        "POST",
                        "/feeds",
                        "{\"scope\":\"RENTALS\",\"expires\":\"2001-01-01T00:00:00Z\"}",
                        400,
                        "expires"),
                new BadRequest(
                        "renter", "POST", "/feeds", "{\"scope\":\"RENTALS\",\"expires\":\"soon\"}", 400, "expires"),
                new BadRequest("", "GET", "/nothing", "", 401, ""),
                new BadRequest("renter", "GET", "/nothing", "", 404, ""),
                new BadRequest("renter", "DELETE", "/hosts", "", 405, ""),
                new BadRequest("auditor", "GET", "/hosts", "", 403, ""),
                new BadRequest("auditor", "GET", "/rentals", "", 403, ""),
                new BadRequest("operator", "GET", "/rentals", "", 403, ""),
                new BadRequest("lender", "POST", "/tokens", "{\"account\":\"0x00\",\"role\":\"LENDER\"}", 403, ""),
                new BadRequest(
                        "operator", "POST", "/tokens", "{\"account\":\"0x00\",\"role\":\"LENDER\"}", 400, "account"),
                new BadRequest(
                        "operator",
                        "POST",
                        "/tokens",
                        "{\"account\":\"0x" + "0".repeat(40) + "\",\"role\":\"KING\"}",
                        400,
                        "role"),
                new BadRequest("lender", "POST", "/price-suggestions", "{", 400, ""),
                new BadRequest("lender", "POST", "/price-suggestions", "", 400, ""),
                new BadRequest("lender", "POST", "/price-suggestions", "[]", 400, ""),
                new BadRequest(
                        "lender", "POST", "/price-suggestions", "{\"gpuModel\":\"x\",\"gpuModel\":\"y\"}", 400, ""),
                new BadRequest("lender", "POST", "/price-suggestions", "{\"gpuCount\":\"two\"}", 400, "gpuCount"),
                new BadRequest(
                        "lender",
                        "POST",
                        "/price-suggestions",
                        "{\"gpuModel\":\"x\",\"gpuCount\":0,\"cpus\":1,\"memoryMiB\":1}",
                        422,
                        ""),
                new BadRequest("lender", "PUT", "/listings/a", "{\"price\":\"1\",\"discount\":1}", 400, "discount"),
                new BadRequest("lender", "PUT", "/listings/a", "{\"shape\":{\"cpus\":\"many\"}}", 400, "shape.cpus"),
                new BadRequest("lender", "PUT", "/listings/a", "{}", 400, "host"),
                new BadRequest("lender", "PUT", "/listings/A_B", "{}", 400, "id"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"reclaimNotice\":\"soon\""),
                        400,
                        "rules.reclaimNotice"),
                new BadRequest("lender", "PUT", "/listings/a", listing("\"reclaimNotice\":\"P8D\""), 400, "rules"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"cancellation\":{\"notice\":\"1 day\"}"),
                        400,
                        "rules.cancellation.notice"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"cancellation\":{\"lateShare\":10001}"),
                        400,
                        "rules.cancellation"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"cancellation\":{\"noShowShare\":1}"),
                        400,
                        "rules.cancellation"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"stakes\":{\"arbiter\":\"0x12\"}"),
                        400,
                        "rules.stakes.arbiter"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"stakes\":{\"bond\":\"79228162514264337593543950336\"}"),
                        400,
                        "rules.stakes"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"stakes\":{\"bond\":\"-1\"}"),
                        400,
                        "rules.stakes.bond"),
                new BadRequest(
                        "lender",
                        "PUT",
                        "/listings/a",
                        listing("\"stakes\":{\"disputeBond\":\"1\"}"),
                        400,
                        "rules.stakes"),
                new BadRequest(
                        "lender", "POST", "/hosts/local/gpus/nowhere/release", "{\"why\":\"x\"}", 400, "address"),
                new BadRequest(
                        "lender", "POST", "/hosts/local/gpus/0000:01:00.0/release", "{\"why\":\"\"}", 400, "why"),
                new BadRequest("lender", "PUT", "/listings/a", "{\"host\":\"" + "x".repeat(70_000) + "\"}", 413, ""),
                network("{\"kind\":\"ALL\"}", "shape.network.kind"),
                network("{\"kind\":\"RESTRICTED\"}", "shape.network.allowed"),
                network(
                        "{\"kind\":\"RESTRICTED\",\"allowed\":[{\"addresses\":\"169.254.169.254/32\",\"protocol\":\"TCP\",\"firstPort\":80}]}",
                        "shape.network.allowed"),
                new BadRequest("renter", "PUT", "/listings/a", "{}", 403, ""),
                new BadRequest("renter", "GET", "/listings/nothing", "", 404, ""),
                new BadRequest("renter", "GET", "/listings", "", 400, "start"),
                new BadRequest("renter", "GET", "/listings?start=today&end=tomorrow", "", 400, "start"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T01:00:00Z&end=2027-01-01T00:00:00Z",
                        "",
                        400,
                        "end"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&gpus=-1",
                        "",
                        400,
                        "gpus"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&region=Europe",
                        "",
                        400,
                        "region"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&length=PT2H",
                        "",
                        400,
                        "length"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&interconnect=ROPE",
                        "",
                        400,
                        "interconnect"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&reputation=1001",
                        "",
                        400,
                        "reputation"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&emulated=maybe",
                        "",
                        400,
                        "emulated"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&answers=0",
                        "",
                        400,
                        "answers"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&gpus=4&gpusAtMost=2",
                        "",
                        400,
                        "gpusAtMost"),
                new BadRequest(
                        "renter",
                        "GET",
                        "/listings?start=2027-01-01T00:00:00Z&end=2027-01-01T01:00:00Z&atMostPerGpu=-1",
                        "",
                        400,
                        "atMostPerGpu"),
                new BadRequest(
                        "renter",
                        "POST",
                        "/quotes",
                        "{\"listing\":\"nothing\",\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-01T01:00:00Z\"}",
                        404,
                        ""),
                new BadRequest("renter", "POST", "/quotes", "{\"listing\":7}", 400, "listing"),
                new BadRequest("lender", "POST", "/quotes", "{}", 403, ""),
                new BadRequest("renter", "POST", "/listings/nothing/rentals", "{}", 400, "start"),
                new BadRequest(
                        "renter",
                        "POST",
                        "/listings/nothing/rentals",
                        "{\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-01T01:00:00Z\",\"most\":\"-1\"}",
                        400,
                        "most"),
                new BadRequest(
                        "renter",
                        "POST",
                        "/listings/nothing/rentals",
                        "{\"start\":\"2027-01-01T00:00:00Z\",\"end\":\"2027-01-01T01:00:00Z\",\"most\":\"1\"}",
                        404,
                        ""),
                new BadRequest("renter", "POST", "/rentals", "{\"quote\":\"x\"}", 400, "quote"),
                new BadRequest("renter", "POST", "/rentals", "{\"quote\":\"" + NO_RENTAL + "\"}", 404, ""),
                new BadRequest("renter", "GET", "/rentals/x", "", 400, "id"),
                new BadRequest("renter", "GET", rental, "", 404, ""),
                new BadRequest("renter", "GET", rental + "?after=-1", "", 404, ""),
                new BadRequest("renter", "GET", rental + "/offer", "", 404, ""),
                new BadRequest("renter", "PUT", rental + "/offer/signature", "{\"signature\":\"0x00\"}", 403, ""),
                new BadRequest("lender", "PUT", rental + "/offer/signature", "{\"signature\":\"0x00\"}", 404, ""),
                new BadRequest("renter", "POST", rental + "/certificate", "{\"publicKey\":\"x\"}", 404, ""),
                new BadRequest("lender", "POST", rental + "/end", "", 404, ""),
                new BadRequest("auditor", "POST", rental + "/end", "", 403, ""),
                new BadRequest("lender", "POST", rental + "/extensions", "{}", 403, ""),
                new BadRequest("renter", "POST", rental + "/extensions", "{}", 400, "quote"),
                new BadRequest("renter", "POST", rental + "/extensions/quotes", "{}", 400, "end"),
                new BadRequest("renter", "POST", rental + "/reclaim", "{}", 403, ""),
                new BadRequest("lender", "POST", rental + "/reclaim", "{\"at\":\"soon\"}", 400, "at"),
                new BadRequest("renter", "GET", rental + "/manifest", "", 404, ""),
                new BadRequest("renter", "GET", rental + "/offers", "", 404, ""),
                new BadRequest("renter", "GET", rental + "/receipts", "", 404, ""),
                new BadRequest(
                        "renter", "PUT", rental + "/receipts/signatures", "{\"signatures\":7}", 400, "signatures[0]"),
                new BadRequest("renter", "PUT", rental + "/releases/signatures", "{}", 403, ""),
                new BadRequest("lender", "GET", "/operations/rentals/stuck", "", 403, ""),
                new BadRequest("renter", "POST", "/operations" + rental + "/end", "{}", 403, ""),
                new BadRequest("operator", "POST", "/operations" + rental + "/end", "{}", 400, "blame"),
                new BadRequest(
                        "operator", "POST", "/operations" + rental + "/end", "{\"blame\":\"NOBODY\"}", 400, "why"),
                new BadRequest(
                        "operator",
                        "POST",
                        "/operations" + rental + "/end",
                        "{\"blame\":\"NOBODY\",\"why\":\"a test\"}",
                        404,
                        ""),
                new BadRequest(
                        "operator", "POST", "/operations" + rental + "/resume", "{\"note\":\"a\\nb\"}", 400, "note"),
                new BadRequest("operator", "POST", "/operations" + rental + "/resume", "{\"note\":\"seen\"}", 404, ""),
                new BadRequest("renter", "GET", "/hosts/local/maintenance", "", 403, ""),
                new BadRequest("lender", "GET", "/hosts/nowhere/maintenance", "", 404, ""),
                new BadRequest("lender", "GET", "/hosts/No_Host/maintenance", "", 400, "host"),
                new BadRequest("lender", "POST", "/hosts/local/maintenance", "{}", 400, "name"),
                new BadRequest("operator", "GET", "/invoices/2026-11", "", 403, ""),
                new BadRequest("renter", "GET", "/invoices/2026-13", "", 400, "month"),
                new BadRequest("renter", "GET", "/invoices/2026-11?format=pdf", "", 400, "format"),
                new BadRequest("auditor", "GET", "/accounts/0x00/reputation", "", 403, ""),
                new BadRequest("renter", "GET", "/accounts/0x00/reputation", "", 400, "account"),
                new BadRequest("renter", "POST", rental + "/end", "", 404, ""),
                new BadRequest("renter", "POST", rental + "/cancellation", "", 404, ""),
                new BadRequest("renter", "GET", rental + "/receipt", "", 404, ""),
                new BadRequest("renter", "PUT", rental + "/receipt/signature", "{}", 404, ""),
                new BadRequest("lender", "GET", rental + "/release", "", 404, ""),
                new BadRequest("renter", "PUT", rental + "/release/signature", "{}", 403, ""),
                new BadRequest("renter", "GET", rental + "/history", "", 404, ""),
                new BadRequest("renter", "GET", rental + "/calendar", "", 404, ""),
                new BadRequest("", "GET", "/audit/checkpoint", "", 401, ""),
                new BadRequest("auditor", "GET", "/audit/private/lock", "", 404, ""),
                new BadRequest("auditor", "GET", "/audit/tile/../private/lock", "", 404, ""),
                new BadRequest("auditor", "GET", "/audit/tile/%2e%2e/private/lock", "", 404, ""),
                new BadRequest("auditor", "GET", "/audit/tile/0/..%2f..%2fcheckpoint", "", 404, ""),
                new BadRequest("auditor", "GET", "/audit/tile/0/999", "", 404, ""));
    }
}
