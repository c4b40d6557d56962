// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../../Base.t.sol";
import { Errors } from "../../../src/libraries/Errors.sol";
import { Offer } from "../../../src/types/Offer.sol";
import { pack } from "../../../src/types/PackedOffer.sol";
import { RUNNING } from "../../../src/types/Phase.sol";

/// @dev Any terms, any moment, every way of closing: nothing is created and nothing is lost.
contract SharesFuzzTest is Base {
    /// Terms are any; the start is near enough that the arithmetic of `vm.warp` stays in 64 bits.
    function bounded(Offer memory offer, bool native) internal returns (Offer memory) {
        offer.lender = lender;
        offer.renter = renter;
        offer.token = native ? NATIVE : address(token);
        offer.sequence = 0;
        offer.duration = uint32(bound(offer.duration, 1, type(uint32).max));
        offer.start = uint40(bound(offer.start, NOW, type(uint40).max));
        offer.expiry = uint40(bound(offer.expiry, NOW, type(uint40).max));
        offer.lateShare = uint16(bound(offer.lateShare, 0, 10_000));
        offer.noShowShare = uint16(bound(offer.noShowShare, 0, 10_000));
        if (offer.bond > 0) depositAs(lender, offer.token, offer.bond);
        uint256 cost = uint256(offer.rate) * offer.duration;
        if (native) vm.deal(renter, cost);
        else token.mint(renter, cost);
        return offer;
    }

    function assertSharedAndGone(Offer memory offer, uint256 used, uint256 slash) internal {
        uint256 cost = uint256(offer.rate) * offer.duration;
        uint256 paid = offer.rate * used;
        assertEq(escrow.balanceOf(offer.token, lender), paid + offer.bond - slash);
        assertEq(escrow.balanceOf(offer.token, renter), cost - paid + slash);
        assertIdle(offer, 1);
        takeOut(offer.token, lender);
        takeOut(offer.token, renter);
        assertEq(offer.token == NATIVE ? address(escrow).balance : token.balanceOf(address(escrow)), 0);
    }

    function takeOut(address currency, address account) internal {
        uint256 balance = escrow.balanceOf(currency, account);
        if (balance == 0) return;
        vm.prank(account);
        escrow.withdraw(currency, balance, account);
    }

    /// The terms once more, in other words than the contract's.
    function owed(Offer memory offer, uint256 time) internal pure returns (uint256) {
        int256 sinceStart = int256(time) - int256(uint256(offer.start));
        if (sinceStart <= -int256(uint256(offer.notice))) return 0;
        uint256 late = uint256(offer.duration) * offer.lateShare / 10_000;
        if (sinceStart <= int256(uint256(offer.grace))) return late;
        uint256 elapsed = uint256(sinceStart) > offer.duration ? offer.duration : uint256(sinceStart);
        return elapsed > late ? elapsed : late;
    }

    function conceded(Offer memory offer, uint256 time) internal pure returns (uint256) {
        int256 sinceStart = int256(time) - int256(uint256(offer.start));
        if (sinceStart <= -int256(uint256(offer.notice))) return 0;
        if (sinceStart < 0) return uint256(offer.bond) * offer.lateShare / 10_000;
        return sinceStart <= int256(uint256(offer.grace)) ? offer.bond : 0;
    }

    function testFuzz_End(Offer memory offer, bool native, uint256 time) external {
        offer = bounded(offer, native);
        open(offer);
        time = bound(time, NOW, uint256(offer.start) + offer.duration + offer.grace + 2);
        vm.warp(time);
        vm.prank(renter);
        escrow.end(pack(offer));
        assertSharedAndGone(offer, owed(offer, time), 0);
    }

    function testFuzz_Settle(Offer memory offer, bool native, uint256 time) external {
        offer = bounded(offer, native);
        open(offer);
        uint256 unlock = uint256(offer.start) + offer.duration + offer.disputeWindow;
        time = bound(time, NOW, unlock + 10);
        vm.warp(time);
        if (time < unlock) {
            vm.expectRevert(abi.encodeWithSelector(Errors.TooEarly.selector, unlock, time));
            escrow.settle(pack(offer));
            vm.warp(unlock);
        }
        escrow.settle(pack(offer));
        assertSharedAndGone(offer, offer.duration, 0);
    }

    function testFuzz_SettleWithReceipt(
        Offer memory offer,
        bool native,
        uint256 time,
        uint32 used,
        uint8 agreement
    )
        external
    {
        offer = bounded(offer, native);
        open(offer);
        time = bound(time, NOW, uint256(offer.start) + offer.duration + offer.grace + 2);
        used = uint32(bound(used, 0, offer.duration));
        bytes memory renterSignature = signReceipt(offer, used);
        bytes memory lenderSignature = agreement % 3 == 0 ? signReceiptAsLender(offer, used) : bytes("");
        vm.warp(time);
        if (agreement % 3 == 1 && used < owed(offer, time)) {
            vm.prank(stranger);
            vm.expectRevert(abi.encodeWithSelector(Errors.ReceiptBelowAccrued.selector, used, owed(offer, time)));
            escrow.settleWithReceipt(pack(offer), RUNNING, used, renterSignature, "");
            agreement = 2;
        }
        vm.prank(agreement % 3 == 2 ? lender : stranger);
        escrow.settleWithReceipt(pack(offer), RUNNING, used, renterSignature, lenderSignature);
        assertSharedAndGone(offer, used, 0);
    }

    function testFuzz_Release(Offer memory offer, bool native, uint256 time) external {
        offer = bounded(offer, native);
        open(offer);
        bytes memory signature = signRelease(offer);
        time = bound(time, NOW, type(uint48).max);
        vm.warp(time);
        escrow.release(pack(offer), RUNNING, signature);
        assertSharedAndGone(offer, 0, conceded(offer, time));
    }

    /// However the deposit is split between wallet and ledger, the cost is taken, and the rest of the ledger is left.
    function testFuzz_Open(Offer memory offer, uint256 stock, uint256 value) external {
        offer = bounded(offer, true);
        uint256 cost = uint256(offer.rate) * offer.duration;
        stock = bound(stock, 0, type(uint128).max);
        if (stock > 0) depositAs(renter, NATIVE, stock);
        value = bound(value, cost > stock ? cost - stock : 0, cost);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open{ value: value }(pack(offer), signature);
        assertEq(escrow.balanceOf(NATIVE, renter), stock - (cost - value));
        assertEq(address(escrow).balance, stock + value + offer.bond);
    }

    function testFuzz_OpenWithTokens(Offer memory offer, uint256 stock) external {
        offer = bounded(offer, false);
        uint256 cost = uint256(offer.rate) * offer.duration;
        stock = bound(stock, 0, type(uint128).max);
        if (stock > 0) depositAs(renter, address(token), stock);
        vm.prank(renter);
        token.approve(address(escrow), type(uint256).max);
        open(offer);
        assertEq(escrow.balanceOf(address(token), renter), stock > cost ? stock - cost : 0);
        assertEq(token.balanceOf(address(escrow)), (stock > cost ? stock : cost) + offer.bond);
    }

    /// Whoever is not the lender signs in vain, for every message.
    function testFuzz_RevertWhen_AnotherKeySigns(uint256 key) external {
        key = bound(
            key,
            1,
            115_792_089_237_316_195_423_570_985_008_687_907_852_837_564_279_074_904_382_605_163_141_518_161_494_336
        );
        vm.assume(vm.addr(key) != lender && vm.addr(key) != renter);
        Offer memory offer = offerOf(NATIVE);
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        bytes memory signature = sign(key, offerHash);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, offerHash));
        escrow.open{ value: COST }(pack(offer), signature);

        open(offer);
        bytes32 digest = escrow.hashReceipt(offerHash, 60);
        bytes memory byRenter = signReceipt(offer, 60);
        bytes memory byLender = signReceiptAsLender(offer, 60);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, renter, digest));
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, sign(key, digest), byLender);
        vm.warp(END);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, digest));
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, byRenter, sign(key, digest));
        digest = escrow.hashRelease(offerHash);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, digest));
        escrow.release(pack(offer), RUNNING, sign(key, digest));
    }
}
