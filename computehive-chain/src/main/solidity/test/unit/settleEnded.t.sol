// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { ABSENT, ENDED, Phase, RUNNING, phaseOf } from "../../src/types/Phase.sol";

/// @dev The lender's `end` and both reports, and what becomes of them.
contract SettleEndedTest is Base {
    function settleEndedAs(address caller, Offer memory offer, Phase phase) internal {
        vm.prank(caller);
        escrow.settleEnded(pack(offer), phase);
    }

    function assertBalances(uint256 ofLender, uint256 ofRenter) internal view {
        assertEq(escrow.balanceOf(NATIVE, lender), ofLender, "lender");
        assertEq(escrow.balanceOf(NATIVE, renter), ofRenter, "renter");
        assertEq(address(escrow).balance, ofLender + ofRenter, "all");
    }

    function test_RevertWhen_Running() external {
        Offer memory offer = opened();
        vm.warp(UNLOCK);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongPhase.selector, 0));
        settleEndedAs(stranger, offer, RUNNING);
    }

    function test_RevertWhen_ThePhaseIsMadeUp() external {
        Offer memory offer = opened();
        vm.warp(UNLOCK);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        settleEndedAs(lender, offer, phaseOf(ENDED, START, DURATION, DURATION));
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        settleEndedAs(renter, offer, phaseOf(ABSENT, START, 0, DURATION));
    }

    function test_RevertWhen_TheOtherPartyMayStillObject() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + 1 hours);
        Phase ended = endAsLender(offer);
        uint256 from = START + 1 hours + DISPUTE_WINDOW;
        vm.warp(from - 1);
        address[2] memory others = [lender, stranger];
        for (uint256 i = 0; i < 2; i++) {
            vm.expectRevert(abi.encodeWithSelector(Errors.TooEarly.selector, from, from - 1));
            settleEndedAs(others[i], offer, ended);
        }
        vm.warp(from);
        expectSettled(offer, 1 hours, 5);
        settleEndedAs(stranger, offer, ended);
        assertBalances(uint256(RATE) * 1 hours + BOND, COST - uint256(RATE) * 1 hours);
        assertIdle(offer, 1);
    }

    function test_TheRenterAgreesAtOnce() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + NO_SHOW_AFTER);
        Phase ended = reportAs(lender, offer);
        expectSettled(offer, DURATION / 2, 5);
        settleEndedAs(renter, offer, ended);
        assertBalances(COST / 2 + BOND, COST / 2);
    }

    function test_AnAbsentLenderGivesEverythingBackAndItsBond() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + GRACE);
        Phase absent = reportAs(renter, offer);
        uint256 from = START + GRACE + DISPUTE_WINDOW;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.TooEarly.selector, from, from - 1));
        settleEndedAs(renter, offer, absent);
        vm.warp(from);
        expectSettled(offer, 0, BOND, 0, 6);
        settleEndedAs(stranger, offer, absent);
        assertBalances(0, COST + BOND);
    }

    function test_AnAbsentLenderAgreesAtOnce() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START);
        Phase absent = reportAs(renter, offer);
        settleEndedAs(lender, offer, absent);
        assertBalances(0, COST + BOND);
    }

    /// A release in place of an answer costs the same as the answer.
    function test_AReleaseByAnAbsentLenderCostsItsBondAtAnyTime() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START);
        Phase absent = reportAs(renter, offer);
        vm.warp(START + GRACE + 1);
        escrow.release(pack(offer), absent, signRelease(offer));
        assertBalances(0, COST + BOND);
    }

    function test_AReceiptStillSettlesAnEndedRental() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + 1 hours);
        Phase ended = endAsLender(offer);
        vm.warp(START + 90 minutes);
        bytes memory less = signReceipt(offer, 1 hours - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.ReceiptBelowAccrued.selector, 1 hours - 1, 1 hours));
        escrow.settleWithReceipt(pack(offer), ended, 1 hours - 1, less, "");
        // Less than the renter would owe without the lender's end, and what the lender claimed.
        escrow.settleWithReceipt(pack(offer), ended, 1 hours, signReceipt(offer, 1 hours), "");
        assertBalances(uint256(RATE) * 1 hours + BOND, COST - uint256(RATE) * 1 hours);
    }

    function test_AReleaseStillRefundsAnEndedRental() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + 1 hours);
        Phase ended = endAsLender(offer);
        escrow.release(pack(offer), ended, signRelease(offer));
        assertBalances(BOND, COST);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                 THE LENDER'S END
    //////////////////////////////////////////////////////////////////////////*/

    function endAsLenderAt(uint256 time, uint256 slash) internal {
        Offer memory offer = openedWithArbiter();
        vm.warp(time);
        expectSettled(offer, 0, slash, 0, 9);
        vm.prank(lender);
        escrow.end(pack(offer));
        assertBalances(BOND - slash, COST + slash);
    }

    function test_TheLenderCallsOffForNothingInTime() external {
        endAsLenderAt(START - NOTICE, 0);
    }

    function test_TheLenderCallsOffLateForAShareOfItsBond() external {
        endAsLenderAt(START - NOTICE + 1, BOND / 4);
    }

    function test_TheLenderCallsOffInTheLastSecondForAShare() external {
        endAsLenderAt(START - 1, BOND / 4);
    }

    function test_TheLenderThatGivesUpAtTheStartLosesItsBond() external {
        endAsLenderAt(START, BOND);
    }

    function test_TheLenderThatGivesUpWithinTheGraceLosesItsBond() external {
        endAsLenderAt(START + GRACE, BOND);
    }

    function test_TheLenderEndsRightAfterTheGrace() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + GRACE + 1);
        assertEq(
            Phase.unwrap(endAsLender(offer)), Phase.unwrap(phaseOf(ENDED, START + GRACE + 1, GRACE + 1, GRACE + 1))
        );
    }

    function test_RevertWhen_TheLenderEndsWhatIsOver() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(END);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(Errors.TooLate.selector, END, END));
        escrow.end(pack(offer));
    }

    function test_RevertWhen_TheLenderEndsTwice() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + 1 hours);
        endAsLender(offer);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.end(pack(offer));
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.end(pack(offer));
    }

    /*//////////////////////////////////////////////////////////////////////////
                              THE RENTER'S CANCELLATION
    //////////////////////////////////////////////////////////////////////////*/

    function cancelAt(uint256 time, uint256 used) internal {
        Offer memory offer = openedWithArbiter();
        vm.warp(time);
        expectSettled(offer, used, 1);
        vm.prank(renter);
        escrow.end(pack(offer));
        assertBalances(uint256(RATE) * used + BOND, COST - uint256(RATE) * used);
    }

    function test_TheRenterCallsOffForNothingInTime() external {
        cancelAt(START - NOTICE, 0);
    }

    function test_TheRenterCallsOffLateForAShare() external {
        cancelAt(START - NOTICE + 1, DURATION / 4);
    }

    function test_TheRenterPaysTheShareAtTheStart() external {
        cancelAt(START, DURATION / 4);
    }

    function test_TheRenterPaysTheShareUntilMoreHasElapsed() external {
        cancelAt(START + DURATION / 4, DURATION / 4);
    }

    function test_TheRenterPaysWhatHasElapsedOnceThatIsMore() external {
        cancelAt(START + DURATION / 4 + 1, DURATION / 4 + 1);
    }
}
