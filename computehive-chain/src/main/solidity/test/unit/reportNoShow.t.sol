// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { ABSENT, ENDED, Phase, phaseOf } from "../../src/types/Phase.sol";

contract ReportNoShowTest is Base {
    function expectRefused(address caller, Offer memory offer, bytes memory reason) internal {
        vm.prank(caller);
        vm.expectRevert(reason);
        escrow.reportNoShow(pack(offer));
    }

    function reportAt(address caller, uint256 time, Phase next) internal {
        Offer memory offer = openedWithArbiter();
        vm.warp(time);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Ended(pack(offer).lenderWord, next);
        vm.prank(caller);
        escrow.reportNoShow(pack(offer));
        assertRented(offer, next);
    }

    function test_RevertWhen_NoArbiter() external {
        Offer memory offer = opened();
        vm.warp(START);
        expectRefused(renter, offer, abi.encodeWithSelector(Errors.NoArbiter.selector));
    }

    function test_RevertWhen_CallerNotAParty() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START);
        expectRefused(stranger, offer, abi.encodeWithSelector(Errors.CallerNotParty.selector, stranger));
    }

    function test_RevertWhen_NotOpen() external {
        Offer memory offer = withArbiter(offerOf(NATIVE));
        vm.warp(START);
        expectRefused(renter, offer, abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
    }

    function test_RevertWhen_ReportedBefore() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START);
        reportAs(renter, offer);
        expectRefused(renter, offer, abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
    }

    /// A grace that is longer than the window: the lender may be reported as long as it lasts.
    function test_ByTheRenterAfterAWindowThatIsShorterThanTheGrace() external {
        Offer memory offer = withArbiter(offerOf(NATIVE));
        offer.duration = 1 minutes;
        depositAs(lender, NATIVE, BOND);
        open(offer);
        vm.warp(START + 2 minutes);
        Phase phase = reportAs(renter, offer);
        assertRented(offer, phase);
        assertTrue(phase.isAbsent(), "absent");
        assertEq(phase.claimed(), 1 minutes, "claimed");
    }

    function test_RevertWhen_TheRenterIsTooEarlyOrTooLate() external {
        Offer memory offer = openedWithArbiter();
        vm.warp(START - 1);
        expectRefused(renter, offer, abi.encodeWithSelector(Errors.TooEarly.selector, START, START - 1));
        vm.warp(START + GRACE + 1);
        expectRefused(renter, offer, abi.encodeWithSelector(Errors.TooLate.selector, START + GRACE, START + GRACE + 1));
    }

    function test_RevertWhen_TheLenderIsTooEarlyOrTooLate() external {
        Offer memory offer = openedWithArbiter();
        uint256 from = START + NO_SHOW_AFTER;
        vm.warp(from - 1);
        expectRefused(lender, offer, abi.encodeWithSelector(Errors.TooEarly.selector, from, from - 1));
        vm.warp(END);
        expectRefused(lender, offer, abi.encodeWithSelector(Errors.TooLate.selector, END, END));
    }

    function test_RevertWhen_NoShowsWereNotAgreed() external {
        Offer memory offer = withArbiter(offerOf(NATIVE));
        offer.noShowAfter = 0;
        depositAs(lender, NATIVE, BOND);
        open(offer);
        vm.warp(END - 1);
        expectRefused(lender, offer, abi.encodeWithSelector(Errors.NoShowNotAgreed.selector));
    }

    function test_ByTheRenterAtTheStart() external {
        reportAt(renter, START, phaseOf(ABSENT, START, 0, DURATION));
    }

    function test_ByTheRenterInTheLastSecondOfGrace() external {
        reportAt(renter, START + GRACE, phaseOf(ABSENT, START + GRACE, 0, DURATION));
    }

    function test_ByTheLenderClaimsTheShare() external {
        uint256 time = START + NO_SHOW_AFTER;
        reportAt(lender, time, phaseOf(ENDED, time, DURATION / 2, DURATION / 2));
    }

    function test_ByTheLenderInTheLastSecondClaimsTheElapsedTime() external {
        reportAt(lender, END - 1, phaseOf(ENDED, END - 1, DURATION - 1, DURATION - 1));
    }
}
