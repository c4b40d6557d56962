// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { LenderWord } from "../types/PackedOffer.sol";

/// @title Errors
/// @notice Every way in which the escrow refuses a call, with the values that offended.
library Errors {
    /*//////////////////////////////////////////////////////////////////////////
                                      OPENING
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Thrown when a window has no length.
    error DurationZero();

    /// @notice Thrown when a share is over the whole, 10,000 basis points.
    error ShareOverWhole(uint256 share);

    /// @notice Thrown when the caller is not the offer's renter.
    error CallerNotRenter(address caller, address renter);

    /// @notice Thrown when the offer's last second has passed.
    error OfferExpired(uint256 expiry, uint256 time);

    /// @notice Thrown when the offered window is over.
    error WindowOver(uint256 end, uint256 time);

    /// @notice Thrown when another rental is open on the lane.
    error LaneRented(address lender, uint64 lane, bytes32 key);

    /// @notice Thrown when the offer was used or cancelled, or is not yet the lane's turn.
    error SequenceMismatch(address lender, uint64 lane, uint256 expected, uint256 offered);

    /// @notice Thrown when an extension is not by the same parties in the same token, from the first one's end on.
    error NotAnExtension(bytes32 firstHash, bytes32 offerHash);

    /*//////////////////////////////////////////////////////////////////////////
                                      CLOSING
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Thrown when the offer is not the one open on its lane, or is in another phase.
    error NotOpen(LenderWord rental);

    /// @notice Thrown when the caller is neither the renter nor the lender.
    error CallerNotParty(address caller);

    /// @notice Thrown when the time lock still holds, or when a time to speak has not begun.
    error TooEarly(uint256 from, uint256 time);

    /// @notice Thrown when the time to speak is over.
    error TooLate(uint256 until, uint256 time);

    /// @notice Thrown when a receipt or a ruling speaks of more seconds than the window has.
    error UsedOverDuration(uint256 used, uint256 duration);

    /// @notice Thrown when a receipt is for less than the renter already owes, and the lender neither signed nor
    /// brought it.
    error ReceiptBelowAccrued(uint256 used, uint256 accrued);

    /*//////////////////////////////////////////////////////////////////////////
                                      DISPUTES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Thrown when the offer names nobody who could decide.
    error NoArbiter();

    /// @notice Thrown when the offer has no time after which a renter counts as one who never came.
    error NoShowNotAgreed();

    /// @notice Thrown when the caller is not the offer's arbiter.
    error CallerNotArbiter(address caller, address arbiter);

    /// @notice Thrown when the call is not for a rental in that phase.
    error WrongPhase(uint256 kind);

    /// @notice Thrown when a ruling takes more of a bond than there is.
    error OverBond(uint256 asked, uint256 bond);

    /*//////////////////////////////////////////////////////////////////////////
                                     SIGNATURES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Thrown when `signature` over `digest` is not `signer`'s, neither as a key's nor as a wallet contract's.
    error InvalidSignature(address signer, bytes32 digest);

    /*//////////////////////////////////////////////////////////////////////////
                                       MONEY
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Thrown when an amount of zero makes no sense.
    error AmountZero();

    /// @notice Thrown when native coin comes with a call that has no use for this much of it.
    error ValueMismatch(uint256 sent, uint256 needed);

    /// @notice Thrown when an account holds less than is asked of it.
    error InsufficientBalance(address token, address account, uint256 balance, uint256 needed);

    /// @notice Thrown when an account would hold more than 2^160 - 1, or is given more than 2^128 - 1 at once.
    error AmountTooLarge(uint256 amount);

    /// @notice Thrown when a withdrawal names a receiver that would lose the money.
    error InvalidReceiver(address to);

    /// @notice Thrown when a token moved another amount than was asked of it, as fee-on-transfer tokens do.
    error TransferInexact(address token, uint256 asked, uint256 moved);

    /// @notice Thrown when a receiver refuses native coin.
    error NativeTransferFailed(address to, uint256 amount);
}
