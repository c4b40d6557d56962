// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Court } from "../hostile/Courts.sol";
import { Erc792Arbiter } from "../../src/adapters/Erc792Arbiter.sol";
import { IArbitrable } from "../../src/interfaces/IArbitrator.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../src/types/Phase.sol";

contract Erc792Test is Base {
    uint256 internal constant FEE = 0.01 ether;

    Court internal court;
    Erc792Arbiter internal adapter;
    Offer internal offer;

    function setUp() public override {
        super.setUp();
        court = new Court();
        adapter = new Erc792Arbiter(escrow, court, "division 3");
        vm.deal(stranger, 1 ether);
    }

    function openedUnderTheCourt() internal {
        offer = withArbiter(offerOf(NATIVE));
        offer.arbiter = address(adapter);
        depositAs(lender, NATIVE, BOND);
        open(offer);
    }

    function disputedByRenter() internal returns (Phase) {
        openedUnderTheCourt();
        vm.warp(START + 1 hours);
        return disputeAs(renter, offer, RUNNING);
    }

    function disputedByLender() internal returns (Phase) {
        openedUnderTheCourt();
        vm.warp(START);
        return disputeAs(lender, offer, reportAs(renter, offer));
    }

    function ask(Phase phase) internal returns (uint256) {
        vm.prank(stranger);
        return adapter.ask{ value: FEE }(pack(offer), phase);
    }

    /// @dev Asks, rules and executes, and holds the balances against what is expected.
    function decide(Phase phase, uint256 ruling, uint256 ofLender, uint256 ofRenter) internal {
        uint256 id = ask(phase);
        vm.expectEmit(address(adapter));
        emit IArbitrable.Ruling(court, id, ruling);
        court.giveRuling(adapter, id, ruling);
        adapter.execute(id, pack(offer), phase);
        assertEq(escrow.balanceOf(NATIVE, lender), ofLender, "lender");
        assertEq(escrow.balanceOf(NATIVE, renter), ofRenter, "renter");
        assertEq(address(escrow).balance, ofLender + ofRenter, "all");
        assertIdle(offer, 1);
    }

    function test_AsksTheCourtAndPaysIt() external {
        Phase phase = disputedByRenter();
        vm.expectEmit(address(adapter));
        emit Erc792Arbiter.Asked(pack(offer).lenderWord, 41);
        assertEq(ask(phase), 41);
        assertEq(address(court).balance, FEE);
        assertEq(address(adapter).balance, 0);
        assertEq(court.told(), "division 3");
    }

    function test_RevertWhen_AskedTwice() external {
        Phase phase = disputedByRenter();
        ask(phase);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.AskedBefore.selector, pack(offer).lenderWord));
        adapter.ask{ value: FEE }(pack(offer), phase);
    }

    function test_RevertWhen_NotDisputedOrAnothersToDecide() external {
        openedUnderTheCourt();
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NotDisputedHere.selector, pack(offer).lenderWord));
        adapter.ask{ value: FEE }(pack(offer), RUNNING);
        Phase phase = disputeAs(renter, offer, RUNNING);
        Erc792Arbiter other = new Erc792Arbiter(escrow, court, "");
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NotDisputedHere.selector, pack(offer).lenderWord));
        other.ask{ value: FEE }(pack(offer), phase);
        Offer memory changed = offer;
        changed.rate = 0;
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NotDisputedHere.selector, pack(changed).lenderWord));
        adapter.ask{ value: FEE }(pack(changed), phase);
    }

    function test_RevertWhen_EndedAndNotDisputed() external {
        openedUnderTheCourt();
        vm.warp(START + 1 hours);
        Phase phase = endAsLender(offer);
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NotDisputedHere.selector, pack(offer).lenderWord));
        adapter.ask{ value: FEE }(pack(offer), phase);
    }

    function test_RevertWhen_TheFeeIsNotExact() external {
        Phase phase = disputedByRenter();
        for (uint256 sent = FEE - 1; sent <= FEE + 1; sent += 2) {
            vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.FeeMismatch.selector, sent, FEE));
            adapter.ask{ value: sent }(pack(offer), phase);
        }
    }

    function test_RevertWhen_AnotherRules() external {
        ask(disputedByRenter());
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.CallerNotArbitrator.selector, stranger));
        adapter.rule(41, 1);
    }

    function test_RevertWhen_TheCourtRulesWhatItWasNotAsked() external {
        ask(disputedByRenter());
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NoSuchRuling.selector, 42, 1));
        court.giveRuling(adapter, 42, 1);
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NoSuchRuling.selector, 41, 3));
        court.giveRuling(adapter, 41, 3);
        court.giveRuling(adapter, 41, 2);
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NoSuchRuling.selector, 41, 1));
        court.giveRuling(adapter, 41, 1);
    }

    function test_RevertWhen_TheCourtRulesBeforeItWasHeard() external {
        Phase phase = disputedByRenter();
        court.hurry();
        vm.expectRevert(abi.encodeWithSelector(Erc792Arbiter.NoSuchRuling.selector, 41, 1));
        adapter.ask{ value: FEE }(pack(offer), phase);
    }

    function test_RevertWhen_ExecutedUnruledTwiceOrOnAnother() external {
        Phase phase = disputedByRenter();
        uint256 id = ask(phase);
        bytes memory notRuled = abi.encodeWithSelector(Erc792Arbiter.NotRuled.selector, id);
        vm.expectRevert(notRuled);
        adapter.execute(id, pack(offer), phase);
        court.giveRuling(adapter, id, 1);
        Offer memory changed = offer;
        changed.bond = 0;
        vm.expectRevert(notRuled);
        adapter.execute(id, pack(changed), phase);
        adapter.execute(id, pack(offer), phase);
        vm.expectRevert(notRuled);
        adapter.execute(id, pack(offer), phase);
    }

    function test_TheRenterIsRight() external {
        uint256 paid = uint256(RATE) * 1 hours;
        decide(disputedByRenter(), 1, paid, COST - paid + BOND + DISPUTE_BOND);
    }

    function test_TheLenderIsRight() external {
        decide(disputedByRenter(), 2, COST + BOND + DISPUTE_BOND, 0);
    }

    function test_TheCourtRefuses() external {
        uint256 paid = uint256(RATE) * 1 hours;
        decide(disputedByRenter(), 0, paid + BOND, COST - paid + DISPUTE_BOND);
    }

    function test_TheRenterIsRightThatTheLenderNeverStarted() external {
        decide(disputedByLender(), 1, 0, COST + BOND + DISPUTE_BOND);
    }

    function test_TheLenderIsRightThatItDidStart() external {
        decide(disputedByLender(), 2, COST + BOND + DISPUTE_BOND, 0);
    }

    /// A court that takes too long is overtaken, and its ruling comes to nothing.
    function test_RevertWhen_TheCourtIsTooSlow() external {
        Phase phase = disputedByRenter();
        uint256 id = ask(phase);
        vm.warp(phase.at() + 7 days);
        escrow.resolveSilent(pack(offer), phase);
        court.giveRuling(adapter, id, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        adapter.execute(id, pack(offer), phase);
    }
}
