// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Vm } from "forge-std/Vm.sol";

import { Store } from "../stores/Store.sol";
import { DevToken } from "../../../dev/DevToken.sol";
import { KeyWallet } from "../../hostile/Parties.sol";
import { PermitToken } from "../../hostile/Permits.sol";
import { FickleToken, VoidToken } from "../../hostile/Tokens.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../../../src/types/Offer.sol";
import { Outcome } from "../../../src/types/Outcome.sol";
import { LenderWord, PackedOffer, pack } from "../../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../../src/types/Phase.sol";

/// @dev The parties and the money of a random walk through the escrow. Every call that is expected to work must work, every
/// other must fail.
///
/// Four parties have keys, one is a wallet contract (ERC-1271) that can't receive native coin. Money is native coin, a
/// plain token, one with permits that nobody approved, one that returns nothing, and one that misbehaves when told to.
abstract contract Walker is Test {
    uint64 public constant LANES = 2;
    address internal constant NATIVE = address(0);
    address internal constant ARBITER = address(0xa4b1);

    IRentalEscrow public immutable ESCROW;
    Store public immutable STORE;
    PermitToken public immutable PERMITTING = new PermitToken();
    FickleToken public immutable FICKLE = new FickleToken();

    address[] public parties;
    address[] public lenders;
    address[] public currencies;
    mapping(address party => uint256 key) internal _keys;

    /// @dev How many offers the fickle token settles in the middle of its next transfer.
    uint256 private _armed;
    uint256 private _lenderBefore;
    uint256 private _renterBefore;

    constructor(IRentalEscrow escrow, DevToken token, Store store) {
        (ESCROW, STORE) = (escrow, store);
        currencies = [NATIVE, address(token), address(PERMITTING), address(new VoidToken()), address(FICKLE)];
        string[4] memory names = ["ann", "ben", "cid", "dot"];
        for (uint256 i = 0; i < names.length; i++) {
            (address party, uint256 key) = makeAddrAndKey(names[i]);
            _join(party, key);
        }
        (address keyOfWallet, uint256 walletKey) = makeAddrAndKey("key of the wallet");
        address wallet = address(new KeyWallet(keyOfWallet));
        _join(wallet, walletKey);
        lenders = [parties[0], parties[1], wallet];
    }

    function _join(address party, uint256 key) private {
        parties.push(party);
        _keys[party] = key;
        for (uint256 i = 1; i < currencies.length; i++) {
            if (currencies[i] == address(PERMITTING)) continue;
            vm.prank(party);
            // Not the interface: one of the tokens returns nothing.
            DevTokenLike(currencies[i]).approve(address(ESCROW), type(uint256).max);
        }
    }

    function partyCount() external view returns (uint256) {
        return parties.length;
    }

    function lenderCount() external view returns (uint256) {
        return lenders.length;
    }

    function currencyCount() external view returns (uint256) {
        return currencies.length;
    }

    /// @dev The party that is a contract.
    function _wallet() internal view returns (address) {
        return parties[parties.length - 1];
    }

    function _party(uint256 seed) internal view returns (address) {
        return parties[seed % parties.length];
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       MONEY
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Gives a party what it will be asked for.
    function _give(address token, address party, uint256 amount) internal {
        if (token == NATIVE) {
            vm.deal(party, amount);
            return;
        }
        DevToken(token).mint(party, amount);
        if (token == address(PERMITTING)) {
            vm.prank(party);
            PERMITTING.approve(address(ESCROW), amount);
        }
    }

    function _canPull(address token, address from, uint256 amount) internal view returns (bool) {
        return amount == 0 || token != address(FICKLE) || FICKLE.pulls(from);
    }

    function _lacking(address token, address party, uint256 amount) internal view returns (uint256) {
        uint256 balance = ESCROW.balanceOf(token, party);
        return amount > balance ? amount - balance : 0;
    }

    /// @dev Has the fickle token settle all there is in the middle of its next transfer.
    function _arm() internal {
        _armed = STORE.count();
        FICKLE.arm(address(ESCROW), abi.encodeCall(ESCROW.settleMany, (_all())));
    }

    /// @dev Notes what was settled in the middle of a transfer that is over.
    function _afterMove(address token) internal {
        if (token != address(FICKLE) || !FICKLE.struck()) return;
        _noteDue(_armed);
        _arm();
    }

    function _all() internal view returns (PackedOffer[] memory offers) {
        offers = new PackedOffer[](STORE.count());
        for (uint256 i = 0; i < offers.length; i++) {
            offers[i] = pack(STORE.offerAt(i));
        }
    }

    function _isDue(uint256 index) internal view returns (bool) {
        return STORE.isOpen(index) && STORE.phaseOf(index).isRunning()
            && vm.getBlockTimestamp() >= _unlock(STORE.offerAt(index), RUNNING);
    }

    /// @dev Notes that each of the first `count` rentals that could be settled was, and says how many there were.
    function _noteDue(uint256 count) internal returns (uint256 due) {
        for (uint256 i = 0; i < count; i++) {
            if (!_isDue(i)) continue;
            due++;
            Offer memory offer = STORE.offerAt(i);
            uint256 paid = uint256(offer.rate) * offer.duration;
            if (paid + offer.bond > 0) STORE.noteRecord(offer.token, offer.lender, offer.duration, false, false);
            STORE.noteClose(i);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      CLOSING
    //////////////////////////////////////////////////////////////////////////*/

    function _before(Offer memory offer) internal {
        _lenderBefore = ESCROW.balanceOf(offer.token, offer.lender);
        _renterBefore = ESCROW.balanceOf(offer.token, offer.renter);
        vm.recordLogs();
    }

    /// @dev How a rental was closed, and who called or signed for it. An arbiter agrees for both.
    struct Closing {
        uint256 used;
        uint256 slash;
        uint256 forfeit;
        bool renterAgreed;
        bool lenderAgreed;
    }

    /// @dev Holds the shares against the terms, each and in sum, and the event against both.
    function _after(uint256 index, Offer memory offer, Closing memory closing) internal {
        _assertTold(offer, closing);
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
            assertEq(lenderGained + renterGained, all, "paid and refunded are not what was locked");
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

    /// @dev The one event since {_before} tells how the rental was closed, within what the offer allows.
    function _assertTold(Offer memory offer, Closing memory closing) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "events");
        assertEq(logs[0].topics[0], IRentalEscrow.Settled.selector, "event");
        assertEq(uint256(logs[0].topics[1]), LenderWord.unwrap(pack(offer).lenderWord), "rental");
        Outcome outcome = Outcome.wrap(abi.decode(logs[0].data, (uint256)));
        assertEq(outcome.used(), closing.used, "used");
        assertEq(outcome.slash(), closing.slash, "slash");
        assertEq(outcome.forfeit(), closing.forfeit, "forfeit");
        assertLe(outcome.used(), offer.duration, "used over the duration");
        assertLe(outcome.slash(), offer.bond, "slash over the bond");
        assertLe(outcome.forfeit(), offer.disputeBond, "forfeit over the bond");
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       TERMS
    //////////////////////////////////////////////////////////////////////////*/

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

    /*//////////////////////////////////////////////////////////////////////////
                                       PARTS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev An open rental that is running.
    function _pick(uint256 seed) internal view returns (bool found, uint256 index, Offer memory offer) {
        uint256 count = STORE.count();
        for (uint256 i = 0; i < count; i++) {
            index = (seed % count + i) % count;
            if (STORE.isOpen(index) && STORE.phaseOf(index).isRunning()) {
                return (true, index, STORE.offerAt(index));
            }
        }
    }

    /// @dev An open rental that is not running any more.
    function _pickLater(uint256 seed)
        internal
        view
        returns (bool found, uint256 index, Offer memory offer, Phase phase)
    {
        uint256 count = STORE.count();
        for (uint256 i = 0; i < count; i++) {
            index = (seed % count + i) % count;
            phase = STORE.phaseOf(index);
            if (STORE.isOpen(index) && !phase.isRunning()) return (true, index, STORE.offerAt(index), phase);
        }
    }

    /// @dev A wallet contract's signature is its key's: the escrow tries it as the wallet's own first, and then asks it.
    function _sign(address party, bytes32 digest) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(_keys[party], digest);
        return abi.encodePacked(r, s, v);
    }

    function _mustWork(address caller, uint256 value, bytes memory data) internal {
        if (value > 0) vm.deal(caller, value);
        vm.prank(caller);
        (bool success, bytes memory answer) = address(ESCROW).call{ value: value }(data);
        if (!success) {
            assembly {
                revert(add(answer, 0x20), mload(answer))
            }
        }
        STORE.noteWorked(bytes4(data));
    }

    function _mustFail(address caller, uint256 value, bytes memory data) internal {
        vm.deal(caller, value);
        vm.prank(caller);
        (bool success,) = address(ESCROW).call{ value: value }(data);
        if (success) STORE.noteSurprise();
        else STORE.noteRefused(bytes4(data));
    }
}

/// @dev What every token has, whether or not it returns something.
interface DevTokenLike {
    function approve(address spender, uint256 amount) external;
}
