package org.computehive.server.demo;

import java.nio.file.Files;
import java.util.HexFormat;
import java.util.List;
import org.computehive.audit.Anchored;
import org.computehive.audit.AuditLogException;
import org.computehive.audit.Checkpoint;
import org.computehive.audit.FileAuditLog;
import org.computehive.audit.Quorum;
import org.computehive.audit.VerifierKey;
import org.computehive.chain.EvmAnchor;
import org.computehive.market.Account;
import org.computehive.server.platform.LocalPlatform;

/** Step 8: the audit log is cosigned, anchored on the chain, and verified by files, keys and the anchor alone. */
final class Oversight {
    private final Scene scene;
    private final LocalPlatform platform;
    private final Display display;
    private final Checks checks;

    Oversight(Scene scene) {
        this.scene = scene;
        this.platform = scene.platform;
        this.display = scene.display;
        this.checks = scene.checks;
    }

    void run() throws Exception {
        display.headline("8  The audit log: cosigned by witnesses, anchored on the chain, verified by itself");
        platform.auditLog().publish();
        Checkpoint cosigned = cosign();
        Anchored anchored = anchor(cosigned);
        var audit = new AuditCheck(
                platform.layout().audit(), platform.auditVerifierKey(), scene.witnesses.keys(), anchored);
        Files.writeString(scene.artefacts.resolve("audit-key.txt"), platform.auditVerifierKey() + "\n");
        Files.writeString(scene.artefacts.resolve("audit-trust.txt"), String.join("\n", audit.trust()) + "\n");
        AuditCheck.Verdict honest = display.step("the stand-alone verifier, in a process of its own", audit::verify);
        honest.shown().forEach(display::detail);
        checks.that(
                "the audit log verifies, cosigned and anchored",
                honest.holds() && honest.says("cosigned by") && honest.says("that were anchored"),
                honest.lastLine());
        AuditCheck.Verdict tampered =
                display.step("the same after one byte was changed in a copy", audit::verifyTampered);
        tampered.shown().forEach(display::detail);
        checks.that("a tampered byte is caught", !tampered.holds(), tampered.lastLine());
        rewrite(audit);
    }

    private Checkpoint cosign() throws Exception {
        String off = scene.witnesses.switchOneOff();
        return display.step("two of three witnesses cosign; %s is switched off".formatted(off), () -> {
            var cosigning = scene.witnesses.cosigning(platform.auditLog());
            String note = cosigning.cosign();
            platform.auditLog().publishCosigned(note);
            List<String> names = new Quorum(Witnesses.NEEDED, scene.witnesses.keys()).check(note);
            checks.that(
                    "two of three witnesses suffice, one of them does not sign",
                    names.size() == Witnesses.NEEDED && !names.contains(off),
                    String.join(", ", names));
            return Checkpoint.open(note, key());
        });
    }

    private VerifierKey key() {
        return VerifierKey.parse(platform.auditVerifierKey());
    }

    /** Returns what an auditor reads on the chain, by a client of its own. */
    private Anchored anchor(Checkpoint cosigned) throws Exception {
        Account contract = display.step("put AuditAnchor.sol on the chain", scene.chain::deployAnchor);
        Anchored written = display.step("anchor origin, size and root; await its confirmations", () -> {
            try (EvmAnchor anchor = EvmAnchor.connect(scene.chain.settings(), contract)) {
                Anchored anchored = Anchored.of(cosigned);
                anchor.anchor(anchored);
                return anchored;
            }
        });
        Account author = scene.chain.operator();
        try (EvmAnchor auditors = EvmAnchor.connect(scene.chain.settings(), contract, author)) {
            List<Anchored> read = auditors.anchors(Anchored.originHash(LocalPlatform.LOG_NAME));
            read.forEach(each -> display.detail("%s by %s: size %d, root %s"
                    .formatted(
                            contract,
                            author,
                            each.size(),
                            HexFormat.of().formatHex(each.root()).substring(0, 16) + "…")));
            checks.that(
                    "the chain holds the cosigned checkpoint",
                    read.equals(List.of(written)),
                    "size " + cosigned.size());
            return read.isEmpty() ? written : read.getLast();
        }
    }

    /** The log's own operator signs another history: it holds by itself, and is caught by those who remember. */
    private void rewrite(AuditCheck audit) throws Exception {
        try (var other = RewrittenHistory.of(platform)) {
            AuditCheck.Verdict believed = display.step(
                    "its operator rewrites an entry and signs all anew", () -> audit.verifyByKeyAlone(other.folder()));
            AuditCheck.Verdict caught = display.step(
                    "the rewritten log against the anchor", () -> audit.verifyAgainstAnchor(other.folder()));
            caught.shown().forEach(display::detail);
            checks.that(
                    "a rewritten history holds by itself; the anchor catches it",
                    believed.holds() && !caught.holds() && caught.says("not those that were anchored"),
                    "%s, %s".formatted(believed.lastLine(), caught.lastLine()));
            String refusal = refusal(other.log());
            checks.that("the witnesses cosign no rewritten history", !refusal.isEmpty(), "refused");
            for (String said : refusal.split("[:;] (?=witness )")) {
                display.detail(said);
            }
        }
    }

    private String refusal(FileAuditLog rewritten) {
        try {
            scene.witnesses.cosigning(rewritten).cosign();
            return "";
        } catch (AuditLogException e) {
            return String.valueOf(e.getMessage());
        }
    }
}
