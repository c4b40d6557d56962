// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { DisputeHandler } from "./DisputeHandler.sol";
import { Walker } from "./Walker.sol";
import { Store } from "../stores/Store.sol";
import { DevToken } from "../../../dev/DevToken.sol";
import { FickleToken } from "../../hostile/Tokens.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../../../src/types/Offer.sol";
import { Phase } from "../../../src/types/Phase.sol";

/// @dev Every call of the escrow, and beside them what the world does: time, deposits, withdrawals, a token's moods.
contract EscrowHandler is DisputeHandler {
    constructor(IRentalEscrow escrow, DevToken token, Store store) Walker(escrow, token, store) { }

    function passTime(uint256 seconds_) external {
        vm.warp(vm.getBlockTimestamp() + bound(seconds_, 1, 4 hours));
    }

    /// @dev To the second before, at or after one of the moments on which something turns for an open rental.
    function passToBoundary(uint256 seed, uint256 which, uint256 second) external {
        (bool found,, Offer memory offer) = _pick(seed);
        Phase phase;
        if (!found || seed % 2 == 0) (found,, offer, phase) = _pickLater(seed);
        if (!found) return;
        uint256 start = offer.start;
        uint256[9] memory moments = [
            start > offer.notice ? start - offer.notice : 0,
            start,
            start + offer.grace,
            start + offer.noShowAfter,
            start + offer.duration,
            start + offer.duration + offer.disputeWindow,
            phase.at() + offer.disputeWindow,
            phase.at() + 7 days,
            offer.expiry
        ];
        uint256 time = moments[which % moments.length] + second % 3;
        if (time > vm.getBlockTimestamp() + 1) vm.warp(time - 1);
    }

    function deposit(uint256 seed, uint256 tokenSeed, uint256 amount) external {
        address party = _party(seed);
        address token = currencies[tokenSeed % currencies.length];
        amount = bound(amount, 1, 1e28);
        uint256 value = token == NATIVE ? amount : 0;
        bytes memory data = abi.encodeCall(ESCROW.deposit, (token, amount));
        _give(token, party, amount);
        if (!_canPull(token, party, amount)) {
            _mustFail(party, value, data);
            return;
        }
        _mustWork(party, value, data);
        STORE.noteDeposit(token, amount);
        _afterMove(token);
    }

    /// @dev A receiver that refuses the money keeps it in its account, and may name another one.
    function withdraw(uint256 seed, uint256 tokenSeed, uint256 amount, uint256 toSeed) external {
        address party = _party(seed);
        address to = _party(toSeed);
        address token = currencies[tokenSeed % currencies.length];
        uint256 balance = ESCROW.balanceOf(token, party);
        amount = bound(amount, 1, balance + 1);
        bytes memory data = abi.encodeCall(ESCROW.withdraw, (token, amount, to));
        bool refused = token == NATIVE ? to == _wallet() : token == address(FICKLE) && !FICKLE.pays(to);
        if (amount > balance || refused) {
            _mustFail(party, 0, data);
            return;
        }
        _mustWork(party, 0, data);
        STORE.noteWithdraw(token, amount);
        _afterMove(token);
    }

    /// @dev Changes how the fickle token behaves, and whom it blocks.
    function turn(uint256 moodSeed, uint256 blockedSeed) external {
        // Half of the time it behaves, so that there is something to misbehave with.
        uint256 mood = moodSeed % 2 == 0 ? 0 : moodSeed / 2 % 6;
        uint256 blocked = blockedSeed % (2 * parties.length);
        FICKLE.turn(FickleToken.Mood(mood), blocked < parties.length ? parties[blocked] : address(0));
        if (mood == uint256(FickleToken.Mood.REENTERING)) _arm();
    }
}
