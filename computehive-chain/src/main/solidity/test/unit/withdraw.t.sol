// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { BombReceiver, GreedyReceiver, RejectingReceiver } from "../hostile/Parties.sol";
import { OpenToken, ReenteringToken, ShrinkingToken, SurchargeToken, VoidToken } from "../hostile/Tokens.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract WithdrawTest is Base {
    function test_RevertWhen_AmountZero() external {
        vm.prank(renter);
        vm.expectRevert(Errors.AmountZero.selector);
        escrow.withdraw(NATIVE, 0, renter);
    }

    function test_RevertWhen_TheReceiverWouldLoseIt() external {
        depositAs(renter, NATIVE, 10);
        address[2] memory bad = [address(0), address(escrow)];
        for (uint256 i = 0; i < 2; i++) {
            vm.prank(renter);
            vm.expectRevert(abi.encodeWithSelector(Errors.InvalidReceiver.selector, bad[i]));
            escrow.withdraw(NATIVE, 10, bad[i]);
        }
    }

    function test_RevertWhen_TheBalanceIsTooSmall() external {
        depositAs(renter, NATIVE, 10);
        depositAs(lender, NATIVE, 100); // somebody else's
        depositAs(renter, address(token), 100); // another token
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, renter, 10, 11));
        escrow.withdraw(NATIVE, 11, renter);
    }

    function test_RevertWhen_TheAmountFitsOnlyWhenCut() external {
        depositAs(renter, NATIVE, 10);
        uint256[2] memory amounts = [uint256(type(uint128).max) + 11, uint256(type(uint248).max) + 11]; // 10 in the lower bits
        for (uint256 i = 0; i < amounts.length; i++) {
            vm.prank(renter);
            vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, renter, 10, amounts[i]));
            escrow.withdraw(NATIVE, amounts[i], renter);
        }
    }

    function test_RevertWhen_TheMoneyIsLockedInARental() external {
        opened();
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, renter, 0, 1));
        escrow.withdraw(NATIVE, 1, renter);
    }

    function test_WithdrawsCoin() external {
        depositAs(renter, NATIVE, 10);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Withdrawn(NATIVE, renter, stranger, 7);
        vm.prank(renter);
        escrow.withdraw(NATIVE, 7, stranger);
        assertEq(stranger.balance, 7);
        assertEq(escrow.balanceOf(NATIVE, renter), 3);
    }

    function test_WithdrawsTokens() external {
        depositAs(renter, address(token), 10);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Withdrawn(address(token), renter, stranger, 10);
        vm.prank(renter);
        escrow.withdraw(address(token), 10, stranger);
        assertEq(token.balanceOf(stranger), 10);
        assertEq(escrow.balanceOf(address(token), renter), 0);
    }

    function test_WithdrawsATokenThatReturnsNothing() external {
        VoidToken plain = new VoidToken();
        plain.mint(renter, 10);
        vm.startPrank(renter);
        plain.approve(address(escrow), 10);
        escrow.deposit(address(plain), 10);
        escrow.withdraw(address(plain), 10, renter);
        vm.stopPrank();
        assertEq(plain.balanceOf(renter), 10);
    }

    function test_TheLenderWithdrawsItsPayout() external {
        Offer memory offer = opened();
        vm.warp(UNLOCK);
        escrow.settle(pack(offer));
        vm.prank(lender);
        escrow.withdraw(NATIVE, COST, lender);
        assertEq(lender.balance, COST);
        assertEq(address(escrow).balance, 0);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                 HOSTILE RECEIVERS
    //////////////////////////////////////////////////////////////////////////*/

    function test_AReceiverThatRefusesBlocksOnlyItself() external {
        RejectingReceiver receiver = new RejectingReceiver();
        receiver.deposit{ value: 10 }(escrow);
        depositAs(renter, NATIVE, 10);
        vm.expectRevert(abi.encodeWithSelector(Errors.NativeTransferFailed.selector, receiver, 10));
        receiver.withdraw(escrow, NATIVE, 10, address(receiver));
        assertEq(escrow.balanceOf(NATIVE, address(receiver)), 10);

        vm.prank(renter);
        escrow.withdraw(NATIVE, 10, renter);
        receiver.withdraw(escrow, NATIVE, 10, stranger); // and it has a way out
        assertEq(stranger.balance, 10);
    }

    function test_AGreedyReceiverGetsOnlyWhatItHas() external {
        depositAs(renter, NATIVE, 100);
        GreedyReceiver receiver = new GreedyReceiver(escrow);
        receiver.deposit{ value: 20 }();
        receiver.strike(10, true); // takes 10, again 10 from within, and fails the third time
        assertEq(address(receiver).balance, 20);
        assertEq(escrow.balanceOf(NATIVE, address(receiver)), 0);
        assertEq(
            receiver.answer(), abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, receiver, 0, 10)
        );
        assertEq(address(escrow).balance, 100);
    }

    function test_RevertWhen_AGreedyReceiverInsists() external {
        GreedyReceiver receiver = new GreedyReceiver(escrow);
        receiver.deposit{ value: 10 }();
        vm.expectRevert(abi.encodeWithSelector(Errors.NativeTransferFailed.selector, receiver, 10));
        receiver.strike(10, false);
        assertEq(escrow.balanceOf(NATIVE, address(receiver)), 10);
    }

    /// What a receiver returns is not copied: it cannot make the withdrawal expensive from within this contract.
    function test_AReceiverThatReturnsAMegabyteIsPaid() external {
        BombReceiver receiver = new BombReceiver();
        depositAs(renter, NATIVE, 10);
        vm.prank(renter);
        escrow.withdraw{ gas: 2_500_000 }(NATIVE, 10, address(receiver));
        assertEq(address(receiver).balance, 10);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                   HOSTILE TOKENS
    //////////////////////////////////////////////////////////////////////////*/

    function stocked(OpenToken hostile, address account, uint256 amount) internal {
        hostile.mint(account, amount);
        vm.startPrank(account);
        hostile.approve(address(escrow), amount);
        escrow.deposit(address(hostile), amount);
        vm.stopPrank();
    }

    /// A fee on top of a withdrawal would be taken from the others.
    function test_RevertWhen_TheTokenTakesMoreThanTheAmount() external {
        SurchargeToken hostile = new SurchargeToken();
        hostile.mint(address(escrow), 1);
        hostile.mint(renter, 3000);
        vm.startPrank(renter);
        hostile.approve(address(escrow), 2000);
        escrow.deposit(address(hostile), 2000);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, 1000, 1010));
        escrow.withdraw(address(hostile), 1000, renter);
        vm.stopPrank();
    }

    function test_RevertWhen_TheTokenGivesInsteadOfTaking() external {
        ShrinkingToken hostile = new ShrinkingToken();
        VoidToken code = new VoidToken();
        vm.etch(address(hostile), address(code).code);
        VoidToken(address(hostile)).mint(renter, 10);
        vm.startPrank(renter);
        VoidToken(address(hostile)).approve(address(escrow), 10);
        escrow.deposit(address(hostile), 10);
        vm.stopPrank();
        ShrinkingToken turned = new ShrinkingToken();
        vm.etch(address(hostile), address(turned).code);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, 10, 0));
        escrow.withdraw(address(hostile), 10, renter);
    }

    function test_ATokenThatReentersCannotWithdrawTwice() external {
        ReenteringToken hostile = new ReenteringToken();
        stocked(hostile, address(hostile), 1000);
        stocked(hostile, renter, 1000);
        hostile.arm(address(escrow), abi.encodeCall(escrow.withdraw, (address(hostile), 1000, address(hostile))), true);
        vm.prank(renter);
        escrow.withdraw(address(hostile), 1000, renter);
        assertFalse(hostile.succeeded());
        assertEq(
            hostile.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        assertEq(hostile.balanceOf(address(escrow)), 1000);
        assertEq(escrow.balanceOf(address(hostile), address(hostile)), 1000);
    }

    /// The lock is given back: the token works again in the same transaction.
    function test_TheLockIsGivenBack() external {
        ReenteringToken hostile = new ReenteringToken();
        stocked(hostile, renter, 1000);
        vm.startPrank(renter);
        escrow.withdraw(address(hostile), 400, renter);
        escrow.withdraw(address(hostile), 600, renter);
        vm.stopPrank();
        assertEq(hostile.balanceOf(renter), 1000);
    }
}
