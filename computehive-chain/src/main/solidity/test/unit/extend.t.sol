// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract ExtendTest is Base {
    function furtherOf(Offer memory first) internal pure returns (Offer memory) {
        Offer memory offer = abi.decode(abi.encode(first), (Offer));
        (offer.lane, offer.start, offer.expiry) = (LANE + 1, END, END);
        (offer.rate, offer.duration) = (RATE * 2, 1 hours);
        return offer;
    }

    function signPair(Offer memory first, Offer memory offer) internal view returns (bytes memory) {
        return sign(lenderKey, escrow.hashExtension(escrow.hashOffer(pack(first)), escrow.hashOffer(pack(offer))));
    }

    function extend(Offer memory first, Offer memory offer) internal {
        bytes memory signature = signPair(first, offer);
        vm.prank(renter);
        escrow.extend{ value: COST }(pack(first), pack(offer), signature); // twice the rate, half the time
    }

    function expectRefused(address caller, Offer memory first, Offer memory offer, bytes memory reason) internal {
        bytes memory signature = signPair(first, offer);
        vm.deal(caller, 100 * COST);
        vm.prank(caller);
        vm.expectRevert(reason);
        escrow.extend{ value: COST }(pack(first), pack(offer), signature);
    }

    function expectNoExtension(Offer memory first, Offer memory offer) internal {
        expectRefused(
            offer.renter,
            first,
            offer,
            abi.encodeWithSelector(
                Errors.NotAnExtension.selector, escrow.hashOffer(pack(first)), escrow.hashOffer(pack(offer))
            )
        );
    }

    function test_RevertWhen_CallerNotRenter() external {
        Offer memory first = opened();
        expectRefused(
            stranger, first, furtherOf(first), abi.encodeWithSelector(Errors.CallerNotRenter.selector, stranger, renter)
        );
    }

    function test_RevertWhen_ThePartiesTheTokenOrTheTimeDiffer() external {
        Offer memory first = opened();
        Offer memory offer = furtherOf(first);
        offer.lender = stranger;
        expectNoExtension(first, offer);
        offer = furtherOf(first);
        offer.renter = stranger;
        expectNoExtension(first, offer);
        offer = furtherOf(first);
        offer.token = address(token);
        expectNoExtension(first, offer);
        offer = furtherOf(first);
        offer.start = END + 1;
        expectNoExtension(first, offer);
        offer.start = END - 1;
        expectNoExtension(first, offer);
    }

    function test_RevertWhen_TheFirstIsNotRunning() external {
        Offer memory first = openedWithArbiter();
        Offer memory offer = furtherOf(first);
        bytes memory notOpen = abi.encodeWithSelector(Errors.NotOpen.selector, pack(first).lenderWord);
        uint256 snapshot = vm.snapshotState();
        disputeAs(renter, first, RUNNING);
        expectRefused(renter, first, offer, notOpen);
        vm.revertToState(snapshot);
        vm.warp(START + 1 hours);
        endAsLender(first);
        expectRefused(renter, first, offer, notOpen);
        vm.revertToState(snapshot);
        vm.prank(renter);
        escrow.end(pack(first));
        expectRefused(renter, first, offer, notOpen);
    }

    function test_RevertWhen_TheLenderSignedOnlyTheOffer() external {
        Offer memory first = opened();
        Offer memory offer = furtherOf(first);
        bytes memory signature = signOffer(offer);
        bytes32 digest = escrow.hashExtension(escrow.hashOffer(pack(first)), escrow.hashOffer(pack(offer)));
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, digest));
        escrow.extend{ value: COST }(pack(first), pack(offer), signature);
    }

    /// What is signed as an extension opens in no other way, and after no other rental.
    function test_RevertWhen_ThePairIsTakenApart() external {
        Offer memory first = opened();
        Offer memory other = offerOf(NATIVE);
        other.lane = LANE + 2;
        open(other);
        Offer memory offer = furtherOf(first);
        bytes memory signature = signPair(first, offer);
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, offerHash));
        escrow.open{ value: COST }(pack(offer), signature);
        bytes32 digest = escrow.hashExtension(escrow.hashOffer(pack(other)), offerHash);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, digest));
        escrow.extend{ value: COST }(pack(other), pack(offer), signature);
    }

    function test_RevertWhen_TheSecondTakesTheFirstOnesLane() external {
        Offer memory first = opened();
        Offer memory offer = furtherOf(first);
        offer.lane = LANE;
        expectRefused(
            renter, first, offer, abi.encodeWithSelector(Errors.LaneRented.selector, lender, LANE, keyOf(first))
        );
    }

    function test_BothAreOpenAndCloseEachByItself() external {
        Offer memory first = opened();
        Offer memory offer = furtherOf(first);
        bytes32 firstHash = escrow.hashOffer(pack(first));
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        bytes memory signature = signPair(first, offer);
        vm.warp(END - 1);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Extended(firstHash, offerHash);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Opened(offerHash, lender, renter, pack(offer));
        vm.prank(renter);
        escrow.extend{ value: COST }(pack(first), pack(offer), signature);
        assertRented(first);
        assertRented(offer);

        vm.warp(UNLOCK);
        escrow.settle(pack(first));
        assertRented(offer);
        vm.prank(renter);
        escrow.end(pack(offer));
        assertEq(escrow.balanceOf(NATIVE, lender), 2 * COST);
    }

    /// The first one's window may be over, as long as nobody closed it: the second has its own.
    function test_ExtendsInTheLastSecondOfTheOffer() external {
        Offer memory first = opened();
        vm.warp(END);
        extend(first, furtherOf(first));
        assertRented(furtherOf(first));
    }
}
