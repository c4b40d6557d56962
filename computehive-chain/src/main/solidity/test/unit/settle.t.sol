// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract SettleTest is Base {
    function test_RevertWhen_NeverOpened() external {
        Offer memory offer = offerOf(NATIVE);
        vm.warp(UNLOCK);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.settle(pack(offer));
    }

    function test_RevertWhen_AlreadyClosed() external {
        Offer memory offer = opened();
        vm.warp(UNLOCK);
        escrow.settle(pack(offer));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.settle(pack(offer));
    }

    function test_RevertWhen_TheTimeLockHolds() external {
        Offer memory offer = opened();
        uint40[4] memory times = [NOW, START, END, UNLOCK - 1];
        for (uint256 i = 0; i < times.length; i++) {
            vm.warp(times[i]);
            vm.prank(lender);
            vm.expectRevert(abi.encodeWithSelector(Errors.TooEarly.selector, UNLOCK, times[i]));
            escrow.settle(pack(offer));
        }
    }

    function test_RevertWhen_TheDisputeWindowIsMadeShorter() external {
        Offer memory offer = opened();
        offer.disputeWindow = 0;
        vm.warp(END);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.settle(pack(offer));
    }

    function test_AnybodyPaysTheLenderInFullWhenTheTimeLockEnds() external {
        Offer memory offer = opened();
        vm.warp(UNLOCK);
        expectSettled(offer, DURATION, 2);
        vm.prank(stranger);
        escrow.settle(pack(offer));
        assertShared(offer, DURATION);
    }

    function test_PaysAtTheWindowsEndWithoutADisputeWindow() external {
        Offer memory offer = offerOf(address(token));
        offer.disputeWindow = 0;
        open(offer);
        vm.warp(END);
        expectSettled(offer, DURATION, 2);
        escrow.settle(pack(offer));
        assertShared(offer, DURATION);
    }

    /// A lender with as much of a token as it can deposit at once does not keep the rental from closing.
    function test_CreditsALenderWhoseAccountIsFull() external {
        Offer memory offer = offerOf(address(token));
        open(offer);
        depositAs(lender, address(token), type(uint128).max);
        uint256 snapshot = vm.snapshotState();
        vm.warp(UNLOCK);
        escrow.settle(pack(offer));
        assertEq(escrow.balanceOf(address(token), lender), type(uint128).max + COST);
        vm.revertToState(snapshot);
        vm.warp(START + 1 hours);
        vm.prank(renter);
        escrow.end(pack(offer));
        assertEq(escrow.balanceOf(address(token), renter), COST - uint256(RATE) * 1 hours);
    }

    /// Nobody is called, so a lender that cannot receive coin is credited all the same.
    function test_CreditsALenderThatRefusesCoin() external {
        Offer memory offer = opened();
        vm.etch(lender, hex"60006000fd");
        vm.warp(UNLOCK);
        escrow.settle(pack(offer));
        assertShared(offer, DURATION);
    }
}
