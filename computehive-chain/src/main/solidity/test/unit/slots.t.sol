// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { Base } from "../Base.t.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../src/types/Phase.sol";

/// @dev How many storage slots of the escrow turn from zero to something: what a rental really costs the chain.
contract SlotsTest is Base {
    /// A repeat rental writes no storage slot that was zero before, however the money flows.
    function test_ARepeatRentalTakesNoNewSlot() external {
        Offer memory offer = offerOf(NATIVE);
        // The first walk: open, share, withdraw everything.
        open(offer);
        vm.warp(START + 1 hours);
        vm.prank(renter);
        escrow.end(pack(offer));
        emptyLedger();

        offer.sequence = 1;
        offer.start = START + 1 days;
        offer.expiry = offer.start;
        bytes memory signature = signOffer(offer);
        vm.startStateDiffRecording();
        vm.prank(renter);
        escrow.open{ value: COST }(pack(offer), signature);
        vm.warp(offer.start + 1 hours);
        vm.prank(renter);
        escrow.end(pack(offer));
        emptyLedger();
        assertEq(newSlots(), 0);
    }

    /// Not even with both bonds, a dispute and a ruling.
    function test_ARepeatDisputeTakesNoNewSlot() external {
        Offer memory offer = openedWithArbiter();
        Phase phase = disputeAs(renter, offer, RUNNING);
        vm.prank(arbiter);
        escrow.resolve(pack(offer), phase, 1, 0, 0);
        emptyLedger();

        depositAs(lender, NATIVE, BOND);
        offer.sequence = 1;
        bytes memory signature = signOffer(offer);
        vm.deal(renter, COST + DISPUTE_BOND);
        vm.startStateDiffRecording();
        vm.prank(renter);
        escrow.open{ value: COST }(pack(offer), signature);
        phase = disputeAs(renter, offer, RUNNING);
        vm.prank(arbiter);
        escrow.resolve(pack(offer), phase, 1, 1, 1);
        emptyLedger();
        assertEq(newSlots(), 0);
    }

    function test_AFirstRentalTakesThreeNewSlots() external {
        Offer memory offer = offerOf(NATIVE);
        vm.startStateDiffRecording();
        open(offer);
        vm.warp(START + 1 hours);
        vm.prank(renter);
        escrow.end(pack(offer));
        assertEq(newSlots(), 3); // the lane, and the two accounts
    }

    function emptyLedger() internal {
        uint256 mine = escrow.balanceOf(NATIVE, renter);
        vm.prank(renter);
        escrow.withdraw(NATIVE, mine, renter);
        mine = escrow.balanceOf(NATIVE, lender);
        vm.prank(lender);
        escrow.withdraw(NATIVE, mine, lender);
    }

    function newSlots() internal returns (uint256 count) {
        Vm.AccountAccess[] memory calls = vm.stopAndReturnStateDiff();
        for (uint256 i = 0; i < calls.length; i++) {
            for (uint256 j = 0; j < calls[i].storageAccesses.length; j++) {
                Vm.StorageAccess memory slot = calls[i].storageAccesses[j];
                if (slot.account != address(escrow) || !slot.isWrite) continue;
                if (slot.previousValue == 0 && slot.newValue != 0) count++;
            }
        }
    }
}
