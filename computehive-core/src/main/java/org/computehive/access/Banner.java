package org.computehive.access;

import java.time.Instant;

/**
 * Proof that a VM can be used: its SSH server's greeting, read on the gateway's own way to it.
 *
 * @param text the identification line (RFC 4253, section 4.2), at most 80 characters of printable ASCII
 * @param at when it was read
 */
public record Banner(String text, Instant at) {}
