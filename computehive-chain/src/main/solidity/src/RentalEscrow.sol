// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { LowLevelCall } from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { IRentalEscrow } from "./interfaces/IRentalEscrow.sol";
import { Errors } from "./libraries/Errors.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { Account } from "./types/Account.sol";
import { LaneState, idle, rented } from "./types/LaneState.sol";
import { Offer } from "./types/Offer.sol";

/// @title RentalEscrow
/// @notice See the documentation in {IRentalEscrow}.
contract RentalEscrow is IRentalEscrow, EIP712, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /*//////////////////////////////////////////////////////////////////////////
                                      CONSTANTS
    //////////////////////////////////////////////////////////////////////////*/

    address private constant NATIVE = address(0);

    uint8 private constant BY_END = 1;
    uint8 private constant BY_TIME = 2;
    uint8 private constant BY_RECEIPT = 3;
    uint8 private constant BY_RELEASE = 4;

    /*//////////////////////////////////////////////////////////////////////////
                                       STATE
    //////////////////////////////////////////////////////////////////////////*/

    mapping(address lender => mapping(uint64 lane => LaneState state)) private _lanes;

    mapping(address token => mapping(address account => Account entry)) private _accounts;

    constructor() EIP712("ComputeHive RentalEscrow", "1") { }

    /*//////////////////////////////////////////////////////////////////////////
                                      READING
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function balanceOf(address token, address account) external view override returns (uint256) {
        return _accounts[token][account].balance;
    }

    /// @inheritdoc IRentalEscrow
    function laneState(
        address lender,
        uint64 lane
    )
        external
        view
        override
        returns (bool isRented, uint64 sequence, bytes32 offerHash)
    {
        LaneState state = _lanes[lender][lane];
        if (state.isRented()) {
            return (true, 0, _hashTypedDataV4(state.structHash()));
        }
        return (false, state.sequence(), 0);
    }

    /// @inheritdoc IRentalEscrow
    function hashOffer(Offer calldata offer) external view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofOffer(offer));
    }

    /// @inheritdoc IRentalEscrow
    function hashReceipt(bytes32 offerHash, uint32 used) external view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofReceipt(offerHash, used));
    }

    /// @inheritdoc IRentalEscrow
    function hashRelease(bytes32 offerHash) external view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofRelease(offerHash));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      RENTALS
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function open(Offer calldata offer, bytes calldata lenderSignature) external payable override {
        // Check: the caller pays for itself only.
        require(msg.sender == offer.renter, Errors.CallerNotRenter(msg.sender, offer.renter));

        // Check: there is a window, and time is left of it.
        require(offer.duration > 0, Errors.DurationZero());
        require(block.timestamp <= offer.expiry, Errors.OfferExpired(offer.expiry, block.timestamp));
        uint256 windowEnd = uint256(offer.start) + offer.duration;
        require(block.timestamp < windowEnd, Errors.WindowOver(windowEnd, block.timestamp));

        // Check: the lane waits for this very offer.
        LaneState state = _lanes[offer.lender][offer.lane];
        if (!state.isIdleAt(offer.sequence)) {
            _revertBusy(offer, state);
        }

        // Check: the lender agreed. A wallet contract is asked by a static call and can change nothing.
        bytes memory encoded = TypedHash.encode(offer);
        bytes32 structHash = keccak256(encoded);
        bytes32 offerHash = _hashTypedDataV4(structHash);
        _checkSignature(offer.lender, offerHash, lenderSignature);

        // Effect: occupy the lane.
        _lanes[offer.lender][offer.lane] = rented(structHash);

        // Effect: take from the ledger what the wallet does not pay.
        uint128 cost = _cost(offer.rate, offer.duration);
        uint128 fromWallet = offer.token == NATIVE ? _debitBesideValue(cost) : _debitFirst(offer.token, cost);

        // Log: before the interaction, so that events of a reentering token come in the order of the effects.
        _logOpened(offerHash, offer.lender, offer.renter, encoded);

        // Interaction: pull the rest. Native coin came with the call.
        if (offer.token != NATIVE && fromWallet > 0) {
            _pull(offer.token, fromWallet);
        }
    }

    /// @inheritdoc IRentalEscrow
    function end(Offer calldata offer) external override {
        // Check: the caller is the renter.
        require(msg.sender == offer.renter, Errors.CallerNotRenter(msg.sender, offer.renter));

        // Checks and effects: the rental is open; close it.
        (bytes32 structHash, bytes32 offerHash) = _hashes(offer);
        _close(offer, structHash, offerHash, _accrued(offer), BY_END);
    }

    /// @inheritdoc IRentalEscrow
    function settle(Offer calldata offer) external override {
        // Check: the time lock is over.
        uint256 from = uint256(offer.start) + offer.duration + offer.disputeWindow;
        require(block.timestamp >= from, Errors.TooEarly(from, block.timestamp));

        // Checks and effects: the rental is open; close it.
        (bytes32 structHash, bytes32 offerHash) = _hashes(offer);
        _close(offer, structHash, offerHash, offer.duration, BY_TIME);
    }

    /// @inheritdoc IRentalEscrow
    function settleWithReceipt(
        Offer calldata offer,
        uint32 used,
        bytes calldata renterSignature,
        bytes calldata lenderSignature
    )
        external
        override
    {
        // Check: the receipt stays within the window.
        require(used <= offer.duration, Errors.UsedOverDuration(used, offer.duration));

        // Check: the renter agreed.
        (bytes32 structHash, bytes32 offerHash) = _hashes(offer);
        bytes32 digest = _hashTypedDataV4(TypedHash.ofReceipt(offerHash, used));
        _checkSignature(offer.renter, digest, renterSignature);

        // Check: the lender agreed, or is paid no less than by `end`: the renter writes itself no cheaper one.
        if (lenderSignature.length > 0) {
            _checkSignature(offer.lender, digest, lenderSignature);
        } else if (msg.sender != offer.lender) {
            uint32 accrued = _accrued(offer);
            require(used >= accrued, Errors.ReceiptBelowAccrued(used, accrued));
        }

        // Checks and effects: the rental is open; close it.
        _close(offer, structHash, offerHash, used, BY_RECEIPT);
    }

    /// @inheritdoc IRentalEscrow
    function release(Offer calldata offer, bytes calldata lenderSignature) external override {
        // Check: the lender agreed.
        (bytes32 structHash, bytes32 offerHash) = _hashes(offer);
        _checkSignature(offer.lender, _hashTypedDataV4(TypedHash.ofRelease(offerHash)), lenderSignature);

        // Checks and effects: the rental is open; close it.
        _close(offer, structHash, offerHash, 0, BY_RELEASE);
    }

    /// @inheritdoc IRentalEscrow
    function cancelOffers(uint64 lane) external override {
        // Check: the lane is idle.
        LaneState state = _lanes[msg.sender][lane];
        if (state.isRented()) {
            revert Errors.LaneRented(msg.sender, lane, _hashTypedDataV4(state.structHash()));
        }

        // Effect: take the next number.
        uint64 next = state.sequence() + 1;
        _lanes[msg.sender][lane] = idle(next);

        emit OffersCancelled(msg.sender, lane, next);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       LEDGER
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function deposit(address token, uint256 amount) external payable override {
        // Check: there is something to deposit, and no coin beside it.
        require(amount > 0, Errors.AmountZero());
        uint256 value = token == NATIVE ? amount : 0;
        require(msg.value == value, Errors.ValueMismatch(msg.value, value));

        // Effect: credit the account. Nothing can spend it before the pull below is proved exact: every way out of the
        // ledger that moves tokens shares the pull's lock.
        _credit(token, msg.sender, amount.toUint128());

        emit Deposited(token, msg.sender, amount);

        // Interaction: pull the tokens.
        if (token != NATIVE) {
            _pull(token, amount);
        }
    }

    /// @inheritdoc IRentalEscrow
    function withdraw(address token, uint256 amount, address to) external override {
        // Check: there is something to withdraw, and somebody to receive it.
        require(amount > 0, Errors.AmountZero());
        require(to != address(0) && to != address(this), Errors.InvalidReceiver(to));

        // Check and effect: debit the account.
        Account storage account = _accounts[token][msg.sender];
        uint248 balance = account.balance;
        require(amount <= balance, Errors.InsufficientBalance(token, msg.sender, balance, amount));
        account.balance = balance - amount.toUint248();

        emit Withdrawn(token, msg.sender, to, amount);

        // Interaction: send the money.
        if (token == NATIVE) {
            require(LowLevelCall.callNoReturn(to, amount, ""), Errors.NativeTransferFailed(to, amount));
        } else {
            _push(token, amount, to);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      CLOSING
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Closes an open rental: the only place where locked money is shared out. Calls nobody.
    function _close(Offer calldata offer, bytes32 structHash, bytes32 offerHash, uint32 used, uint8 how) private {
        // Check: the offer is the one open on its lane.
        require(_lanes[offer.lender][offer.lane].isRentedAs(structHash), Errors.NotOpen(offerHash));

        // Effect: free the lane for the next number.
        _lanes[offer.lender][offer.lane] = idle(offer.sequence + 1);

        // Effect: share the deposit.
        uint128 paid = _cost(offer.rate, used);
        uint128 refunded = _cost(offer.rate, offer.duration) - paid;
        _credit(offer.token, offer.lender, paid);
        _credit(offer.token, offer.renter, refunded);

        emit Settled(offerHash, offer.lender, offer.renter, paid, refunded, used, how);
    }

    /// @dev The seconds that the renter owes if it ends now. Terms such as a share for cancelling late belong here.
    function _accrued(Offer calldata offer) private view returns (uint32) {
        if (block.timestamp <= uint256(offer.start) + offer.grace) {
            return 0;
        }
        uint256 elapsed = block.timestamp - offer.start;
        // forge-lint: disable-next-line(unsafe-typecast)
        return elapsed < offer.duration ? uint32(elapsed) : offer.duration;
    }

    /// @dev `rate * time` cannot overflow: 96 and 32 bits make 128.
    function _cost(uint96 rate, uint32 time) private pure returns (uint128) {
        unchecked {
            return uint128(rate) * time;
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       CHECKS
    //////////////////////////////////////////////////////////////////////////*/

    function _hashes(Offer calldata offer) private view returns (bytes32 structHash, bytes32 offerHash) {
        structHash = TypedHash.ofOffer(offer);
        offerHash = _hashTypedDataV4(structHash);
    }

    /// @dev A key's signature is tried first, since an account may have both a key and code (EIP-7702).
    function _checkSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == signer) {
            return;
        }
        require(
            signer.code.length > 0 && SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature),
            Errors.InvalidSignature(signer, digest)
        );
    }

    /// @dev Emits {Opened} from the words that were hashed before, instead of encoding the offer a second time: they
    /// are the length of `encoded`, the type hash, and the 13 members just as the event has them.
    function _logOpened(bytes32 offerHash, address lender, address renter, bytes memory encoded) private {
        bytes32 topic = Opened.selector;
        assembly ("memory-safe") {
            log4(add(encoded, 0x40), sub(mload(encoded), 0x20), topic, offerHash, lender, renter)
        }
    }

    /// @dev Says why a lane cannot take an offer.
    function _revertBusy(Offer calldata offer, LaneState state) private view {
        if (state.isRented()) {
            revert Errors.LaneRented(offer.lender, offer.lane, _hashTypedDataV4(state.structHash()));
        }
        revert Errors.SequenceMismatch(offer.lender, offer.lane, state.sequence(), offer.sequence);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       MONEY
    //////////////////////////////////////////////////////////////////////////*/

    function _credit(address token, address account, uint128 amount) private {
        if (amount == 0) return;
        Account storage entry = _accounts[token][account];
        entry.balance += amount;
        entry.used = true;
    }

    /// @dev Native coin: the caller chose by `msg.value` how much the ledger pays. A fixed share of the ledger's
    /// cannot be upset by a refund that somebody triggers just before.
    function _debitBesideValue(uint128 cost) private returns (uint128 fromWallet) {
        // Check: no excess is sent.
        require(msg.value <= cost, Errors.ValueMismatch(msg.value, cost));
        fromWallet = msg.value.toUint128();

        // Check and effect: the ledger covers the rest.
        uint128 needed = cost - fromWallet;
        if (needed > 0) {
            Account storage entry = _accounts[NATIVE][msg.sender];
            uint248 balance = entry.balance;
            require(needed <= balance, Errors.InsufficientBalance(NATIVE, msg.sender, balance, needed));
            entry.balance = balance - needed;
        }
    }

    /// @dev Tokens: the ledger pays what it can.
    function _debitFirst(address token, uint128 cost) private returns (uint128 fromWallet) {
        // Check: no coin is sent beside a token.
        require(msg.value == 0, Errors.ValueMismatch(msg.value, 0));

        // Effect: debit the ledger.
        Account storage entry = _accounts[token][msg.sender];
        uint248 balance = entry.balance;
        if (balance >= cost) {
            entry.balance = balance - cost;
            return 0;
        }
        if (balance > 0) {
            entry.balance = 0;
        }
        return cost - uint256(balance).toUint128();
    }

    /// @dev Pulls tokens from the caller and demands that exactly `amount` arrives. The lock keeps a token that calls
    /// back from having one arrival counted twice.
    function _pull(address token, uint256 amount) private nonReentrant {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 moved = _difference(IERC20(token).balanceOf(address(this)), before);
        require(moved == amount, Errors.TransferInexact(token, amount, moved));
    }

    /// @dev Sends tokens and demands that exactly `amount` leaves: a token that takes a fee on top would take it from
    /// the other accounts.
    function _push(address token, uint256 amount, address to) private nonReentrant {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransfer(to, amount);
        uint256 moved = _difference(before, IERC20(token).balanceOf(address(this)));
        require(moved == amount, Errors.TransferInexact(token, amount, moved));
    }

    /// @dev `more - less`, or zero if a token moved the wrong way.
    function _difference(uint256 more, uint256 less) private pure returns (uint256) {
        return more > less ? more - less : 0;
    }
}
