// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { EscrowHandler } from "./handlers/EscrowHandler.sol";
import { OpenHandler } from "./handlers/OpenHandler.sol";
import { Store } from "./stores/Store.sol";
import { Offer } from "../../src/types/Offer.sol";

/// @dev A walk that meets nothing would hold every invariant. This one, of a fixed seed, shows that each call of the escrow
/// is made where it works and where it is refused.
contract WalkTest is Base {
    uint256 private constant STEPS = 3000;

    EscrowHandler private handler;
    Store private store;
    uint256 private state;

    function next() private returns (uint256) {
        state = uint256(keccak256(abi.encode(state)));
        return state;
    }

    function aBool() private returns (bool) {
        return next() % 2 == 0;
    }

    function anOffer() private returns (Offer memory offer) {
        offer.lane = uint64(next());
        offer.rate = uint96(next());
        offer.bond = uint96(next());
        offer.arbiter = address(uint160(next() % 2));
        offer.disputeBond = uint96(next());
        offer.start = uint40(next());
        offer.duration = uint32(next());
        offer.expiry = uint40(next());
        offer.grace = uint24(next());
        offer.disputeWindow = uint24(next());
        offer.notice = uint32(next());
        offer.lateShare = uint16(next());
        offer.noShowAfter = uint32(next());
        offer.noShowShare = uint16(next());
        offer.spec = bytes32(next());
    }

    function seeds() private returns (OpenHandler.Seeds memory) {
        return OpenHandler.Seeds({ lender: next(), renter: next(), token: next(), share: next() });
    }

    function step() private {
        uint256 way = next() % 25;
        if (way == 0) handler.open(anOffer(), seeds());
        else if (way == 1) handler.openFor(anOffer(), seeds(), next(), next(), next() % 4 == 0);
        else if (way == 2) handler.extend(anOffer(), next(), next(), next(), next());
        else if (way == 3) handler.cancelOffers(next(), uint64(next()));
        else if (way == 4) handler.replayOpen(next());
        else if (way == 5) handler.passTime(next());
        else if (way == 6) handler.passToBoundary(next(), next(), next());
        else if (way == 7) handler.deposit(next(), next(), next());
        else if (way == 8) handler.withdraw(next(), next(), next(), next());
        else if (way == 9) handler.turn(next(), next());
        else if (way == 10) handler.end(next());
        else if (way == 11) handler.settle(next(), next());
        else if (way == 12) handler.settleWithReceipt(next(), next(), uint32(next()), aBool());
        else close(way);
    }

    function close(uint256 way) private {
        if (way == 13) handler.forgeReceipt(next(), next(), next(), uint32(next()), aBool());
        else if (way == 14) handler.replayReceipt(next(), next(), next());
        else if (way == 15) handler.release(next(), next());
        else if (way == 16) handler.replayClose(next());
        else if (way == 17) handler.endByLender(next());
        else if (way == 18) handler.reportNoShow(next(), aBool());
        else if (way == 19) handler.settleEnded(next(), next());
        else if (way == 20) handler.dispute(next(), aBool());
        else if (way == 21) handler.resolve(next(), uint32(next()), uint96(next()), uint96(next()));
        else if (way == 22) handler.resolveSilent(next(), aBool());
        else if (way == 23) handler.closeDisputed(next());
        else handler.settleMany(next());
    }

    function test_AWalkMeetsEachCallWhereItWorksAndWhereItIsRefused() external {
        store = new Store();
        handler = new EscrowHandler(escrow, token, store);
        for (uint256 i = 0; i < STEPS; i++) {
            step();
        }
        bytes4[16] memory calls = [
            escrow.open.selector,
            escrow.openFor.selector,
            escrow.extend.selector,
            escrow.cancelOffers.selector,
            escrow.end.selector,
            escrow.reportNoShow.selector,
            escrow.settle.selector,
            escrow.settleEnded.selector,
            escrow.settleWithReceipt.selector,
            escrow.release.selector,
            escrow.dispute.selector,
            escrow.resolve.selector,
            escrow.resolveSilent.selector,
            escrow.deposit.selector,
            escrow.withdraw.selector,
            escrow.settleMany.selector
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            assertGt(store.worked(calls[i]), 0, string.concat("none worked of ", vm.toString(calls[i])));
            // A batch passes over what it can't settle.
            if (calls[i] == escrow.settleMany.selector) continue;
            assertGt(store.refused(calls[i]), 0, string.concat("none was refused of ", vm.toString(calls[i])));
        }
        assertEq(store.surprises(), 0, "calls that had to fail");
    }
}
