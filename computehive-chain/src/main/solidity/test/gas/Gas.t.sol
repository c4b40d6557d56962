// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { Offer } from "../../src/types/Offer.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { PackedOffer, pack } from "../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../src/types/Phase.sol";

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
        escrow.end(pack(offer));

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
        escrow.open{ value: COST }(pack(offer), signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, native coin");
    }

    function test_OpenLedger() external {
        Offer memory offer = second(address(token));
        depositAs(renter, address(token), 10 * COST);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open(pack(offer), signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, ERC-20 from the ledger");
    }

    function test_OpenWallet() external {
        Offer memory offer = second(address(token));
        drainRenter(address(token));
        vm.prank(lender);
        escrow.withdraw(address(token), 1, lender); // leaves the escrow with tokens, as in use
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open(pack(offer), signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, ERC-20 from the wallet");
    }

    function test_OpenFirst() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open{ value: COST }(pack(offer), signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, native coin, first on its lane");
    }

    function test_Settle() external {
        Offer memory offer = openSecond(address(token));
        vm.warp(LATER + DURATION + DISPUTE_WINDOW);
        vm.prank(stranger);
        escrow.settle(pack(offer));
        vm.snapshotGasLastCall("RentalEscrow", "settle");
    }

    function test_End() external {
        Offer memory offer = openSecond(address(token));
        vm.warp(LATER + 1 hours);
        vm.prank(renter);
        escrow.end(pack(offer));
        vm.snapshotGasLastCall("RentalEscrow", "end early, with a refund");
    }

    function test_Receipt() external {
        Offer memory offer = openSecond(address(token));
        bytes memory signature = signReceipt(offer, 1 hours);
        vm.prank(lender);
        escrow.settleWithReceipt(pack(offer), RUNNING, 1 hours, signature, "");
        vm.snapshotGasLastCall("RentalEscrow", "receipt of the renter, with a refund");
    }

    function test_ReceiptOfBoth() external {
        Offer memory offer = openSecond(address(token));
        bytes memory renterSignature = signReceipt(offer, 1 hours);
        bytes memory lenderSignature = signReceiptAsLender(offer, 1 hours);
        vm.warp(LATER + DURATION);
        vm.prank(stranger);
        escrow.settleWithReceipt(pack(offer), RUNNING, 1 hours, renterSignature, lenderSignature);
        vm.snapshotGasLastCall("RentalEscrow", "receipt of both, with a refund");
    }

    function test_Release() external {
        Offer memory offer = openSecond(address(token));
        bytes memory signature = signRelease(offer);
        vm.prank(renter);
        escrow.release(pack(offer), RUNNING, signature);
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

    /// @dev Opens `count` rentals of one lender on lanes that were used before, and settles them together.
    function settleMany(uint64 count, string memory name) internal {
        PackedOffer[] memory offers = new PackedOffer[](count);
        token.mint(renter, 2 * COST * count);
        depositAs(lender, address(token), 1);
        for (uint64 i = 0; i < count; i++) {
            Offer memory offer = offerOf(address(token));
            offer.lane = i;
            open(offer);
            vm.prank(renter);
            escrow.end(pack(offer));
            offer.sequence = 1;
            open(offer);
            offers[i] = pack(offer);
        }
        vm.warp(UNLOCK);
        vm.prank(stranger);
        escrow.settleMany(offers);
        vm.snapshotGasLastCall("RentalEscrow", name);
    }

    function test_SettleOne() external {
        settleMany(1, "settleMany of 1");
    }

    function test_SettleTwenty() external {
        settleMany(20, "settleMany of 20");
    }

    function test_SettleHundred() external {
        settleMany(100, "settleMany of 100");
    }

    /// @dev The second offer of a lane, with an arbiter and both bonds, open.
    function disputable() internal returns (Offer memory offer) {
        offer = second(address(token));
        depositAs(lender, address(token), BOND);
        depositAs(renter, address(token), 10 * COST);
        offer = withArbiter(offer);
        open(offer);
        vm.warp(LATER + 1 hours);
    }

    function test_OpenWithBond() external {
        Offer memory offer = withArbiter(second(address(token)));
        depositAs(lender, address(token), BOND);
        depositAs(renter, address(token), 10 * COST);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open(pack(offer), signature);
        vm.snapshotGasLastCall("RentalEscrow", "open, ERC-20 from the ledger, with a bond");
    }

    function test_OpenFor() external {
        Offer memory offer = second(address(token));
        depositAs(renter, address(token), 10 * COST);
        bytes memory signature = signOffer(offer);
        bytes memory consent = sign(renterKey, escrow.hashConsent(escrow.hashOffer(pack(offer))));
        IRentalEscrow.Permit memory none;
        vm.prank(stranger);
        escrow.openFor(pack(offer), signature, consent, none);
        vm.snapshotGasLastCall("RentalEscrow", "openFor, ERC-20 from the ledger");
    }

    function test_Extend() external {
        Offer memory first = second(address(token));
        depositAs(renter, address(token), 10 * COST);
        open(first);
        Offer memory offer = offerOf(address(token));
        (offer.lane, offer.start, offer.expiry) = (LANE + 1, LATER + DURATION, LATER + DURATION);
        vm.prank(lender);
        escrow.cancelOffers(LANE + 1);
        offer.sequence = 1;
        bytes32 digest = escrow.hashExtension(escrow.hashOffer(pack(first)), escrow.hashOffer(pack(offer)));
        bytes memory signature = sign(lenderKey, digest);
        vm.prank(renter);
        escrow.extend(pack(first), pack(offer), signature);
        vm.snapshotGasLastCall("RentalEscrow", "extend, ERC-20 from the ledger");
    }

    function test_Dispute() external {
        Offer memory offer = disputable();
        vm.prank(renter);
        escrow.dispute(pack(offer), RUNNING, keccak256("root"), 7);
        vm.snapshotGasLastCall("RentalEscrow", "dispute");
    }

    function test_Resolve() external {
        Offer memory offer = disputable();
        vm.recordLogs();
        vm.prank(renter);
        escrow.dispute(pack(offer), RUNNING, keccak256("root"), 7);
        Phase phase = loggedPhase();
        vm.prank(arbiter);
        escrow.resolve(pack(offer), phase, 1000, 10, 10);
        vm.snapshotGasLastCall("RentalEscrow", "resolve");
    }

    function test_EndByLender() external {
        Offer memory offer = disputable();
        vm.recordLogs();
        vm.prank(lender);
        escrow.end(pack(offer));
        vm.snapshotGasLastCall("RentalEscrow", "end by the lender");
        Phase phase = loggedPhase();
        vm.warp(LATER + 1 hours + DISPUTE_WINDOW);
        vm.prank(stranger);
        escrow.settleEnded(pack(offer), phase);
        vm.snapshotGasLastCall("RentalEscrow", "settleEnded");
    }

    /// EIP-170 allows 24,576 bytes; we keep to half of it.
    function test_TheCodeIsSmall() external {
        uint256 size = address(escrow).code.length;
        vm.snapshotValue("RentalEscrow", "runtime code in bytes", size);
        assertLe(size, 12_000);
    }
}
