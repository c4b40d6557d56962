// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { FickleToken } from "../hostile/Tokens.sol";
import { EscrowHandler } from "./handlers/EscrowHandler.sol";
import { Store } from "./stores/Store.sol";
import { DevToken } from "../../dev/DevToken.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { Phase } from "../../src/types/Phase.sol";

/// @dev What must hold after any sequence of calls. CONTRACT.md says which promise is held by which of these.
contract EscrowInvariants is Base {
    EscrowHandler internal handler;
    Store internal store;

    function setUp() public override {
        super.setUp();
        store = new Store();
        handler = new EscrowHandler(escrow, token, store);
        targetContract(address(handler));
    }

    /// After each call of a walk: the money of the token that moved last, and all that the calls themselves noticed. What
    /// stays wrong once it is wrong is looked at when the walk is over.
    function invariant_ThePromisesHold() external view {
        assertTheLedgerIsConserved(store.touched());
        assertEachOfferOpensOnce();
        assertNoEarlyPayout();
        assertNoCheapClose();
        assertNoSurprise();
    }

    function afterInvariant() external {
        for (uint256 i = 0; i < handler.currencyCount(); i++) {
            assertTheLedgerIsConserved(handler.currencies(i));
        }
        assertSequencesGrowByOne();
        assertOneRentalPerLane();
        assertRecordsAreTrue();
        everybodyGetsOut();
    }

    /// What the escrow holds is what it owes, and what came in less what went out. Nobody donates here, so it is equal.
    function assertTheLedgerIsConserved(address currency) internal view {
        uint256 held = currency == NATIVE ? address(escrow).balance : DevToken(currency).balanceOf(address(escrow));
        assertEq(held, sumOfAccounts(currency) + store.locked(currency), "held is not what is owed");
        assertEq(held, store.cameIn(currency) - store.wentOut(currency), "held is not what came and stayed");
    }

    function sumOfAccounts(address currency) internal view returns (uint256 sum) {
        for (uint256 i = 0; i < handler.partyCount(); i++) {
            sum += escrow.balanceOf(currency, handler.parties(i));
        }
    }

    /// A lane's number grows by one with each closing and each cancelling, and in no other way.
    function assertSequencesGrowByOne() internal view {
        for (uint256 i = 0; i < handler.lenderCount(); i++) {
            address owner = handler.lenders(i);
            for (uint64 lane = 0; lane < handler.LANES(); lane++) {
                (bool rented, uint64 sequence,) = escrow.laneState(owner, lane);
                uint64 moves = store.closesAndCancels(owner, lane);
                if (!rented) {
                    assertEq(sequence, moves, "sequence");
                } else {
                    assertEq(store.offerAt(store.lastOnLane(owner, lane)).sequence, moves, "sequence of the open one");
                }
            }
        }
    }

    /// An offer opens at most one rental.
    function assertEachOfferOpensOnce() internal view {
        assertEq(store.replays(), 0, "an offer opened twice");
    }

    /// A lane carries at most one rental, and tells which and in what phase.
    function assertOneRentalPerLane() internal view {
        assertEq(store.doubleBookings(), 0, "two rentals on a lane");
        for (uint256 i = 0; i < handler.lenderCount(); i++) {
            address owner = handler.lenders(i);
            for (uint64 lane = 0; lane < handler.LANES(); lane++) {
                (bool rented,, bytes32 onLane) = escrow.laneState(owner, lane);
                assertEq(rented, store.openOnLane(owner, lane) == 1, "rented");
                if (rented) assertEq(onLane, keyOf(store.lastOnLane(owner, lane)), "which");
            }
        }
    }

    function keyOf(uint256 index) internal view returns (bytes32) {
        Offer memory offer = store.offerAt(index);
        Phase phase = store.phaseOf(index);
        return phase.isRunning() ? keyOf(offer) : keccak256(abi.encode(pack(offer), phase));
    }

    /// No lender is paid before end and window without the renter's call or signature, or a ruling.
    function assertNoEarlyPayout() internal view {
        assertEq(store.earlyPayouts(), 0, "early payouts");
    }

    /// No lender gets less than the renter owes without its call or signature, or a ruling.
    function assertNoCheapClose() internal view {
        assertEq(store.cheapCloses(), 0, "cheap closes");
    }

    /// Counters count what happened, and nothing else.
    function assertRecordsAreTrue() internal view {
        for (uint256 i = 0; i < handler.partyCount(); i++) {
            for (uint256 j = 0; j < handler.currencyCount(); j++) {
                assertRecordOf(handler.currencies(j), handler.parties(i));
            }
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
    /// accounts, tokens that misbehave, disputed rentals closed by other means than a ruling or silence.
    function assertNoSurprise() internal view {
        assertEq(store.surprises(), 0, "calls that had to fail");
    }

    /// Whatever happened, everybody can get out alone: every rental is closed, whatever its token does, and every account
    /// drawn to zero, those of a token that misbehaves once it behaves again.
    function everybodyGetsOut() internal {
        vm.warp(vm.getBlockTimestamp() + 365 days);
        for (uint256 i = 0; i < store.count(); i++) {
            if (!store.isOpen(i)) continue;
            Phase phase = store.phaseOf(i);
            if (phase.isRunning()) escrow.settle(pack(store.offerAt(i)));
            else if (phase.isDisputed()) escrow.resolveSilent(pack(store.offerAt(i)), phase);
            else escrow.settleEnded(pack(store.offerAt(i)), phase);
        }
        for (uint256 i = 0; i < handler.currencyCount(); i++) {
            address currency = handler.currencies(i);
            if (currency == address(handler.FICKLE())) {
                handler.FICKLE().turn(FickleToken.Mood.HONEST, address(0));
            }
            for (uint256 j = 0; j < handler.partyCount(); j++) {
                leave(currency, handler.parties(j));
            }
            assertEq(currency == NATIVE ? address(escrow).balance : DevToken(currency).balanceOf(address(escrow)), 0);
        }
    }

    function leave(address currency, address party) internal {
        uint256 balance = escrow.balanceOf(currency, party);
        if (balance == 0) return;
        vm.prank(party);
        escrow.withdraw(currency, balance, stranger);
    }
}
