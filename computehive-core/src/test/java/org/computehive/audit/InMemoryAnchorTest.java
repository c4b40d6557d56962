package org.computehive.audit;

class InMemoryAnchorTest extends AnchorContract {
    @Override
    protected Anchor anchor() {
        return new InMemoryAnchor();
    }
}
