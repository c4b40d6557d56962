/**
 * How far a party's record can be relied on, from what the chain and the engine recorded; never from opinions. Usable by
 * itself. Start at {@link org.computehive.reputation.Reputations}.
 */
@NullMarked
package org.computehive.reputation;

import org.jspecify.annotations.NullMarked;
