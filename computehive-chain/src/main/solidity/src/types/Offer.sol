// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a lender signs: the terms of one rental, for one use.
/// @dev The members are signed in this order, as typed data (EIP-712), so that a wallet shows each of them. Calls carry
/// them packed, see {PackedOffer}. A share is in basis points, 10,000 being the whole, of the window's length or of the
/// bond; shares of a length are whole seconds, rounded down.
/// @param lender The account that is paid and whose signature opens the rental.
/// @param lane The lender's storage slot that the rental occupies while it is open. The lender numbers its lanes
/// freely.
/// @param sequence The number that the lane must have when the rental opens. It makes the offer good for one use.
/// @param renter The only account that may open the rental; it pays, and it receives the refund.
/// @param rate The price of one second, in the token's smallest unit.
/// @param token The ERC-20 token of the deposit and of both bonds, or the zero address for the native coin.
/// @param bond What the lender locks from its ledger account, in the token's smallest unit; zero for nothing.
/// @param arbiter Who decides a dispute; the zero address for nobody, and then there are no disputes.
/// @param disputeBond What a party locks to dispute, in the token's smallest unit; zero for nothing.
/// @param start When the window starts, in seconds since 1970 (UTC).
/// @param duration The length of the window, in seconds; at least one.
/// @param expiry The last second, since 1970 (UTC), at which the offer may be opened.
/// @param grace For how many seconds from the start, the last one included, the elapsed time is not paid for by a
/// renter who ends, and a lender who gives up is one who never started.
/// @param disputeWindow How many seconds a payout that the other party did not sign for waits for its objection.
/// @param notice Until so many seconds before the start, the last one included, either party calls off for nothing.
/// @param lateShare What a party that calls off later gives up at least: the renter of the window, the lender of the
/// bond.
/// @param noShowAfter So many seconds after the start the lender may report that the renter never came; zero for never.
/// @param noShowShare What a renter who never came pays at least, as a share of the window.
/// @param spec A hash of whatever else the parties agreed on (the listing, the quote). Opaque to the contract.
struct Offer {
    address lender;
    uint64 lane;
    uint32 sequence;
    address renter;
    uint96 rate;
    address token;
    uint96 bond;
    address arbiter;
    uint96 disputeBond;
    uint40 start;
    uint32 duration;
    uint40 expiry;
    uint24 grace;
    uint24 disputeWindow;
    uint32 notice;
    uint16 lateShare;
    uint32 noShowAfter;
    uint16 noShowShare;
    bytes32 spec;
}
