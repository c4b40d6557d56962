package org.computehive.access;

/** Is told what happens at a gateway, for the audit log. Called by many threads at once. */
@FunctionalInterface
public interface GatewayListener {
    /**
     * Takes note. It should return soon: the connection waits. If it throws on {@link GatewayEvent.Accepted}, the login is
     * refused, so nobody enters unrecorded; other events are past, and what it throws on them is only logged.
     */
    void on(GatewayEvent event);
}
