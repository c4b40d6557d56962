// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a lender signs: the terms of one rental, for one use.
/// @dev The members are signed in this order, as typed data (EIP-712), so that a wallet shows each of them.
/// @param lender The account that is paid and whose signature opens the rental.
/// @param lane The lender's storage slot that the rental occupies while it is open. The lender numbers its lanes
/// freely.
/// @param sequence The number that the lane must have when the rental opens. It makes the offer good for one use.
/// @param renter The only account that may open the rental; it pays, and it receives the refund.
/// @param token The ERC-20 token of the deposit, or the zero address for the native coin.
/// @param arbiter Who decides a dispute; the zero address for nobody. Signed today so that offers need not change, not
/// yet read by the contract.
/// @param rate The price of one second, in the token's smallest unit.
/// @param start When the window starts, in seconds since 1970 (UTC).
/// @param duration The length of the window, in seconds; at least one.
/// @param grace For how many seconds from the start, the last one included, the renter may end without paying.
/// @param disputeWindow How many seconds after the window's end the lender waits for its payout if the renter is
/// silent.
/// @param expiry The last second, since 1970 (UTC), at which the offer may be opened.
/// @param spec A hash of whatever else the parties agreed on (the listing, the quote). Opaque to the contract.
struct Offer {
    address lender;
    uint64 lane;
    uint64 sequence;
    address renter;
    address token;
    address arbiter;
    uint96 rate;
    uint40 start;
    uint32 duration;
    uint32 grace;
    uint32 disputeWindow;
    uint40 expiry;
    bytes32 spec;
}
