// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Offer } from "../../src/types/Offer.sol";
import { PackedOffer, pack } from "../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../src/types/Phase.sol";

contract SettleManyTest is Base {
    /// @dev Opens as many offers on lanes of their own.
    function openedOnLanes(uint64 count) internal returns (Offer[] memory offers, PackedOffer[] memory packed) {
        offers = new Offer[](count);
        packed = new PackedOffer[](count);
        for (uint64 i = 0; i < count; i++) {
            offers[i] = withArbiter(offerOf(NATIVE));
            offers[i].lane = i;
            depositAs(lender, NATIVE, BOND);
            open(offers[i]);
            packed[i] = pack(offers[i]);
        }
    }

    function test_SettlesAll() external {
        (Offer[] memory offers, PackedOffer[] memory packed) = openedOnLanes(3);
        vm.warp(UNLOCK);
        for (uint256 i = 0; i < 3; i++) {
            expectSettled(offers[i], DURATION, 2);
        }
        vm.prank(stranger);
        assertEq(escrow.settleMany(packed), 3);
        for (uint256 i = 0; i < 3; i++) {
            assertIdle(offers[i], 1);
        }
        assertEq(escrow.balanceOf(NATIVE, lender), 3 * (COST + BOND));
    }

    function test_SettlesNothingOfNothing() external {
        assertEq(escrow.settleMany(new PackedOffer[](0)), 0);
    }

    function test_PassesOverWhatIsNotDueNotOpenEndedOrDisputed() external {
        (Offer[] memory offers, PackedOffer[] memory packed) = openedOnLanes(5);
        vm.prank(renter);
        escrow.end(packed[0]);
        vm.warp(END - 1);
        vm.prank(lender);
        escrow.end(packed[1]);
        Phase disputed = disputeAs(renter, offers[2], RUNNING);
        offers[4].start = START + 1; // was never opened
        packed[4] = pack(offers[4]);
        vm.warp(UNLOCK);
        assertEq(escrow.settleMany(packed), 1);
        assertIdle(offers[3], 1);
        assertRented(offers[2], disputed);
    }

    function test_SettlesNothingInTheSecondBeforeTheUnlock() external {
        (Offer[] memory offers, PackedOffer[] memory packed) = openedOnLanes(1);
        vm.warp(UNLOCK - 1);
        assertEq(escrow.settleMany(packed), 0);
        assertRented(offers[0]);
    }

    function test_SettlesTheSameOfferOnce() external {
        (, PackedOffer[] memory one) = openedOnLanes(1);
        PackedOffer[] memory twice = new PackedOffer[](2);
        (twice[0], twice[1]) = (one[0], one[0]);
        vm.warp(UNLOCK);
        assertEq(escrow.settleMany(twice), 1);
        assertEq(escrow.balanceOf(NATIVE, lender), COST + BOND);
    }
}
