// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { FeeToken } from "../hostile/Tokens.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import {
    ABSENT,
    DISPUTED_BY_LENDER,
    DISPUTED_BY_RENTER,
    ENDED,
    Phase,
    RUNNING,
    phaseOf
} from "../../src/types/Phase.sol";

contract DisputeTest is Base {
    bytes32 internal constant ROOT = keccak256("root");

    function expectRefused(address caller, Offer memory offer, Phase phase, bytes memory reason) internal {
        vm.deal(caller, DISPUTE_BOND);
        vm.prank(caller);
        vm.expectRevert(reason);
        escrow.dispute{ value: DISPUTE_BOND }(pack(offer), phase, ROOT, 7);
    }

    /// @dev Disputes at `time` and expects the phase that follows.
    function disputeAt(Offer memory offer, Phase phase, address caller, uint256 time, Phase next) internal {
        vm.warp(time);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Disputed(pack(offer).lenderWord, next, ROOT, 7);
        vm.deal(caller, DISPUTE_BOND);
        vm.prank(caller);
        escrow.dispute{ value: DISPUTE_BOND }(pack(offer), phase, ROOT, 7);
        assertRented(offer, next);
    }

    function test_RevertWhen_NoArbiter() external {
        Offer memory offer = opened();
        expectRefused(renter, offer, RUNNING, abi.encodeWithSelector(Errors.NoArbiter.selector));
    }

    function test_RevertWhen_CallerNotWhomThePhaseIsHeldAgainst() external {
        Offer memory offer = openedWithArbiter();
        address[3] memory others = [lender, arbiter, stranger];
        for (uint256 i = 0; i < 3; i++) {
            expectRefused(others[i], offer, RUNNING, abi.encodeWithSelector(Errors.CallerNotParty.selector, others[i]));
        }
        vm.warp(START);
        Phase absent = reportAs(renter, offer);
        expectRefused(renter, offer, absent, abi.encodeWithSelector(Errors.CallerNotParty.selector, renter));
    }

    function test_RevertWhen_NeverOpened() external {
        Offer memory offer = withArbiter(offerOf(NATIVE));
        expectRefused(renter, offer, RUNNING, abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
    }

    function test_RevertWhen_ThePhaseIsNotTheRentals() external {
        Offer memory offer = openedWithArbiter();
        Phase made = phaseOf(ENDED, START + 10, 10, 10);
        expectRefused(renter, offer, made, abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
    }

    function test_RevertWhen_DisputedBefore() external {
        Offer memory offer = openedWithArbiter();
        Phase disputed = disputeAs(renter, offer, RUNNING);
        expectRefused(renter, offer, disputed, abi.encodeWithSelector(Errors.WrongPhase.selector, DISPUTED_BY_RENTER));
        expectRefused(renter, offer, RUNNING, abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
    }

    function test_RevertWhen_TheTimeIsOver() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(UNLOCK);
        expectRefused(renter, offer, RUNNING, abi.encodeWithSelector(Errors.TooLate.selector, UNLOCK, UNLOCK));
    }

    function test_RevertWhen_TheTimeAfterTheLendersEndIsOver() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + 1 hours);
        Phase ended = endAsLender(offer);
        uint256 until = START + 1 hours + DISPUTE_WINDOW;
        vm.warp(until);
        expectRefused(renter, offer, ended, abi.encodeWithSelector(Errors.TooLate.selector, until, until));
    }

    function test_RevertWhen_TheTimeAfterTheReportIsOver() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + GRACE);
        Phase absent = reportAs(renter, offer);
        uint256 until = START + GRACE + DISPUTE_WINDOW;
        vm.warp(until);
        expectRefused(lender, offer, absent, abi.encodeWithSelector(Errors.TooLate.selector, until, until));
    }

    function test_RevertWhen_TheBondIsNotPaid() external {
        Offer memory offer = openedWithArbiter();
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, renter, 0, DISPUTE_BOND));
        escrow.dispute(pack(offer), RUNNING, ROOT, 7);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValueMismatch.selector, DISPUTE_BOND + 1, DISPUTE_BOND));
        escrow.dispute{ value: DISPUTE_BOND + 1 }(pack(offer), RUNNING, ROOT, 7);
    }

    function test_ARunningRentalBeforeTheStart() external {
        disputeAt(openedWithArbiter(), RUNNING, renter, NOW, phaseOf(DISPUTED_BY_RENTER, NOW, 0, DURATION));
    }

    function test_ARunningRentalInTheMiddle() external {
        uint256 time = START + 1 hours;
        disputeAt(openedWithArbiter(), RUNNING, renter, time, phaseOf(DISPUTED_BY_RENTER, time, 1 hours, DURATION));
    }

    function test_ARunningRentalInTheLastSecond() external {
        uint256 time = UNLOCK - 1;
        disputeAt(openedWithArbiter(), RUNNING, renter, time, phaseOf(DISPUTED_BY_RENTER, time, DURATION, DURATION));
    }

    function test_OneThatTheLenderEndedInTheLastSecond() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + 1 hours);
        Phase ended = endAsLender(offer);
        uint256 time = START + 1 hours + DISPUTE_WINDOW - 1;
        disputeAt(offer, ended, renter, time, phaseOf(DISPUTED_BY_RENTER, time, 1 hours, 1 hours));
    }

    function test_TheReportThatTheRenterNeverCame() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START + NO_SHOW_AFTER);
        Phase ended = reportAs(lender, offer);
        uint256 time = START + NO_SHOW_AFTER + 1;
        // By silence only the seconds since the start; the lender claims the share.
        disputeAt(offer, ended, renter, time, phaseOf(DISPUTED_BY_RENTER, time, NO_SHOW_AFTER, DURATION / 2));
    }

    function test_TheReportThatTheLenderNeverStartedInTheLastSecond() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START);
        Phase absent = reportAs(renter, offer);
        uint256 time = START + DISPUTE_WINDOW - 1;
        disputeAt(offer, absent, lender, time, phaseOf(DISPUTED_BY_LENDER, time, 0, DURATION));
        assertEq(absent.kind(), ABSENT);
    }

    function test_TheBondComesFromTheLedgerFirst() external {
        Offer memory offer = withArbiter(offerOf(address(token)));
        depositAs(lender, address(token), BOND);
        open(offer);
        depositAs(renter, address(token), DISPUTE_BOND - 1);
        uint256 before = token.balanceOf(address(escrow));
        vm.prank(renter);
        token.approve(address(escrow), 1);
        vm.prank(renter);
        escrow.dispute(pack(offer), RUNNING, ROOT, 7);
        assertEq(escrow.balanceOf(address(token), renter), 0);
        assertEq(token.balanceOf(address(escrow)), before + 1);
    }

    function test_RevertWhen_TheBondArrivesShort() external {
        FeeToken hostile = new FeeToken();
        Offer memory offer = withArbiter(offerOf(address(hostile)));
        (offer.bond, offer.rate, offer.disputeBond) = (0, 0, 100);
        open(offer);
        hostile.mint(renter, 100);
        vm.startPrank(renter);
        hostile.approve(address(escrow), 100);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, 100, 99));
        escrow.dispute(pack(offer), RUNNING, ROOT, 7);
        vm.stopPrank();
    }

    /// Only a ruling or an arbiter's silence gets a disputed rental closed.
    function test_RevertWhen_ADisputedRentalIsClosedOtherwise() external {
        Offer memory offer = openedWithArbiter();
        Phase disputed = disputeAs(renter, offer, RUNNING);
        bytes memory receipt = signReceipt(offer, DURATION);
        bytes memory agreed = signReceiptAsLender(offer, DURATION);
        bytes memory released = signRelease(offer);
        bytes memory notOpen = abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord);
        bytes memory wrong = abi.encodeWithSelector(Errors.WrongPhase.selector, DISPUTED_BY_RENTER);

        vm.warp(START + 1 hours);
        vm.prank(renter);
        vm.expectRevert(notOpen);
        escrow.end(pack(offer));
        vm.prank(lender);
        vm.expectRevert(notOpen);
        escrow.end(pack(offer));
        vm.expectRevert(wrong);
        escrow.settleWithReceipt(pack(offer), disputed, DURATION, receipt, agreed);
        vm.expectRevert(notOpen);
        escrow.settleWithReceipt(pack(offer), RUNNING, DURATION, receipt, agreed);
        vm.expectRevert(wrong);
        escrow.release(pack(offer), disputed, released);
        vm.expectRevert(notOpen);
        escrow.release(pack(offer), RUNNING, released);
        vm.warp(UNLOCK + 365 days);
        vm.expectRevert(notOpen);
        escrow.settle(pack(offer));
        vm.expectRevert(wrong);
        escrow.settleEnded(pack(offer), disputed);
    }
}
