// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";

import { Store } from "../stores/Store.sol";
import { DevToken } from "../../../dev/DevToken.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../../../src/types/Offer.sol";
import { pack } from "../../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../../src/types/Phase.sol";

/// @dev Walks the escrow at random: every call it expects to work must work, every other must fail.
contract EscrowHandler is Test {
    uint64 internal constant LANES = 2;
    address internal constant ARBITER = address(0xa4b1);

    IRentalEscrow public immutable ESCROW;
    DevToken public immutable TOKEN;
    Store public immutable STORE;

    address[] public parties;
    mapping(address party => uint256 key) internal _keys;

    constructor(IRentalEscrow escrow, DevToken token, Store store) {
        (ESCROW, TOKEN, STORE) = (escrow, token, store);
        string[4] memory names = ["ann", "ben", "cid", "dot"];
        for (uint256 i = 0; i < names.length; i++) {
            (address party, uint256 key) = makeAddrAndKey(names[i]);
            parties.push(party);
            _keys[party] = key;
            vm.prank(party);
            token.approve(address(escrow), type(uint256).max);
        }
    }

    function partyCount() external view returns (uint256) {
        return parties.length;
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       CALLS
    //////////////////////////////////////////////////////////////////////////*/

    function passTime(uint256 seconds_) external counted("passTime") {
        vm.warp(vm.getBlockTimestamp() + bound(seconds_, 1, 4 hours));
    }

    function open(
        Offer memory offer,
        uint256 lenderSeed,
        uint256 renterSeed,
        bool native,
        uint256 share
    )
        external
        counted("open")
    {
        offer.lender = parties[lenderSeed % 2];
        offer.renter = parties[renterSeed % parties.length]; // may be the lender itself
        offer.token = native ? address(0) : address(TOKEN);
        _boundTerms(offer);
        _openOrFail(offer, share);
    }

    function end(uint256 seed) external counted("end") {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        uint256 used = _owed(offer);
        _before(offer);
        vm.prank(offer.renter);
        ESCROW.end(pack(offer));
        _after(index, offer, Closing(used, 0, 0, true, false));
    }

    function settle(uint256 seed, uint256 callerSeed) external counted("settle") {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        address caller = parties[callerSeed % parties.length];
        if (vm.getBlockTimestamp() < uint256(offer.start) + offer.duration + offer.disputeWindow) {
            _mustFail(caller, 0, abi.encodeCall(ESCROW.settle, (pack(offer))));
            return;
        }
        _before(offer);
        vm.prank(caller);
        ESCROW.settle(pack(offer));
        _after(index, offer, Closing(offer.duration, 0, 0, false, false));
    }

    function settleWithReceipt(
        uint256 seed,
        uint256 callerSeed,
        uint32 used,
        bool lenderSigns
    )
        external
        counted("receipt")
    {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        address caller = parties[callerSeed % parties.length];
        used = uint32(bound(used, 0, offer.duration));
        bool lenderAgreed = lenderSigns || caller == offer.lender;
        bytes memory data = _receiptCall(
            offer, ESCROW.hashOffer(pack(offer)), used, offer.renter, lenderSigns ? offer.lender : address(0)
        );
        if (!lenderAgreed && used < _owed(offer)) {
            _mustFail(caller, 0, data);
            return;
        }
        _before(offer);
        _mustWork(caller, data);
        _after(index, offer, Closing(used, 0, 0, true, lenderAgreed));
    }

    /// @dev Brings a receipt on which a signature is another's than it should be.
    function forgeReceipt(
        uint256 seed,
        uint256 callerSeed,
        uint256 forgerSeed,
        uint32 used,
        bool ofRenter
    )
        external
        counted("forgeReceipt")
    {
        (bool found,, Offer memory offer) = _pick(seed);
        address forger = parties[forgerSeed % parties.length];
        if (!found || forger == (ofRenter ? offer.renter : offer.lender)) return;
        used = uint32(bound(used, 0, offer.duration));
        _mustFail(
            parties[callerSeed % parties.length],
            0,
            _receiptCall(
                offer,
                ESCROW.hashOffer(pack(offer)),
                used,
                ofRenter ? forger : offer.renter,
                ofRenter ? offer.lender : forger
            )
        );
    }

    /// @dev Brings a receipt that both signed for another rental.
    function replayReceipt(uint256 seed, uint256 otherSeed, uint256 callerSeed) external counted("replayReceipt") {
        (bool found,, Offer memory offer) = _pick(seed);
        if (!found) return;
        Offer memory other = STORE.offerAt(otherSeed % STORE.count());
        bytes32 otherHash = ESCROW.hashOffer(pack(other));
        if (otherHash == ESCROW.hashOffer(pack(offer))) return;
        _mustFail(
            parties[callerSeed % parties.length], 0, _receiptCall(offer, otherHash, 0, offer.renter, offer.lender)
        );
    }

    function release(uint256 seed, uint256 callerSeed) external counted("release") {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        bytes memory signature = _sign(offer.lender, ESCROW.hashRelease(ESCROW.hashOffer(pack(offer))));
        _before(offer);
        vm.prank(parties[callerSeed % parties.length]);
        ESCROW.release(pack(offer), RUNNING, signature);
        _after(index, offer, Closing(0, _conceded(offer), 0, false, true));
    }

    function cancelOffers(uint256 lenderSeed, uint64 lane) external counted("cancel") {
        address lender = parties[lenderSeed % 2];
        lane = uint64(bound(lane, 0, LANES - 1));
        if (STORE.openOnLane(lender, lane) > 0) {
            _mustFail(lender, 0, abi.encodeCall(ESCROW.cancelOffers, (lane)));
            return;
        }
        vm.prank(lender);
        ESCROW.cancelOffers(lane);
        STORE.noteCancel(lender, lane);
    }

    function deposit(uint256 seed, bool native, uint256 amount) external counted("deposit") {
        address party = parties[seed % parties.length];
        amount = bound(amount, 1, 1e28);
        address token = native ? address(0) : address(TOKEN);
        if (native) vm.deal(party, amount);
        else TOKEN.mint(party, amount);
        vm.prank(party);
        ESCROW.deposit{ value: native ? amount : 0 }(token, amount);
        STORE.noteDeposit(token, amount);
    }

    function withdraw(uint256 seed, bool native, uint256 amount) external counted("withdraw") {
        address party = parties[seed % parties.length];
        address token = native ? address(0) : address(TOKEN);
        uint256 balance = ESCROW.balanceOf(token, party);
        amount = bound(amount, 1, balance + 1);
        if (amount > balance) {
            _mustFail(party, 0, abi.encodeCall(ESCROW.withdraw, (token, amount, party)));
            return;
        }
        vm.prank(party);
        ESCROW.withdraw(token, amount, party);
        STORE.noteWithdraw(token, amount);
    }

    /// @dev Opens an offer again that was opened before, with the lender's own signature.
    function replayOpen(uint256 seed) external counted("replayOpen") {
        if (STORE.count() == 0) return;
        Offer memory offer = STORE.offerAt(seed % STORE.count());
        uint256 value = offer.token == address(0) ? uint256(offer.rate) * offer.duration : 0;
        if (value == 0) TOKEN.mint(offer.renter, uint256(offer.rate) * offer.duration);
        bytes memory signature = _sign(offer.lender, ESCROW.hashOffer(pack(offer)));
        _mustFail(offer.renter, value, abi.encodeCall(ESCROW.open, (pack(offer), signature)));
    }

    /// @dev Closes a rental again that was closed before, in each way.
    function replayClose(uint256 seed) external counted("replayClose") {
        uint256 count = STORE.count();
        if (count == 0 || STORE.isOpen(seed % count)) return;
        Offer memory offer = STORE.offerAt(seed % count);
        bytes32 offerHash = ESCROW.hashOffer(pack(offer));
        bytes memory agreed = _sign(offer.lender, ESCROW.hashRelease(offerHash));
        _mustFail(offer.renter, 0, abi.encodeCall(ESCROW.end, (pack(offer))));
        _mustFail(offer.lender, 0, abi.encodeCall(ESCROW.settle, (pack(offer))));
        _mustFail(offer.lender, 0, _receiptCall(offer, offerHash, offer.duration, offer.renter, offer.lender));
        _mustFail(offer.renter, 0, abi.encodeCall(ESCROW.release, (pack(offer), RUNNING, agreed)));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       PARTS
    //////////////////////////////////////////////////////////////////////////*/

    uint256 private _lenderBefore;
    uint256 private _renterBefore;

    modifier counted(bytes32 name) {
        STORE.noteCall(name);
        _;
    }

    function _before(Offer memory offer) internal {
        _lenderBefore = ESCROW.balanceOf(offer.token, offer.lender);
        _renterBefore = ESCROW.balanceOf(offer.token, offer.renter);
    }

    /// @dev How a rental was closed, and who called or signed for it. An arbiter agrees for both.
    struct Closing {
        uint256 used;
        uint256 slash;
        uint256 forfeit;
        bool renterAgreed;
        bool lenderAgreed;
    }

    /// @dev Holds the shares against the terms, each and in sum.
    function _after(uint256 index, Offer memory offer, Closing memory closing) internal {
        Phase phase = STORE.phaseOf(index);
        uint256 toLender = offer.rate * closing.used + offer.bond - closing.slash;
        uint256 all = uint256(offer.rate) * offer.duration + offer.bond;
        if (phase.isDisputed()) {
            toLender += phase.isDisputedByRenter() ? closing.forfeit : offer.disputeBond - closing.forfeit;
            all += offer.disputeBond;
        }
        uint256 lenderGained = ESCROW.balanceOf(offer.token, offer.lender) - _lenderBefore;
        uint256 renterGained = ESCROW.balanceOf(offer.token, offer.renter) - _renterBefore;
        if (offer.lender == offer.renter) {
            assertEq(lenderGained, all, "one party, both shares");
        } else {
            assertEq(lenderGained, toLender, "the lender's share");
            assertEq(lenderGained + renterGained, all, "all shares");
            uint256 paid = offer.rate * closing.used;
            if (paid > 0 && vm.getBlockTimestamp() < _unlock(offer, phase) && !closing.renterAgreed) {
                STORE.noteEarlyPayout();
            }
            if (phase.isRunning() && paid < offer.rate * _owed(offer) && !closing.lenderAgreed) STORE.noteCheapClose();
        }
        if (toLender > 0 || phase.isDisputed()) {
            STORE.noteRecord(offer.token, offer.lender, closing.used, phase.isDisputed(), closing.slash > 0);
        }
        STORE.noteClose(index);
    }

    /// @dev From when on the lender is paid without anybody's word.
    function _unlock(Offer memory offer, Phase phase) internal pure returns (uint256) {
        if (phase.isRunning()) return uint256(offer.start) + offer.duration + offer.disputeWindow;
        return phase.at() + (phase.isDisputed() ? 7 days : offer.disputeWindow);
    }

    /// @dev What a lender loses of its bond that gives everything back now.
    function _conceded(Offer memory offer) internal view returns (uint256) {
        uint256 time = vm.getBlockTimestamp();
        if (time + offer.notice <= offer.start) return 0;
        if (time < offer.start) return uint256(offer.bond) * offer.lateShare / 10_000;
        return time <= uint256(offer.start) + offer.grace ? offer.bond : 0;
    }

    function _boundTerms(Offer memory offer) private view {
        uint256 time = vm.getBlockTimestamp();
        offer.lane = uint64(bound(offer.lane, 0, LANES - 1));
        offer.rate = uint96(bound(offer.rate, 0, 1e24));
        offer.duration = uint32(bound(offer.duration, 1, 8 hours));
        offer.start = uint40(bound(offer.start, time - offer.duration + 1, time + 4 hours));
        offer.grace = uint24(bound(offer.grace, 0, 1 hours));
        offer.disputeWindow = uint24(bound(offer.disputeWindow, 0, 4 hours));
        offer.expiry = uint40(bound(offer.expiry, time, time + 4 hours));
        offer.bond = uint96(bound(offer.bond, 0, 1e24));
        offer.disputeBond = uint96(bound(offer.disputeBond, 0, 1e24));
        offer.notice = uint32(bound(offer.notice, 0, 4 hours));
        offer.lateShare = uint16(bound(offer.lateShare, 0, 10_000));
        offer.noShowAfter = uint32(bound(offer.noShowAfter, 0, 4 hours));
        offer.noShowShare = uint16(bound(offer.noShowShare, 0, 10_000));
        offer.arbiter = offer.arbiter == address(0) ? address(0) : ARBITER;
    }

    /// @dev Opens an offer with the lane's right number, which must fail if the lane is rented.
    function _openOrFail(Offer memory offer, uint256 share) private {
        bool rented;
        uint64 next;
        (rented, next,) = ESCROW.laneState(offer.lender, offer.lane);
        offer.sequence = uint32(next);
        bytes32 offerHash = ESCROW.hashOffer(pack(offer));
        bytes memory signature = _sign(offer.lender, offerHash);
        _fundBond(offer);
        (uint256 value, uint256 fromWallet) = _fund(offer, share);
        if (rented) {
            _mustFail(offer.renter, value, abi.encodeCall(ESCROW.open, (pack(offer), signature)));
            return;
        }
        vm.prank(offer.renter);
        ESCROW.open{ value: value }(pack(offer), signature);
        STORE.noteOpen(offer, offerHash, fromWallet);
    }

    /// @dev Gives the lender's ledger what the bond needs.
    function _fundBond(Offer memory offer) private {
        uint256 balance = ESCROW.balanceOf(offer.token, offer.lender);
        if (balance >= offer.bond) return;
        uint256 amount = offer.bond - balance;
        bool native = offer.token == address(0);
        if (native) vm.deal(offer.lender, amount);
        else TOKEN.mint(offer.lender, amount);
        vm.prank(offer.lender);
        ESCROW.deposit{ value: native ? amount : 0 }(offer.token, amount);
        STORE.noteDeposit(offer.token, amount);
    }

    /// @dev Gives the renter what its ledger lacks, and lets a random share of a native cost come from the wallet.
    function _fund(Offer memory offer, uint256 share) private returns (uint256 value, uint256 fromWallet) {
        uint256 cost = uint256(offer.rate) * offer.duration;
        uint256 balance = ESCROW.balanceOf(offer.token, offer.renter);
        if (offer.lender == offer.renter) balance -= offer.bond;
        uint256 lacking = cost > balance ? cost - balance : 0;
        if (offer.token == address(0)) {
            value = bound(share, lacking, cost);
            vm.deal(offer.renter, value);
            return (value, value);
        }
        TOKEN.mint(offer.renter, lacking);
        return (0, lacking);
    }

    function _pick(uint256 seed) internal view returns (bool found, uint256 index, Offer memory offer) {
        uint256 count = STORE.count();
        for (uint256 i = 0; i < count; i++) {
            index = (seed % count + i) % count;
            if (STORE.isOpen(index) && STORE.phaseOf(index).isRunning()) {
                return (true, index, STORE.offerAt(index));
            }
        }
    }

    function _owed(Offer memory offer) internal view returns (uint256) {
        uint256 time = vm.getBlockTimestamp();
        if (time + offer.notice <= offer.start) return 0;
        uint256 late = uint256(offer.duration) * offer.lateShare / 10_000;
        uint256 elapsed = time <= uint256(offer.start) + offer.grace ? 0 : _elapsed(offer, time);
        return elapsed > late ? elapsed : late;
    }

    function _elapsed(Offer memory offer, uint256 time) internal pure returns (uint256) {
        uint256 elapsed = time <= offer.start ? 0 : time - offer.start;
        return elapsed > offer.duration ? offer.duration : elapsed;
    }

    function _sign(address party, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[party], digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The call that settles `offer` with a receipt over the rental `offerHash`, signed in place of renter and lender
    /// by whom it is told; by the zero address means not at all.
    function _receiptCall(
        Offer memory offer,
        bytes32 offerHash,
        uint32 used,
        address asRenter,
        address asLender
    )
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = ESCROW.hashReceipt(offerHash, used);
        bytes memory ofLender = asLender == address(0) ? bytes("") : _sign(asLender, digest);
        return abi.encodeCall(ESCROW.settleWithReceipt, (pack(offer), RUNNING, used, _sign(asRenter, digest), ofLender));
    }

    function _mustWork(address caller, bytes memory data) internal {
        vm.prank(caller);
        (bool success, bytes memory answer) = address(ESCROW).call(data);
        if (!success) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
    }

    function _mustFail(address caller, uint256 value, bytes memory data) internal {
        vm.deal(caller, value);
        vm.prank(caller);
        (bool success,) = address(ESCROW).call{ value: value }(data);
        if (success) STORE.noteSurprise();
    }
}
