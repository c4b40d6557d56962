package org.computehive.audit;

class InMemoryAuditLogTest extends AuditLogContract {
    private final NoteKey key = NoteKey.generate("memory.example");

    @Override
    protected AuditLog open() {
        return new InMemoryAuditLog(key);
    }

    @Override
    protected VerifierKey key() {
        return key.verifierKey();
    }
}
