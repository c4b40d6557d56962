// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Offer } from "../../src/types/Offer.sol";

/// @dev What each call costs as a whole transaction, for parties whose lane and accounts were used before. Run with
/// `--isolate`; the figures are committed in snapshots/ and a change fails the build.
contract GasTest is Base {
    uint40 internal constant LATER = START + 30 days;

    /// @dev The second offer of a lane after one rental of which lender and renter keep a part in the ledger.
    function second(address currency) internal returns (Offer memory offer) {
        offer = offerOf(currency);
        open(offer);
        vm.warp(START + 1 hours);
        vm.prank(renter);
        escrow.end(offer);

        offer.sequence = 1;
        offer.start = LATER;
        offer.expiry = LATER;
    }

    function drainRenter(address currency) internal {
        uint256 balance = escrow.balanceOf(currency, renter);
        vm.prank(renter);
        escrow.withdraw(currency, balance, renter);
    }

    function openSecond(address currency) internal returns (Offer memory offer) {
        offer = second(currency);
        drainRenter(currency);
        open(offer);
    }

    function test_OpenNative() external {
        Offer memory offer = second(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open{ value: COST }(offer, signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, native coin");
    }

    function test_OpenLedger() external {
        Offer memory offer = second(address(token));
        depositAs(renter, address(token), 10 * COST);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open(offer, signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, ERC-20 from the ledger");
    }

    function test_OpenWallet() external {
        Offer memory offer = second(address(token));
        drainRenter(address(token));
        vm.prank(lender);
        escrow.withdraw(address(token), 1, lender); // leaves the escrow with tokens, as in use
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open(offer, signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, ERC-20 from the wallet");
    }

    function test_OpenFirst() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open{ value: COST }(offer, signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, native coin, first on its lane");
    }

    function test_Settle() external {
        Offer memory offer = openSecond(address(token));
        vm.warp(LATER + DURATION + DISPUTE_WINDOW);
        vm.prank(stranger);
        escrow.settle(offer);
        vm.snapshotGasLastCall("RentalEscrow", "settle");
    }

    function test_End() external {
        Offer memory offer = openSecond(address(token));
        vm.warp(LATER + 1 hours);
        vm.prank(renter);
        escrow.end(offer);
        vm.snapshotGasLastCall("RentalEscrow", "end early, with a refund");
    }

    function test_Receipt() external {
        Offer memory offer = openSecond(address(token));
        bytes memory signature = signReceipt(offer, 1 hours);
        vm.prank(lender);
        escrow.settleWithReceipt(offer, 1 hours, signature, "");
        vm.snapshotGasLastCall("RentalEscrow", "receipt of the renter, with a refund");
    }

    function test_ReceiptOfBoth() external {
        Offer memory offer = openSecond(address(token));
        bytes memory renterSignature = signReceipt(offer, 1 hours);
        bytes memory lenderSignature = signReceiptAsLender(offer, 1 hours);
        vm.warp(LATER + DURATION);
        vm.prank(stranger);
        escrow.settleWithReceipt(offer, 1 hours, renterSignature, lenderSignature);
        vm.snapshotGasLastCall("RentalEscrow", "receipt of both, with a refund");
    }

    function test_Release() external {
        Offer memory offer = openSecond(address(token));
        bytes memory signature = signRelease(offer);
        vm.prank(renter);
        escrow.release(offer, signature);
        vm.snapshotGasLastCall("RentalEscrow", "release");
    }

    function test_DepositAndWithdraw() external {
        second(address(token));
        vm.prank(renter);
        escrow.deposit(address(token), 1000);
        vm.snapshotGasLastCall("RentalEscrow", "deposit, ERC-20");
        vm.prank(renter);
        escrow.withdraw(address(token), 1000, renter);
        vm.snapshotGasLastCall("RentalEscrow", "withdraw, ERC-20");
    }

    function test_WithdrawNative() external {
        second(NATIVE);
        vm.prank(lender);
        escrow.withdraw(NATIVE, 1000, renter);
        vm.snapshotGasLastCall("RentalEscrow", "withdraw, native coin");
    }

    /// EIP-170 allows 24,576 bytes; we keep to half of it.
    function test_TheCodeIsSmall() external {
        uint256 size = address(escrow).code.length;
        vm.snapshotValue("RentalEscrow", "runtime code in bytes", size);
        assertLe(size, 12_000);
    }
}
