/** Witnesses (C2SP tlog-witness): who saw what a log was, so that it can't show others something else. */
@org.jspecify.annotations.NullMarked
package org.computehive.audit.witness;
