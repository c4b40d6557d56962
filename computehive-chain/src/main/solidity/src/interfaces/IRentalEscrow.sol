// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Outcome } from "../types/Outcome.sol";
import { LenderWord, PackedOffer } from "../types/PackedOffer.sol";
import { Phase } from "../types/Phase.sol";

/// @title IRentalEscrow
/// @notice Holds the rent of time windows until each rental is settled.
///
/// A lender signs an `Offer` off chain; the renter opens it and pays for the whole window; one of the ways of closing
/// splits the deposit between them. `paid + refunded == rate * duration` for every rental. What is paid and refunded is
/// credited to a ledger in the contract and withdrawn by its owner, so that no receiver can block anybody else.
///
/// Times are seconds since 1970 (UTC), lengths are seconds, amounts are in the token's smallest unit. The native coin
/// is the token with the address zero. `offerHash` is the EIP-712 digest of the offer everywhere, see `hashOffer`: what
/// parties sign and agree on. `rental` is the first word of the offer, its lender, lane and sequence, which name a
/// rental too: a lane is at a number once.
///
/// The contract has no owner, cannot be paused and cannot be changed. It trusts no token: one that moves another amount
/// than it is asked to is refused. Tokens whose balances change by themselves (rebasing ones) are the one kind that it
/// cannot serve: a shrinking balance is missing to whoever withdraws last.
///
/// What the renter owes if it ends at a time `t`, in seconds of the window:
/// - nothing, if `t <= start - notice`
/// - else the greater one of `lateShare` of the window, and of the seconds from the start to `t`, which are nothing
///   while `t <= start + grace` and at most `duration`
///
/// What a lender that gives everything back at a time `t` loses of its bond to the renter:
/// - nothing, if `t <= start - notice`
/// - else `lateShare` of it, if `t < start`
/// - else all of it, if `t <= start + grace`
/// - nothing later: the time is over in which the renter could report that the lender never started
/// @dev All hashes are under the EIP-712 domain {name: "ComputeHive RentalEscrow", version: "1", chainId,
/// verifyingContract}, with the chain's id of the moment. Signatures are 65 bytes (r, s, v) with s in the lower half,
/// or whatever the signer's contract accepts (ERC-1271); a key's is tried first.
///
/// The words of an offer, a phase and an outcome are laid out in {PackedOffer}, {Phase} and {Outcome}. A rental is
/// running until it is closed, unless a call says that it enters another phase; the calls after that one bring the
/// phase that its event told.
interface IRentalEscrow {
    /// @notice An ERC-2612 permit for this contract to pull `value` tokens.
    /// @param value The allowance that the owner signed, in the token's smallest unit.
    /// @param deadline Until when the permit is good, in seconds since 1970; zero means that there is none.
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       EVENTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Emitted when a rental opens. Carries every term, so that logs alone rebuild every rental.
    /// @param offerHash The digest of the offer.
    /// @param lender The lender, whose `offer.bond` is locked.
    /// @param renter The renter, who paid `offer.rate * offer.duration`.
    /// @param offer The terms.
    event Opened(bytes32 indexed offerHash, address indexed lender, address indexed renter, PackedOffer offer);

    /// @notice Emitted beside {Opened} when the rental was opened as the extension of another.
    /// @param firstHash The digest of the offer that is extended.
    /// @param offerHash The digest of the offer.
    event Extended(bytes32 indexed firstHash, bytes32 indexed offerHash);

    /// @notice Emitted when a party's word would close the rental unless the other objects in time: the lender ended it
    /// or reported that the renter never came, or the renter reported that the lender never started.
    /// @param rental The offer's first word: lender, lane and sequence.
    /// @param phase What the next call on the rental must bring.
    event Ended(LenderWord indexed rental, Phase phase);

    /// @notice Emitted when a rental freezes until its arbiter decides.
    /// @param rental The offer's first word: lender, lane and sequence.
    /// @param phase What the next call on the rental must bring.
    /// @param auditRoot The root hash of the audit log that holds the evidence.
    /// @param auditEntry The index of the first entry that is evidence in that log.
    event Disputed(LenderWord indexed rental, Phase phase, bytes32 auditRoot, uint64 auditEntry);

    /// @notice Emitted when a rental is closed.
    /// @param rental The offer's first word: lender, lane and sequence.
    /// @param outcome How much of the window is paid for, how much of each bond is lost, and which call closed it: 1
    /// `end` by the renter, 2 `settle` or `settleMany`, 3 `settleWithReceipt`, 4 `release`, 5 `settleEnded` for the
    /// lender, 6 `settleEnded` for the renter, 7 `resolve`, 8 `resolveSilent`, 9 `end` by the lender, who gives
    /// everything back.
    event Settled(LenderWord indexed rental, Outcome outcome);

    /// @notice Emitted when an account puts money into the ledger.
    /// @param token The token, or the zero address for the native coin.
    /// @param account Whose ledger account it is.
    /// @param amount How much, in the token's smallest unit.
    event Deposited(address indexed token, address indexed account, uint256 amount);

    /// @notice Emitted when an account takes money out of the ledger.
    /// @param token The token, or the zero address for the native coin.
    /// @param account Whose ledger account it is.
    /// @param to Who receives it.
    /// @param amount How much, in the token's smallest unit.
    event Withdrawn(address indexed token, address indexed account, address to, uint256 amount);

    /// @notice Emitted when a lender makes every signed offer for the present number of a lane worthless.
    /// @param lender The lender.
    /// @param lane The lender's number of the lane.
    /// @param sequence The lane's new number.
    event OffersCancelled(address indexed lender, uint64 indexed lane, uint64 sequence);

    /*//////////////////////////////////////////////////////////////////////////
                                      OPENING
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Opens a rental and locks `rate * duration` of the caller's, and `bond` of the lender's ledger account.
    ///
    /// Native coin: the caller sends at most the cost, and its ledger balance must cover what it does not send. Tokens:
    /// the ledger balance is used first, and the rest is pulled with `transferFrom`; no coin may be sent.
    ///
    /// A window that has begun may still be opened. It is paid from its start on, and so are its grace and its `end`.
    ///
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param lenderSignature The lender's signature over the offer's digest.
    /// @dev Emits {Opened}.
    ///
    /// Requirements:
    /// - the caller is `offer.renter`, `offer.duration` is at least 1, and no share is over 10,000
    /// - now <= `offer.expiry`, and now < `offer.start + offer.duration`
    /// - the lane is idle at `offer.sequence`
    /// - `lenderSignature` is the lender's over `hashOffer(offer)`
    /// - the lender's ledger account holds the bond
    /// - a token moves exactly what it is asked to
    function open(PackedOffer calldata offer, bytes calldata lenderSignature) external payable;

    /// @notice Opens a rental as `open` does, for a renter who signed that it consents. Anyone may call, and the native
    /// coin that is sent along is the caller's gift. What it does not cover is the renter's, from ledger and wallet.
    ///
    /// With a permit the renter's wallet needs no approval before. A permit that fails is ignored: somebody else may
    /// have used it first, which leaves the allowance that it gave.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param lenderSignature The lender's signature over the offer's digest.
    /// @param renterSignature The renter's signature over its consent; not looked at if the renter calls.
    /// @param permit An ERC-2612 permit to use before the pull; a deadline of zero for none.
    /// @dev Emits {Opened}.
    ///
    /// Requirements:
    /// - those of `open`, but for the caller: `renterSignature` is the renter's over `hashConsent(hashOffer(offer))`,
    /// or   the caller is the renter
    function openFor(
        PackedOffer calldata offer,
        bytes calldata lenderSignature,
        bytes calldata renterSignature,
        Permit calldata permit
    )
        external
        payable;

    /// @notice Opens a rental as `open` does that goes on where a running one ends. Both stay open, on lanes of their
    /// own, and close each by itself.
    ///
    /// The lender signs the pair, so that the second opens only while the first one runs.
    /// @param first The terms of the rental that is extended.
    /// @param offer The terms of the rental that follows.
    /// @param lenderSignature The lender's signature over the digest of the pair.
    /// @dev Emits {Opened} and {Extended}.
    ///
    /// Requirements:
    /// - those of `open`, but for the signature: `lenderSignature` is the lender's over
    ///   `hashExtension(hashOffer(first), hashOffer(offer))`
    /// - `first` is open and running, of the same lender, renter and token, and ends when `offer` starts
    function extend(
        PackedOffer calldata first,
        PackedOffer calldata offer,
        bytes calldata lenderSignature
    )
        external
        payable;

    /// @notice Moves an idle lane of the caller's to its next number: no offer signed for the present one can open.
    /// @param lane The lender's number of the lane.
    /// @dev Emits {OffersCancelled}.
    ///
    /// Requirements:
    /// - no rental is open on the lane
    function cancelOffers(uint64 lane) external;

    /*//////////////////////////////////////////////////////////////////////////
                                      CLOSING
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Ends the caller's running rental now.
    ///
    /// The renter pays what it owes, see above, and the rest is refunded at once.
    ///
    /// A lender that ends up to `grace` seconds after the start gives everything back at once, and loses of its bond
    /// what is said above. Later it shortens the rental: it claims the seconds since the start, and `settleEnded` pays
    /// them unless the renter disputes within `disputeWindow` seconds.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @dev Emits {Settled} with `how` = 1 for the renter and 9 for the lender, or {Ended}.
    ///
    /// Requirements:
    /// - the caller is `offer.renter` or `offer.lender`; the lender only before the window's end
    /// - the offer is open and running
    function end(PackedOffer calldata offer) external;

    /// @notice Reports that the other party is absent. It has `disputeWindow` seconds to dispute.
    ///
    /// The renter reports that the lender never started: `settleEnded` then refunds everything and gives the renter the
    /// lender's bond. The lender reports that the renter never came: `settleEnded` then pays the greater one of the
    /// seconds since the start and of `noShowShare`.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @dev Emits {Ended}.
    ///
    /// Requirements:
    /// - the offer is open and running, and names an arbiter
    /// - the caller is `offer.renter`, and `start <= now <= start + grace`; or it is `offer.lender`, `noShowAfter` is
    ///   not zero, and `start + noShowAfter <= now < start + duration`
    function reportNoShow(PackedOffer calldata offer) external;

    /// @notice Pays the lender in full, once the dispute window is over. Anyone may call.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @dev Emits {Settled} with `how` = 2.
    ///
    /// Requirements:
    /// - now >= `offer.start + offer.duration + offer.disputeWindow`
    /// - the offer is open and running
    function settle(PackedOffer calldata offer) external;

    /// @notice Settles as `settle` does whichever of the offers it can, and passes over the others. Anyone may call.
    /// @param offers The terms of each rental.
    /// @return settled How many it closed.
    /// @dev Emits {Settled} with `how` = 2 for each.
    function settleMany(PackedOffer[] calldata offers) external returns (uint256 settled);

    /// @notice Closes a rental as `end` by the lender or `reportNoShow` said, once nobody may object any more. Anyone
    /// may call then, and the party that could object may before.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase The phase that the rental is in: what its last event told, zero while it runs.
    /// @dev Emits {Settled} with `how` = 5 or 6.
    ///
    /// Requirements:
    /// - now >= `phase.at + offer.disputeWindow`; or the caller is the one whom the phase is held against
    /// - the offer is open in `phase`, which {Ended} told
    function settleEnded(PackedOffer calldata offer, Phase phase) external;

    /// @notice Pays the lender for the seconds that both parties agreed on, at once, and refunds the rest. Anyone may
    /// call.
    ///
    /// Both sign the same receipt. The renter's signature is always needed. The lender agrees by its signature or by
    /// being the caller, and is not asked if it is paid no less than by `end` now, or than it claimed when it ended.
    /// For less it must be: a renter could sign itself a receipt over nothing after it used the whole window.
    ///
    /// A signed receipt is good until the rental is closed, and there is no order among receipts for one rental. So
    /// neither party should sign two, and whoever signs first leaves it to the other when to use it: a lender signs
    /// for less than the window only after the renter's access is over.
    ///
    /// The lender's bond is given back.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase The phase that the rental is in: what its last event told, zero while it runs.
    /// @param used How many seconds of the window are paid for.
    /// @param renterSignature The renter's signature over the receipt.
    /// @param lenderSignature The lender's signature over the receipt, or nothing.
    /// @dev Emits {Settled} with `how` = 3.
    ///
    /// Requirements:
    /// - `used` <= `offer.duration`
    /// - the offer is open in `phase`, and not disputed
    /// - `renterSignature` is the renter's over `hashReceipt(hashOffer(offer), used)`
    /// - `lenderSignature` is the lender's over the same; or it is empty (which counts as none, even if a wallet
    ///   contract accepts it), and then the caller is `offer.lender`, or `used` is at least the seconds that `end`
    ///   would make the renter pay now, or that the lender claimed
    function settleWithReceipt(
        PackedOffer calldata offer,
        Phase phase,
        uint32 used,
        bytes calldata renterSignature,
        bytes calldata lenderSignature
    )
        external;

    /// @notice Refunds everything, because the lender signed that it shall be so. Anyone may call. Of its bond the
    /// lender loses what is said above, and all of it if the renter reported that it never started.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase The phase that the rental is in: what its last event told, zero while it runs.
    /// @param lenderSignature The lender's signature over its release.
    /// @dev Emits {Settled} with `how` = 4.
    ///
    /// Requirements:
    /// - the offer is open in `phase`, and not disputed
    /// - `lenderSignature` is the lender's over `hashRelease(hashOffer(offer))`
    function release(PackedOffer calldata offer, Phase phase, bytes calldata lenderSignature) external;

    /*//////////////////////////////////////////////////////////////////////////
                                      DISPUTES
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Freezes a rental until its arbiter decides, and locks `disputeBond` of the caller's, paid as the cost is
    /// by `open`.
    ///
    /// The renter disputes a running rental, or one that the lender ended; the lender disputes the report that it never
    /// started.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase The phase that the rental is in: what its last event told, zero while it runs.
    /// @param auditRoot The root hash of the audit log that holds the evidence.
    /// @param auditEntry The index of the first entry that is evidence in that log.
    /// @dev Emits {Disputed}.
    ///
    /// Requirements:
    /// - the offer names an arbiter, and is open in `phase`
    /// - the caller is the one who may object: before `start + duration + disputeWindow` if running, else before
    ///   `phase.at + disputeWindow`
    function dispute(PackedOffer calldata offer, Phase phase, bytes32 auditRoot, uint64 auditEntry) external payable;

    /// @notice Closes a disputed rental as its arbiter decides.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase The phase that the rental is in: what its last event told, zero while it runs.
    /// @param used For how many seconds of the window the renter pays.
    /// @param slash How much of the lender's bond goes to the renter.
    /// @param forfeit How much of the bond of the one who disputed goes to the other party.
    /// @dev Emits {Settled} with `how` = 7.
    ///
    /// Requirements:
    /// - the caller is `offer.arbiter`, and the offer is open in `phase`, which {Disputed} told
    /// - `used` <= `duration`, `slash` <= `bond`, `forfeit` <= `disputeBond`
    function resolve(PackedOffer calldata offer, Phase phase, uint32 used, uint96 slash, uint96 forfeit) external;

    /// @notice Closes a disputed rental whose arbiter was silent for seven days. Anyone may call.
    ///
    /// A rental that was running is paid for up to the dispute, as if the renter had ended it then. One that the lender
    /// ended is paid for up to its end, and no more than the lender claimed. One whose lender was reported absent is
    /// not paid for. All bonds are given back.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase The phase that the rental is in: what its last event told, zero while it runs.
    /// @dev Emits {Settled} with `how` = 8.
    ///
    /// Requirements:
    /// - now >= `phase.at` + 7 days
    /// - the offer is open in `phase`, which {Disputed} told
    function resolveSilent(PackedOffer calldata offer, Phase phase) external;

    /*//////////////////////////////////////////////////////////////////////////
                                       LEDGER
    //////////////////////////////////////////////////////////////////////////*/

    /// @notice Puts `amount` into the caller's ledger account, as native coin sent along or pulled with `transferFrom`.
    /// @param token The token, or the zero address for the native coin.
    /// @param amount How much, in the token's smallest unit.
    /// @dev Emits {Deposited}.
    ///
    /// Requirements:
    /// - `amount` is not zero, and at most 2^128 - 1
    /// - native coin sent is exactly `amount` for the native coin and zero for a token
    /// - a token moves exactly `amount`
    function deposit(address token, uint256 amount) external payable;

    /// @notice Takes `amount` out of the caller's ledger account and sends it to `to`.
    /// @param token The token, or the zero address for the native coin.
    /// @param amount How much, in the token's smallest unit.
    /// @param to Who receives it.
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
    /// @param token The token, or the zero address for the native coin.
    /// @param account Whose ledger account it is.
    function balanceOf(address token, address account) external view returns (uint256);

    /// @notice What became of the rentals in `token` that `account` was the lender of and that paid it something, gave
    /// it back a bond or were decided. A counter that reaches its greatest value stays there.
    /// @param token The token, or the zero address for the native coin.
    /// @param account Whose ledger account it is.
    /// @return secondsServed The seconds that renters paid for.
    /// @return settled The rentals with at least one such second.
    /// @return disputed The rentals that an arbiter decided, or failed to.
    /// @return slashed The rentals that cost it some of its bond.
    function recordOf(
        address token,
        address account
    )
        external
        view
        returns (uint256 secondsServed, uint256 settled, uint256 disputed, uint256 slashed);

    /// @notice The state of a lane.
    /// @param lender The lender.
    /// @param lane The lender's number of the lane.
    /// @return rented Whether a rental is open on it.
    /// @return sequence The number that the next offer must have, if idle; else zero.
    /// @return key If rented, `keccak256(abi.encode(offer))` of the open offer while it is running, and later
    /// `keccak256(abi.encode(offer, phase))`; else zero.
    function laneState(address lender, uint64 lane) external view returns (bool rented, uint64 sequence, bytes32 key);

    /// @notice The EIP-712 digest of an offer: what the lender signs, and the name of the rental everywhere.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @return digest What is to be signed.
    function hashOffer(PackedOffer calldata offer) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest of `Receipt(bytes32 offerHash,uint32 used)`: what renter and lender sign.
    /// @param offerHash The digest of the offer.
    /// @param used How many seconds of the window the parties agree on.
    /// @return digest What is to be signed.
    function hashReceipt(bytes32 offerHash, uint32 used) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest of `Release(bytes32 offerHash)`: what the lender signs to give everything back.
    /// @param offerHash The digest of the offer.
    /// @return digest What is to be signed.
    function hashRelease(bytes32 offerHash) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest of `Consent(bytes32 offerHash)`: what the renter signs to have the offer opened for
    /// it.
    /// @param offerHash The digest of the offer.
    /// @return digest What is to be signed.
    function hashConsent(bytes32 offerHash) external view returns (bytes32 digest);

    /// @notice The EIP-712 digest of `Extension(bytes32 firstHash,bytes32 offerHash)`: what the lender signs to have
    /// its offer opened while the first one runs.
    /// @param firstHash The digest of the offer that is extended.
    /// @param offerHash The digest of the offer.
    /// @return digest What is to be signed.
    function hashExtension(bytes32 firstHash, bytes32 offerHash) external view returns (bytes32 digest);
}
