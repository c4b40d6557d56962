// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { DISPUTED_BY_LENDER, DISPUTED_BY_RENTER, ENDED, Phase, RUNNING, phaseOf } from "../../src/types/Phase.sol";

contract ResolveTest is Base {
    Offer internal offer;

    function disputed() internal returns (Phase) {
        offer = openedWithArbiter();
        vm.warp(START + 1 hours);
        return disputeAs(renter, offer, RUNNING);
    }

    function disputedByLender() internal returns (Phase) {
        offer = openedWithArbiter();
        vm.warp(START);
        return disputeAs(lender, offer, reportAs(renter, offer));
    }

    function assertBalances(uint256 ofLender, uint256 ofRenter) internal view {
        assertEq(escrow.balanceOf(NATIVE, lender), ofLender, "lender");
        assertEq(escrow.balanceOf(NATIVE, renter), ofRenter, "renter");
        assertEq(address(escrow).balance, ofLender + ofRenter, "all");
        assertIdle(offer, 1);
    }

    function ruleAs(address caller, Phase phase, uint32 used, uint96 slash, uint96 forfeit) internal {
        vm.prank(caller);
        escrow.resolve(pack(offer), phase, used, slash, forfeit);
    }

    function test_RevertWhen_CallerNotArbiter() external {
        Phase phase = disputed();
        address[3] memory others = [renter, lender, stranger];
        for (uint256 i = 0; i < 3; i++) {
            vm.expectRevert(abi.encodeWithSelector(Errors.CallerNotArbiter.selector, others[i], arbiter));
            ruleAs(others[i], phase, 0, 0, 0);
        }
    }

    function test_RevertWhen_NotDisputed() external {
        disputed();
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongPhase.selector, 0));
        ruleAs(arbiter, RUNNING, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongPhase.selector, ENDED));
        ruleAs(arbiter, phaseOf(ENDED, START, 1, 1), 0, 0, 0);
    }

    /// An arbiter that makes up a dispute finds no such rental.
    function test_RevertWhen_TheDisputeIsMadeUp() external {
        offer = openedWithArbiter();
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        ruleAs(arbiter, phaseOf(DISPUTED_BY_RENTER, NOW, 0, DURATION), 0, 0, 0);
    }

    /// It can't swap who disputed, and so whom the bond goes back to.
    function test_RevertWhen_ThePhaseIsAnother() external {
        Phase phase = disputed();
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        ruleAs(arbiter, phaseOf(DISPUTED_BY_LENDER, phase.at(), phase.used(), phase.claimed()), 0, 0, 0);
    }

    function test_RevertWhen_TheRulingIsOverWhatIsLocked() external {
        Phase phase = disputed();
        vm.expectRevert(abi.encodeWithSelector(Errors.UsedOverDuration.selector, DURATION + 1, DURATION));
        ruleAs(arbiter, phase, DURATION + 1, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.OverBond.selector, BOND + 1, BOND));
        ruleAs(arbiter, phase, 0, BOND + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.OverBond.selector, DISPUTE_BOND + 1, DISPUTE_BOND));
        ruleAs(arbiter, phase, 0, 0, DISPUTE_BOND + 1);
    }

    function test_RevertWhen_ResolvedBefore() external {
        Phase phase = disputed();
        ruleAs(arbiter, phase, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        ruleAs(arbiter, phase, 0, 0, 0);
    }

    function test_AllForTheRenter() external {
        Phase phase = disputed();
        expectSettled(offer, 0, BOND, 0, 7);
        ruleAs(arbiter, phase, 0, BOND, 0);
        assertBalances(0, COST + BOND + DISPUTE_BOND);
        assertRecord(0, 0, 1, 1);
    }

    function test_AllForTheLender() external {
        Phase phase = disputed();
        expectSettled(offer, DURATION, 0, DISPUTE_BOND, 7);
        ruleAs(arbiter, phase, DURATION, 0, DISPUTE_BOND);
        assertBalances(COST + BOND + DISPUTE_BOND, 0);
        assertRecord(DURATION, 1, 1, 0);
    }

    function test_SomethingForEach() external {
        Phase phase = disputed();
        ruleAs(arbiter, phase, 100, 10, 1);
        assertBalances(uint256(RATE) * 100 + BOND - 10 + 1, COST - uint256(RATE) * 100 + 10 + DISPUTE_BOND - 1);
        assertRecord(100, 1, 1, 1);
    }

    function test_TheLendersDisputeBondGoesTheOtherWay() external {
        Phase phase = disputedByLender();
        ruleAs(arbiter, phase, 100, 10, 1);
        assertBalances(uint256(RATE) * 100 + BOND - 10 + DISPUTE_BOND - 1, COST - uint256(RATE) * 100 + 10 + 1);
    }

    function test_AtAnyTime() external {
        Phase phase = disputed();
        vm.warp(phase.at() + 3650 days);
        ruleAs(arbiter, phase, 1, 0, 0);
        assertIdle(offer, 1);
    }

    function test_AStrangersOfferIsNotTheArbitersToDecide() external {
        Phase phase = disputed();
        Offer memory changed = offer;
        changed.arbiter = stranger;
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(changed).lenderWord));
        escrow.resolve(pack(changed), phase, 0, 0, 0);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      SILENCE
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_SilentNotLongEnough() external {
        Phase phase = disputed();
        uint256 from = phase.at() + 7 days;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.TooEarly.selector, from, from - 1));
        escrow.resolveSilent(pack(offer), phase);
    }

    function test_RevertWhen_SilentAndNotDisputed() external {
        offer = openedWithArbiter();
        vm.warp(UNLOCK + 30 days);
        vm.expectRevert(abi.encodeWithSelector(Errors.WrongPhase.selector, 0));
        escrow.resolveSilent(pack(offer), RUNNING);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.resolveSilent(pack(offer), phaseOf(DISPUTED_BY_RENTER, NOW, 0, DURATION));
    }

    function test_SilencePaysUpToTheDisputeAndGivesTheBondsBack() external {
        Phase phase = disputed();
        vm.warp(phase.at() + 7 days);
        expectSettled(offer, 1 hours, 8);
        vm.prank(stranger);
        escrow.resolveSilent(pack(offer), phase);
        uint256 paid = uint256(RATE) * 1 hours;
        assertBalances(paid + BOND, COST - paid + DISPUTE_BOND);
        assertRecord(1 hours, 1, 1, 0);
    }

    function test_SilenceOverALendersDisputePaysNothing() external {
        Phase phase = disputedByLender();
        vm.warp(phase.at() + 7 days);
        escrow.resolveSilent(pack(offer), phase);
        assertBalances(BOND + DISPUTE_BOND, COST);
        assertRecord(0, 0, 1, 0);
    }
}
