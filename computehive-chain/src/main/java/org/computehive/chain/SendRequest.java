package org.computehive.chain;

import java.math.BigInteger;
import org.computehive.market.Account;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Sender} is to send.
 *
 * @param action what it does, in words for errors and logs
 * @param to the contract or account; {@code null} to create a contract
 * @param data the call, as {@code 0x…}
 * @param value wei that go along
 */
record SendRequest(String action, @Nullable Account to, String data, BigInteger value) {}
