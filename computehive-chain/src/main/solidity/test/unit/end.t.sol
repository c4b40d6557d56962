// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract EndTest is Base {
    function endAt(Offer memory offer, uint256 time, uint32 used) internal {
        vm.warp(time);
        expectSettled(offer, used, 1);
        vm.prank(renter);
        escrow.end(pack(offer));
        assertShared(offer, used);
    }

    function test_RevertWhen_CallerNotAParty() external {
        Offer memory offer = opened();
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.CallerNotParty.selector, stranger));
        escrow.end(pack(offer));
    }

    function test_RevertWhen_NeverOpened() external {
        Offer memory offer = offerOf(NATIVE);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.end(pack(offer));
    }

    function test_RevertWhen_AlreadyClosed() external {
        Offer memory offer = opened();
        vm.startPrank(renter);
        escrow.end(pack(offer));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.end(pack(offer));
        vm.stopPrank();
    }

    /// The terms come back in calldata: a renter that improves them finds no such rental.
    function test_RevertWhen_TheTermsAreNotTheOpenOnes() external {
        Offer memory offer = opened();
        offer.rate = RATE * 2; // would refund more than was paid
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.end(pack(offer));
    }

    function test_RevertWhen_AStrangerNamesItselfTheRenter() external {
        Offer memory offer = opened();
        offer.renter = stranger;
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.end(pack(offer));
    }

    function test_PaysNothingBeforeTheStart() external {
        endAt(opened(), NOW, 0);
    }

    function test_PaysNothingInTheSecondBeforeTheStart() external {
        endAt(opened(), START - 1, 0);
    }

    function test_PaysNothingAtTheStart() external {
        endAt(opened(), START, 0);
    }

    function test_PaysNothingInTheLastSecondOfGrace() external {
        endAt(opened(), START + GRACE, 0);
    }

    function test_PaysTheElapsedSecondsRightAfterGrace() external {
        endAt(opened(), START + GRACE + 1, GRACE + 1);
    }

    function test_PaysTheElapsedSecondsInTheMiddle() external {
        endAt(opened(), START + 1 hours, 1 hours);
    }

    function test_PaysAllButOneSecondBeforeTheEnd() external {
        endAt(opened(), END - 1, DURATION - 1);
    }

    function test_PaysAllAtTheEnd() external {
        endAt(opened(), END, DURATION);
    }

    function test_PaysAllLongAfterTheEnd() external {
        endAt(opened(), UNLOCK + 365 days, DURATION);
    }

    function test_WithoutGracePaysNothingAtTheStartAndOneSecondOneSecondLater() external {
        Offer memory offer = offerOf(NATIVE);
        offer.grace = 0;
        open(offer);
        uint256 snapshot = vm.snapshotState();
        endAt(offer, START, 0);
        vm.revertToState(snapshot);
        endAt(offer, START + 1, 1);
    }

    function test_GraceMayOutlastTheWindow() external {
        Offer memory offer = offerOf(NATIVE);
        offer.grace = uint24(DURATION) + 10;
        open(offer);
        uint256 snapshot = vm.snapshotState();
        endAt(offer, END + 10, 0);
        vm.revertToState(snapshot);
        endAt(offer, END + 11, DURATION);
    }

    function test_SharesTokens() external {
        Offer memory offer = offerOf(address(token));
        open(offer);
        endAt(offer, START + 1 hours, 1 hours);
    }

    function test_LenderAndRenterMayBeOne() external {
        Offer memory offer = offerOf(NATIVE);
        offer.renter = lender;
        vm.deal(lender, COST);
        open(offer);
        vm.warp(START + 1 hours);
        vm.prank(lender);
        escrow.end(pack(offer));
        assertEq(escrow.balanceOf(NATIVE, lender), COST);
    }

    /// An open rental outlives a change of the chain's id: its terms are stored without it.
    function test_EndsAfterTheChainChangedItsId() external {
        Offer memory offer = opened();
        bytes32 before = escrow.hashOffer(pack(offer));
        vm.chainId(4242);
        assertNotEq(escrow.hashOffer(pack(offer)), before);
        assertRented(offer);
        endAt(offer, START + 1 hours, 1 hours);
    }

    function test_TheNextRentalOnTheLaneIsUntouchedByTheLastOnesTerms() external {
        Offer memory first = opened();
        vm.prank(renter);
        escrow.end(pack(first));
        Offer memory second = offerOf(NATIVE);
        second.sequence = 1;
        open(second);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(first).lenderWord));
        escrow.end(pack(first));
        assertRented(second);
    }
}
