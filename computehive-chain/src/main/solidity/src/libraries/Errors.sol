// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Errors
/// @notice Every way in which the escrow refuses a call, with the values that offended.
library Errors {
    /*//////////////////////////////////////////////////////////////////////////
                                      OPENING
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Thrown when a window has no length.
    error DurationZero();

    /// @notice Thrown when the caller is not the offer's renter.
    error CallerNotRenter(address caller, address renter);

    /// @notice Thrown when the offer's last second has passed.
    error OfferExpired(uint40 expiry, uint256 time);

    /// @notice Thrown when the offered window is over.
    error WindowOver(uint256 end, uint256 time);

    /// @notice Thrown when another rental is open on the lane.
    error LaneRented(address lender, uint64 lane, bytes32 offerHash);

    /// @notice Thrown when the offer was used or cancelled, or is not yet the lane's turn.
    error SequenceMismatch(address lender, uint64 lane, uint64 expected, uint64 offered);

    /*//////////////////////////////////////////////////////////////////////////
                                      CLOSING
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Thrown when the offer is not the one open on its lane.
    error NotOpen(bytes32 offerHash);

    /// @notice Thrown when the time lock still holds.
    error TooEarly(uint256 from, uint256 time);

    /// @notice Thrown when a receipt speaks of more seconds than the window has.
    error UsedOverDuration(uint32 used, uint32 duration);

    /// @notice Thrown when a receipt is for less than the renter already owes, and the lender neither signed nor
    /// brought it.
    error ReceiptBelowAccrued(uint32 used, uint32 accrued);

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

    /// @notice Thrown when a withdrawal names a receiver that would lose the money.
    error InvalidReceiver(address to);

    /// @notice Thrown when a token moved another amount than was asked of it, as fee-on-transfer tokens do.
    error TransferInexact(address token, uint256 asked, uint256 moved);

    /// @notice Thrown when a receiver refuses native coin.
    error NativeTransferFailed(address to, uint256 amount);
}
