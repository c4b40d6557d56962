package org.computehive.rental;

import org.jspecify.annotations.Nullable;

/** The escrow could not do what was asked. The subclass says what the caller can do. */
public abstract sealed class EscrowException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private EscrowException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }

    /** The chain can't be reached or read; nothing is known, try again. */
    public static final class Unreachable extends EscrowException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Unreachable(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /**
     * The contract or a check before it refuses it, and nothing was sent; the message holds the decoded reason. Where the
     * caller can do something particular about it, it is one of the subclasses.
     */
    public static sealed class Refused extends EscrowException
            permits WrongChain, WrongContract, InvalidSignature, InsufficientFunds, OfferExpired, OfferUsed, TooLate {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public Refused(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The node serves another chain than the one configured: name the right node, or the right chain. */
    public static final class WrongChain extends Refused {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public WrongChain(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** There is no contract at the address, or another one than is configured: name the right address. */
    public static final class WrongContract extends Refused {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public WrongContract(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** A signature is malformed, or not the signer's over what was to be signed: sign again. */
    public static final class InvalidSignature extends Refused {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public InvalidSignature(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** An account holds less than the call needs, gas included: pay in, or ask for less. */
    public static final class InsufficientFunds extends Refused {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public InsufficientFunds(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The time in which the offer could be used is over: ask for a new one. */
    public static final class OfferExpired extends Refused {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public OfferExpired(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The offer was used or cancelled, or its lane is taken by another rental: ask for a new one. */
    public static final class OfferUsed extends Refused {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public OfferUsed(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** The time is over in which this could be said or objected to; what was said before stands. */
    public static final class TooLate extends Refused {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public TooLate(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    /** Not yet: the time lock still runs, or a transaction has not its confirmations. Try again later. */
    public static final class NotYet extends EscrowException {
        private static final long serialVersionUID = 1L;

        /** Creates one. */
        public NotYet(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }
}
