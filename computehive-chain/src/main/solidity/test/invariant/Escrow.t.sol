// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { DisputeHandler } from "./handlers/DisputeHandler.sol";
import { Store } from "./stores/Store.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { Phase } from "../../src/types/Phase.sol";

/// @dev What must hold after any sequence of calls.
contract EscrowInvariants is Base {
    DisputeHandler internal handler;
    Store internal store;

    function setUp() public override {
        super.setUp();
        store = new Store();
        handler = new DisputeHandler(escrow, token, store);
        targetContract(address(handler));
    }

    function sumOfAccounts(address currency) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < handler.partyCount(); i++) {
            sum += escrow.balanceOf(currency, handler.parties(i));
        }
    }

    /// What the escrow holds is what it owes, and what came in less what went out. Nobody donates here, so it is equal.
    function invariant_TheLedgerIsConserved() external view {
        assertEq(address(escrow).balance, sumOfAccounts(NATIVE) + store.locked(NATIVE), "coin");
        assertEq(
            token.balanceOf(address(escrow)), sumOfAccounts(address(token)) + store.locked(address(token)), "token"
        );
        assertEq(address(escrow).balance, store.cameIn(NATIVE) - store.wentOut(NATIVE), "coin in and out");
        assertEq(
            token.balanceOf(address(escrow)),
            store.cameIn(address(token)) - store.wentOut(address(token)),
            "token in and out"
        );
    }

    /// A lane's number grows by one with each closing and each cancelling, and in no other way.
    function invariant_SequencesGrowByOne() external view {
        for (uint256 i = 0; i < 2; i++) {
            for (uint64 lane = 0; lane < 2; lane++) {
                address owner = handler.parties(i);
                (bool rented, uint64 sequence,) = escrow.laneState(owner, lane);
                if (!rented) assertEq(sequence, store.closesAndCancels(owner, lane));
            }
        }
    }

    /// An offer opens at most once; a lane carries at most one rental; the lane tells which.
    function invariant_OneRentalPerLaneAndOneUsePerOffer() external view {
        for (uint256 i = 0; i < store.count(); i++) {
            Offer memory offer = store.offerAt(i);
            assertEq(store.opens(escrow.hashOffer(pack(offer))), 1, "opens");
            uint256 open = store.openOnLane(offer.lender, offer.lane);
            assertLe(open, 1, "open on the lane");
            (bool rented,, bytes32 onLane) = escrow.laneState(offer.lender, offer.lane);
            assertEq(rented, open == 1, "rented");
            Phase phase = store.phaseOf(i);
            bytes32 key = phase.isRunning() ? keyOf(offer) : keccak256(abi.encode(pack(offer), phase));
            assertEq(onLane == key, store.isOpen(i), "which");
            if (store.isOpen(i)) {
                assertEq(offer.sequence, store.closesAndCancels(offer.lender, offer.lane), "sequence of the open one");
            }
        }
    }

    /// No lender is paid before end and window without the renter's call or signature.
    function invariant_NoEarlyPayout() external view {
        assertEq(store.earlyPayouts(), 0);
    }

    /// No lender gets less than the accrued seconds without its call or signature.
    function invariant_NoCheapClose() external view {
        assertEq(store.cheapCloses(), 0);
    }

    /// The lenders' counters count what happened, and nothing else.
    function invariant_RecordsAreTrue() external view {
        for (uint256 i = 0; i < handler.partyCount(); i++) {
            assertRecordOf(NATIVE, handler.parties(i));
            assertRecordOf(address(token), handler.parties(i));
        }
    }

    function assertRecordOf(address currency, address party) internal view {
        Store.Record memory record = store.recordOf(currency, party);
        (uint256 served, uint256 settled, uint256 disputed, uint256 slashed) = escrow.recordOf(currency, party);
        assertEq(served, record.secondsServed, "secondsServed");
        assertEq(settled, record.settled, "settled");
        assertEq(disputed, record.disputed, "disputed");
        assertEq(slashed, record.slashed, "slashed");
    }

    /// Calls that had to fail did: replays, forgeries, double bookings, early settlements, cheap receipts, overdrawn
    /// accounts.
    function invariant_NoSurprise() external view {
        assertEq(store.surprises(), 0);
    }

    /// Whatever happened, everybody can get out alone: every rental is closed and every account drawn to zero.
    function afterInvariant() external {
        vm.warp(vm.getBlockTimestamp() + 365 days);
        for (uint256 i = 0; i < store.count(); i++) {
            if (!store.isOpen(i)) continue;
            Phase phase = store.phaseOf(i);
            if (phase.isRunning()) escrow.settle(pack(store.offerAt(i)));
            else if (phase.isDisputed()) escrow.resolveSilent(pack(store.offerAt(i)), phase);
            else escrow.settleEnded(pack(store.offerAt(i)), phase);
        }
        for (uint256 i = 0; i < handler.partyCount(); i++) {
            leave(NATIVE, handler.parties(i));
            leave(address(token), handler.parties(i));
        }
        assertEq(address(escrow).balance, 0);
        assertEq(token.balanceOf(address(escrow)), 0);
    }

    function leave(address currency, address party) internal {
        uint256 balance = escrow.balanceOf(currency, party);
        if (balance == 0) return;
        vm.prank(party);
        escrow.withdraw(currency, balance, party);
    }
}
