// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {
    FalseToken,
    FeeToken,
    LazyToken,
    OpenToken,
    ReenteringToken,
    ShrinkingToken,
    VoidToken
} from "../hostile/Tokens.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { LyingWallet } from "../hostile/Parties.sol";
import { Errors } from "../../src/libraries/Errors.sol";

contract DepositTest is Base {
    function test_RevertWhen_AmountZero() external {
        vm.startPrank(renter);
        vm.expectRevert(Errors.AmountZero.selector);
        escrow.deposit(NATIVE, 0);
        vm.expectRevert(Errors.AmountZero.selector);
        escrow.deposit(address(token), 0);
        vm.stopPrank();
    }

    function test_RevertWhen_TheCoinSentIsNotTheAmount() external {
        vm.startPrank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValueMismatch.selector, 9, 10));
        escrow.deposit{ value: 9 }(NATIVE, 10);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValueMismatch.selector, 11, 10));
        escrow.deposit{ value: 11 }(NATIVE, 10);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValueMismatch.selector, 10, 0));
        escrow.deposit{ value: 10 }(address(token), 10);
        vm.stopPrank();
    }

    function test_RevertWhen_TheAmountIsOver128Bits() external {
        uint256 amount = uint256(type(uint128).max) + 1;
        token.mint(renter, amount);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.AmountTooLarge.selector, amount));
        escrow.deposit(address(token), amount);
    }

    function test_SeveralDepositsMayMakeMoreThan128Bits() external {
        uint256 amount = uint256(type(uint128).max) * 2;
        token.mint(stranger, amount);
        vm.startPrank(stranger);
        token.approve(address(escrow), amount);
        escrow.deposit(address(token), amount / 2);
        escrow.deposit(address(token), amount / 2);
        assertEq(escrow.balanceOf(address(token), stranger), amount);
        escrow.withdraw(address(token), amount, stranger);
        vm.stopPrank();
        assertEq(escrow.balanceOf(address(token), stranger), 0);
        assertEq(token.balanceOf(stranger), amount);
    }

    function test_CoinSentWithoutACallIsRefused() external {
        vm.prank(renter);
        (bool success,) = address(escrow).call{ value: 1 }("");
        assertFalse(success);
    }

    function test_DepositsCoin() external {
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Deposited(NATIVE, renter, 10);
        vm.startPrank(renter);
        escrow.deposit{ value: 10 }(NATIVE, 10);
        escrow.deposit{ value: 5 }(NATIVE, 5);
        vm.stopPrank();
        assertEq(escrow.balanceOf(NATIVE, renter), 15);
        assertEq(address(escrow).balance, 15);
    }

    function test_DepositsTokens() external {
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Deposited(address(token), renter, 10);
        vm.prank(renter);
        escrow.deposit(address(token), 10);
        assertEq(escrow.balanceOf(address(token), renter), 10);
        assertEq(escrow.balanceOf(NATIVE, renter), 0);
        assertEq(token.balanceOf(address(escrow)), 10);
    }

    function test_DepositsATokenThatReturnsNothing() external {
        VoidToken plain = new VoidToken();
        plain.mint(renter, 10);
        vm.startPrank(renter);
        plain.approve(address(escrow), 10);
        escrow.deposit(address(plain), 10);
        vm.stopPrank();
        assertEq(escrow.balanceOf(address(plain), renter), 10);
    }

    function armed(OpenToken hostile) internal returns (address) {
        hostile.mint(renter, 1000);
        vm.prank(renter);
        hostile.approve(address(escrow), type(uint256).max);
        return address(hostile);
    }

    function test_RevertWhen_TheTokenTakesAFee() external {
        address hostile = armed(new FeeToken());
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, 1000, 990));
        escrow.deposit(hostile, 1000);
    }

    function test_RevertWhen_TheTokenReturnsFalse() external {
        address hostile = armed(new FalseToken());
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, hostile));
        escrow.deposit(hostile, 1000);
    }

    function test_RevertWhen_TheTokenMovesNothing() external {
        address hostile = armed(new LazyToken());
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, 1000, 0));
        escrow.deposit(hostile, 1000);
    }

    function test_RevertWhen_TheTokenTakesFromTheEscrow() external {
        ShrinkingToken hostile = new ShrinkingToken();
        armed(hostile);
        hostile.mint(address(escrow), 1000);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, 1000, 0));
        escrow.deposit(address(hostile), 1000);
    }

    function test_RevertWhen_TheTokenIsNoContract() external {
        vm.prank(renter);
        vm.expectRevert();
        escrow.deposit(makeAddr("nothing here"), 1);
    }

    /// One arrival, credited to two accounts: the inner deposit finds the lock taken.
    function test_ATokenThatReentersCannotBeCreditedTwice() external {
        ReenteringToken hostile = new ReenteringToken();
        armed(hostile);
        hostile.mint(address(hostile), 1000);
        vm.prank(address(hostile));
        hostile.approve(address(escrow), 1000);
        hostile.arm(address(escrow), abi.encodeCall(escrow.deposit, (address(hostile), 1000)), true);
        vm.prank(renter);
        escrow.deposit(address(hostile), 1000);
        assertFalse(hostile.succeeded());
        assertEq(
            hostile.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        assertEq(escrow.balanceOf(address(hostile), address(hostile)), 0);
        assertEq(escrow.balanceOf(address(hostile), renter), 1000);
    }

    /// What can't tell how much the escrow holds is no token: nothing at the address, too short an answer, or a refusal.
    function test_RevertWhen_TheTokenDoesNotTellItsBalances() external {
        vm.startPrank(renter);
        vm.expectRevert(bytes(""));
        escrow.deposit(makeAddr("nothing"), 1);
        LyingWallet mute = new LyingWallet();
        mute.tell(hex"01", false);
        vm.expectRevert(bytes(hex"01"));
        escrow.deposit(address(mute), 1);
        mute.tell("stopped", true);
        vm.expectRevert("stopped");
        escrow.deposit(address(mute), 1);
        vm.stopPrank();
    }
}
