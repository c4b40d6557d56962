// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Offer } from "../types/Offer.sol";

/// @title IRentalEscrow
/// @notice Holds the rent of time windows until each rental is settled.
///
/// A lender signs an `Offer` off chain; the renter opens it and pays for the whole window; one of four ways of closing
/// splits the deposit between them. `paid + refunded == rate * duration` for every rental. What is paid and refunded is
/// credited to a ledger in the contract and withdrawn by its owner, so that no receiver can block anybody else.
///
/// Times are seconds since 1970 (UTC), lengths are seconds, amounts are in the token's smallest unit. The native coin
/// is the token with the address zero. `offerHash` is the EIP-712 digest of the offer everywhere, see `hashOffer`.
///
/// The contract has no owner, cannot be paused and cannot be changed. It trusts no token: one that moves another amount
/// than it is asked to is refused. Tokens whose balances change by themselves (rebasing ones) are the one kind that it
/// cannot serve: a shrinking balance is missing to whoever withdraws last.
/// @dev All hashes are under the EIP-712 domain {name: "ComputeHive RentalEscrow", version: "1", chainId,
/// verifyingContract}, with the chain's id of the moment. Signatures are 65 bytes (r, s, v) with s in the lower half,
/// or whatever the signer's contract accepts (ERC-1271).
interface IRentalEscrow {
    /*//////////////////////////////////////////////////////////////////////////
                                       EVENTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Emitted when a rental opens. Carries every term, so that logs alone rebuild every rental.
    /// @param offerHash The digest of the offer.
    /// @param lender The lender.
    /// @param renter The renter, who paid `offer.rate * offer.duration`.
    /// @param offer The terms.
    event Opened(bytes32 indexed offerHash, address indexed lender, address indexed renter, Offer offer);

    /// @notice Emitted when a rental is closed; `paid + refunded == rate * duration`.
    /// @param offerHash The digest of the offer.
    /// @param lender The lender.
    /// @param renter The renter.
    /// @param paid What the lender was credited with.
    /// @param refunded What the renter was credited with.
    /// @param used The seconds paid for.
    /// @param how Which call closed it: 1 `end`, 2 `settle`, 3 `settleWithReceipt`, 4 `release`.
    event Settled(
        bytes32 indexed offerHash,
        address indexed lender,
        address indexed renter,
        uint256 paid,
        uint256 refunded,
        uint32 used,
        uint8 how
    );

    /// @notice Emitted when an account puts money into the ledger.
    event Deposited(address indexed token, address indexed account, uint256 amount);

    /// @notice Emitted when an account takes money out of the ledger.
    event Withdrawn(address indexed token, address indexed account, address to, uint256 amount);

    /// @notice Emitted when a lender makes every signed offer for the present number of a lane worthless.
    /// @param sequence The lane's new number.
    event OffersCancelled(address indexed lender, uint64 indexed lane, uint64 sequence);

    /*//////////////////////////////////////////////////////////////////////////
                                      RENTALS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Opens a rental and locks `rate * duration` of the caller's.
    ///
    /// Native coin: the caller sends at most the cost, and its ledger balance must cover what it does not send. Tokens:
    /// the ledger balance is used first, and the rest is pulled with `transferFrom`; no coin may be sent.
    ///
    /// A window that has begun may still be opened. It is paid from its start on, and so are its grace and its `end`.
    ///
    /// @dev Emits {Opened}.
    ///
    /// Requirements:
    /// - the caller is `offer.renter`, and `offer.duration` is at least 1
    /// - now <= `offer.expiry`, and now < `offer.start + offer.duration`
    /// - the lane is idle at `offer.sequence`
    /// - `lenderSignature` is the lender's over `hashOffer(offer)`
    /// - a token moves exactly what it is asked to
    function open(Offer calldata offer, bytes calldata lenderSignature) external payable;

    /// @notice Ends the caller's rental now. Before the start and up to `grace` seconds after it, the renter pays
    /// nothing; later it pays `rate` for each second since the start, at most `duration` of them. The rest is refunded.
    /// @dev Emits {Settled} with `how` = 1.
    ///
    /// Requirements:
    /// - the caller is `offer.renter`
    /// - the offer is open
    function end(Offer calldata offer) external;

    /// @notice Pays the lender in full, once the dispute window is over. Anyone may call.
    /// @dev Emits {Settled} with `how` = 2.
    ///
    /// Requirements:
    /// - now >= `offer.start + offer.duration + offer.disputeWindow`
    /// - the offer is open
    function settle(Offer calldata offer) external;

    /// @notice Pays the lender for the seconds that both parties agreed on, at once, and refunds the rest. Anyone may
    /// call.
    ///
    /// Both sign the same receipt. The renter's signature is always needed. The lender agrees by its signature or by
    /// being the caller, and is not asked if it is paid no less than by `end` now. For less it must be: a renter could
    /// sign itself a receipt over nothing after it used the whole window.
    ///
    /// A signed receipt is good until the rental is closed, and there is no order among receipts for one rental. So
    /// neither party should sign two, and whoever signs first leaves it to the other when to use it: a lender signs
    /// for less than the window only after the renter's access is over.
    ///
    /// @dev Emits {Settled} with `how` = 3.
    ///
    /// Requirements:
    /// - `used` <= `offer.duration`
    /// - the offer is open
    /// - `renterSignature` is the renter's over `hashReceipt(hashOffer(offer), used)`
    /// - `lenderSignature` is the lender's over the same; or it is empty (which counts as none, even if a wallet
    ///   contract accepts it), and then the caller is `offer.lender`, or `used` is at least the seconds that `end`
    ///   would make the renter pay now
    function settleWithReceipt(
        Offer calldata offer,
        uint32 used,
        bytes calldata renterSignature,
        bytes calldata lenderSignature
    )
        external;

    /// @notice Refunds everything, because the lender signed that it shall be so. Anyone may call.
    /// @dev Emits {Settled} with `how` = 4.
    ///
    /// Requirements:
    /// - the offer is open
    /// - `lenderSignature` is the lender's over `hashRelease(hashOffer(offer))`
    function release(Offer calldata offer, bytes calldata lenderSignature) external;

    /// @notice Moves an idle lane of the caller's to its next number: no offer signed for the present one can open.
    /// @dev Emits {OffersCancelled}.
    ///
    /// Requirements:
    /// - no rental is open on the lane
    function cancelOffers(uint64 lane) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       LEDGER
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Puts `amount` into the caller's ledger account, as native coin sent along or pulled with `transferFrom`.
    /// @dev Emits {Deposited}.
    ///
    /// Requirements:
    /// - `amount` is not zero
    /// - native coin sent is exactly `amount` for the native coin and zero for a token
    /// - a token moves exactly `amount`
    function deposit(address token, uint256 amount) external payable;

    /// @notice Takes `amount` out of the caller's ledger account and sends it to `to`.
    /// @dev Emits {Withdrawn}.
    ///
    /// Requirements:
    /// - `amount` is not zero, and the caller's balance covers it
    /// - `to` is neither the zero address nor this contract, and accepts the transfer
    /// - a token takes exactly `amount` from this contract
    function withdraw(address token, uint256 amount, address to) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       READING
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice What `account` may withdraw of `token`.
    function balanceOf(address token, address account) external view returns (uint256);

    /// @notice The state of a lane.
    /// @return rented Whether a rental is open on it.
    /// @return sequence The number that the next offer must have, if idle; else zero.
    /// @return offerHash The digest of the open offer, if rented; else zero.
    function laneState(
        address lender,
        uint64 lane
    )
        external
        view
        returns (bool rented, uint64 sequence, bytes32 offerHash);

    /// @notice The EIP-712 digest of an offer: what the lender signs, and the name of the rental everywhere.
    function hashOffer(Offer calldata offer) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest of `Receipt(bytes32 offerHash,uint32 used)`: what renter and lender sign.
    function hashReceipt(bytes32 offerHash, uint32 used) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest of `Release(bytes32 offerHash)`: what the lender signs to give everything back.
    function hashRelease(bytes32 offerHash) external view returns (bytes32 digest);
}
