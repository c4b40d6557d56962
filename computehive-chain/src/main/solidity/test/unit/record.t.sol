// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../src/types/Phase.sol";

/// @dev A lender's counters, next to their greatest values, in the word where they lie beside its balance.
contract RecordTest is Base {
    uint256 internal constant MOST_SERVED = type(uint40).max;
    uint256 internal constant MOST_SETTLED = type(uint24).max;
    uint256 internal constant MOST_DISPUTED = type(uint16).max;
    uint256 internal constant MOST_SLASHED = 0x7fff;

    /// @dev Where the escrow keeps the lender's account in native coin: two words of {EIP712} and the lanes lie before.
    function slotOfLender() internal view returns (bytes32) {
        return keccak256(abi.encode(lender, keccak256(abi.encode(NATIVE, uint256(3)))));
    }

    /// @dev Gives the lender counters, and leaves its balance.
    function count(uint256 served, uint256 settled, uint256 disputed, uint256 slashed) internal {
        uint256 balance = escrow.balanceOf(NATIVE, lender);
        uint256 word = 1 << 255 | slashed << 240 | disputed << 224 | settled << 200 | served << 160 | balance;
        vm.store(address(escrow), slotOfLender(), bytes32(word));
        assertRecord(served, settled, disputed, slashed);
        assertEq(escrow.balanceOf(NATIVE, lender), balance, "balance");
    }

    /// @dev The arbiter gives the lender one second, and takes one unit of its bond.
    function decided() internal returns (uint256 gained) {
        Offer memory offer = openedWithArbiter();
        Phase phase = disputeAs(renter, offer, RUNNING);
        uint256 before = escrow.balanceOf(NATIVE, lender);
        vm.prank(arbiter);
        escrow.resolve(pack(offer), phase, 1, 1, 0);
        gained = escrow.balanceOf(NATIVE, lender) - before;
    }

    function test_CountersStayAtTheirGreatestValues() external {
        count(MOST_SERVED, MOST_SETTLED, MOST_DISPUTED, MOST_SLASHED);
        assertEq(decided(), RATE + BOND - 1, "the lender is paid all the same");
        assertRecord(MOST_SERVED, MOST_SETTLED, MOST_DISPUTED, MOST_SLASHED);
    }

    function test_CountersReachTheirGreatestValues() external {
        count(MOST_SERVED - 1, MOST_SETTLED - 1, MOST_DISPUTED - 1, MOST_SLASHED - 1);
        assertEq(decided(), RATE + BOND - 1);
        assertRecord(MOST_SERVED, MOST_SETTLED, MOST_DISPUTED, MOST_SLASHED);
    }

    function test_SecondsThatDoNotFitFillTheCounter() external {
        count(MOST_SERVED - 1, 0, 0, 0);
        Offer memory offer = opened();
        vm.warp(UNLOCK);
        escrow.settle(pack(offer));
        assertRecord(MOST_SERVED, 1, 0, 0);
    }

    /// A rental that paid for no second is not counted as settled, nor one that kept its bond as slashed.
    function test_CountsOnlyWhatHappened() external {
        Offer memory offer = openedWithArbiter();
        Phase phase = disputeAs(renter, offer, RUNNING);
        vm.prank(arbiter);
        escrow.resolve(pack(offer), phase, 0, 0, 0);
        assertRecord(0, 0, 1, 0);
    }

    /// A balance never runs over into the counters beside it.
    function test_RevertWhen_TheBalanceWouldNotFit() external {
        uint256 most = type(uint160).max;
        vm.store(address(escrow), slotOfLender(), bytes32(1 << 255 | most - 1));
        depositAs(lender, NATIVE, 1);
        assertEq(escrow.balanceOf(NATIVE, lender), most);
        vm.deal(lender, 1);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(Errors.AmountTooLarge.selector, 1));
        escrow.deposit{ value: 1 }(NATIVE, 1);
        assertRecord(0, 0, 0, 0);
    }

    function testFuzz_CountersNeverTouchTheBalanceOrEachOther(
        uint40 served,
        uint24 settled,
        uint16 disputed,
        uint256 slashed
    )
        external
    {
        slashed = bound(slashed, 0, MOST_SLASHED);
        count(served, settled, disputed, slashed);
        assertEq(decided(), RATE + BOND - 1);
        assertRecord(
            served < MOST_SERVED ? served + 1 : MOST_SERVED,
            settled < MOST_SETTLED ? settled + 1 : MOST_SETTLED,
            disputed < MOST_DISPUTED ? disputed + 1 : MOST_DISPUTED,
            slashed < MOST_SLASHED ? slashed + 1 : MOST_SLASHED
        );
    }
}
