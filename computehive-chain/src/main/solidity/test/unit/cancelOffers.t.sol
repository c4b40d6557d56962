// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract CancelOffersTest is Base {
    function test_RevertWhen_ARentalIsOpen() external {
        Offer memory offer = opened();
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(Errors.LaneRented.selector, lender, LANE, keyOf(offer)));
        escrow.cancelOffers(LANE);
    }

    function test_MovesTheLaneToItsNextNumber() external {
        Offer memory offer = offerOf(NATIVE);
        for (uint64 next = 1; next < 4; next++) {
            vm.expectEmit(address(escrow));
            emit IRentalEscrow.OffersCancelled(lender, LANE, next);
            vm.prank(lender);
            escrow.cancelOffers(LANE);
            assertIdle(offer, next);
        }
    }

    function test_RevertWhen_ACancelledOfferIsOpened() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(lender);
        escrow.cancelOffers(LANE);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.SequenceMismatch.selector, lender, LANE, 1, 0));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_LeavesOtherLanesAndLendersAlone() external {
        vm.prank(lender);
        escrow.cancelOffers(LANE + 1);
        vm.prank(stranger);
        escrow.cancelOffers(LANE);
        assertIdle(offerOf(NATIVE), 0);
        open(offerOf(NATIVE));
    }

    function test_WorksBetweenRentals() external {
        Offer memory offer = opened();
        vm.prank(renter);
        escrow.end(pack(offer));
        vm.prank(lender);
        escrow.cancelOffers(LANE);
        assertIdle(offer, 2);
        offer.sequence = 2;
        open(offer);
        assertRented(offer);
    }
}
