// Replays an audit log and verifies it, with nothing but its files and its key.
//
//   LOG=demo-.../audit KEY="$(cat demo-.../audit-key.txt)" ./computehive jshell examples/jshell/audit-replay.jsh
//
// Without LOG it makes a log of three entries, and shows what one changed byte does.
import org.computehive.audit.*
import java.nio.file.*
import java.time.*

var secret = NoteKey.generate("example.org/audit")
Path made() throws Exception {
    var folder = Files.createTempDirectory("audit").resolve("log");
    try (var log = FileAuditLog.open(folder, secret)) {
        for (String type : new String[] {"rental.funded", "access.accepted", "rental.ended"})
            log.append(AuditEntry.commit(type, "rental-1", Instant.now(), (type + "'s facts").getBytes(), AuditEntry.newSalt()).bytes());
    }
    return folder;
}
var own = System.getenv("LOG") == null
var folder = own ? made() : Path.of(System.getenv("LOG"))
var key = own ? secret.verifierKey() : VerifierKey.parse(System.getenv("KEY").strip())

// First verify: an entry says something only where the whole log holds.
var report = new Verifier(key).verify(folder)
report.failures().forEach(fails -> System.out.println("FAILS " + fails.file() + ": " + fails.why()))
System.out.println(report.holds() ? "verified: " + report.checkpoint().orElseThrow() : "NOT VERIFIED")

// Then replay: entry bundles are files of entries, each behind its length in two bytes (C2SP tlog-tiles).
List<AuditEntry> entries(Path folder) throws Exception {
    var found = new TreeMap<Path, List<AuditEntry>>();
    try (var files = Files.walk(folder.resolve("tile/entries"))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
            var bundle = java.nio.ByteBuffer.wrap(Files.readAllBytes(file));
            var of = new ArrayList<AuditEntry>();
            while (bundle.hasRemaining()) {
                var leaf = new byte[Short.toUnsignedInt(bundle.getShort())];
                bundle.get(leaf);
                of.add(AuditEntry.parse(leaf));
            }
            // A partial bundle (N.p/W) is a beginning of the full one or of a longer partial one.
            var name = file.toString().replaceFirst("\\.p/\\d+$", "");
            found.merge(Path.of(name), of, (a, b) -> a.size() >= b.size() ? a : b);
        }
    }
    return found.values().stream().flatMap(List::stream).toList();
}
var replayed = entries(folder)
replayed.stream().limit(20).forEach(entry -> System.out.printf("%s %s %s%n", entry.time(), entry.type(), entry.rental().orElse("-")))
System.out.printf("%d entries, by type %s%n", replayed.size(), replayed.stream().collect(java.util.stream.Collectors.groupingBy(AuditEntry::type, TreeMap::new, java.util.stream.Collectors.counting())))

// A byte of one's own log changed: nothing of it can be relied on any more, and the entry at fault is named.
if (own) {
    var bundle = Files.walk(folder.resolve("tile/entries")).filter(Files::isRegularFile).findFirst().orElseThrow();
    var bytes = Files.readAllBytes(bundle);
    bytes[bytes.length - 10] ^= 1;
    Files.write(bundle, bytes);
    var after = new Verifier(key).verify(folder);
    System.out.println(after.holds() ? "a changed byte was not noticed" : "changed: " + after.failures().getFirst().why());
}
/exit
