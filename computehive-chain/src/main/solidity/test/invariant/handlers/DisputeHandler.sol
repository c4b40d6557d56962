// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Vm } from "forge-std/Vm.sol";

import { CloseHandler } from "./CloseHandler.sol";
import { Offer } from "../../../src/types/Offer.sol";
import { PackedOffer, pack } from "../../../src/types/PackedOffer.sol";
import { Phase, RUNNING } from "../../../src/types/Phase.sol";

/// @dev The ways out that take more than one call, and batches.
abstract contract DisputeHandler is CloseHandler {
    function endByLender(uint256 seed) external {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found || offer.lender == offer.renter) return;
        uint256 time = vm.getBlockTimestamp();
        bytes memory data = abi.encodeCall(ESCROW.end, (pack(offer)));
        if (time <= uint256(offer.start) + offer.grace) {
            _before(offer);
            _mustWork(offer.lender, 0, data);
            _after(index, offer, Closing(0, _conceded(offer), 0, false, true));
        } else if (time >= uint256(offer.start) + offer.duration) {
            _mustFail(offer.lender, 0, data);
        } else {
            vm.recordLogs();
            _mustWork(offer.lender, 0, data);
            STORE.notePhase(index, _logged());
        }
    }

    function reportNoShow(uint256 seed, bool asRenter) external {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found || offer.lender == offer.renter) return;
        uint256 time = vm.getBlockTimestamp();
        uint256 start = offer.start;
        bool works = offer.arbiter != address(0)
            && (asRenter
                    ? time >= start && time <= start + offer.grace
                    : offer.noShowAfter > 0 && time >= start + offer.noShowAfter && time < start + offer.duration);
        address caller = asRenter ? offer.renter : offer.lender;
        bytes memory data = abi.encodeCall(ESCROW.reportNoShow, (pack(offer)));
        if (!works) {
            _mustFail(caller, 0, data);
            return;
        }
        vm.recordLogs();
        _mustWork(caller, 0, data);
        STORE.notePhase(index, _logged());
    }

    function settleEnded(uint256 seed, uint256 callerSeed) external {
        (bool found, uint256 index, Offer memory offer, Phase phase) = _pickLater(seed);
        if (!found) return;
        address caller = _party(callerSeed);
        address against = phase.isEnded() ? offer.renter : offer.lender;
        bytes memory data = abi.encodeCall(ESCROW.settleEnded, (pack(offer), phase));
        if (phase.isDisputed() || (caller != against && vm.getBlockTimestamp() < _unlock(offer, phase))) {
            _mustFail(caller, 0, data);
            return;
        }
        _before(offer);
        _mustWork(caller, 0, data);
        _after(
            index,
            offer,
            Closing(phase.used(), phase.isAbsent() ? offer.bond : 0, 0, caller == offer.renter, phase.isEnded())
        );
    }

    function dispute(uint256 seed, bool running) external {
        (bool found, uint256 index, Offer memory offer, Phase phase) = _pickAny(seed, running);
        if (!found) return;
        address caller = phase.isAbsent() ? offer.lender : offer.renter;
        bytes memory data = abi.encodeCall(ESCROW.dispute, (pack(offer), phase, keccak256("root"), 7));
        uint256 lacking = _lacking(offer.token, caller, offer.disputeBond);
        uint256 value = offer.token == NATIVE ? lacking : 0;
        if (
            offer.arbiter == address(0) || phase.isDisputed() || vm.getBlockTimestamp() >= _unlock(offer, phase)
                || !_canPull(offer.token, caller, lacking)
        ) {
            _mustFail(caller, value, data);
            return;
        }
        _give(offer.token, caller, lacking);
        vm.recordLogs();
        _mustWork(caller, value, data);
        STORE.noteDispute(index, _logged(), lacking);
        _afterMove(offer.token);
    }

    function resolve(uint256 seed, uint32 used, uint96 slash, uint96 forfeit) external {
        (bool found, uint256 index, Offer memory offer, Phase phase) = _pickLater(seed);
        if (!found) return;
        used = uint32(bound(used, 0, uint256(offer.duration) + 1));
        slash = uint96(bound(slash, 0, uint256(offer.bond) + 1));
        forfeit = uint96(bound(forfeit, 0, uint256(offer.disputeBond) + 1));
        bytes memory data = abi.encodeCall(ESCROW.resolve, (pack(offer), phase, used, slash, forfeit));
        _mustFail(offer.lender, 0, data);
        if (!phase.isDisputed() || used > offer.duration || slash > offer.bond || forfeit > offer.disputeBond) {
            _mustFail(ARBITER, 0, data);
            return;
        }
        _before(offer);
        _mustWork(ARBITER, 0, data);
        _after(index, offer, Closing(used, slash, forfeit, true, true));
    }

    function resolveSilent(uint256 seed, bool wait) external {
        (bool found, uint256 index, Offer memory offer, Phase phase) = _pickLater(seed);
        if (!found) return;
        bytes memory data = abi.encodeCall(ESCROW.resolveSilent, (pack(offer), phase));
        if (wait && phase.isDisputed()) {
            uint256 from = _unlock(offer, phase);
            if (vm.getBlockTimestamp() < from) vm.warp(from);
        }
        if (!phase.isDisputed() || vm.getBlockTimestamp() < _unlock(offer, phase)) {
            _mustFail(offer.lender, 0, data);
            return;
        }
        _before(offer);
        _mustWork(offer.lender, 0, data);
        _after(index, offer, Closing(phase.used(), 0, 0, false, false));
    }

    /// @dev A disputed rental is closed by nothing that works on any other one.
    function closeDisputed(uint256 seed) external {
        (bool found,, Offer memory offer, Phase phase) = _pickLater(seed);
        if (!found || !phase.isDisputed()) return;
        bytes32 offerHash = ESCROW.hashOffer(pack(offer));
        bytes32 digest = ESCROW.hashReceipt(offerHash, offer.duration);
        bytes memory byRenter = _sign(offer.renter, digest);
        bytes memory byLender = _sign(offer.lender, digest);
        bytes memory released = _sign(offer.lender, ESCROW.hashRelease(offerHash));
        for (uint256 i = 0; i < 2; i++) {
            Phase told = i == 0 ? phase : RUNNING;
            _mustFail(
                offer.lender,
                0,
                abi.encodeCall(ESCROW.settleWithReceipt, (pack(offer), told, offer.duration, byRenter, byLender))
            );
            _mustFail(offer.lender, 0, abi.encodeCall(ESCROW.release, (pack(offer), told, released)));
            _mustFail(offer.renter, 0, abi.encodeCall(ESCROW.settleEnded, (pack(offer), told)));
        }
        _mustFail(offer.renter, 0, abi.encodeCall(ESCROW.end, (pack(offer))));
        _mustFail(offer.lender, 0, abi.encodeCall(ESCROW.settle, (pack(offer))));
    }

    /// @dev Settles all there is in one batch: what is due is closed, and nothing else.
    function settleMany(uint256 callerSeed) external {
        PackedOffer[] memory offers = _all();
        vm.prank(_party(callerSeed));
        uint256 settled = ESCROW.settleMany(offers);
        assertEq(settled, _noteDue(offers.length), "settled");
        if (settled > 0) STORE.noteWorked(ESCROW.settleMany.selector);
    }

    function _pickAny(
        uint256 seed,
        bool running
    )
        private
        view
        returns (bool found, uint256 index, Offer memory offer, Phase phase)
    {
        if (!running) return _pickLater(seed);
        (found, index, offer) = _pick(seed);
    }

    /// @dev The phase that the escrow's one event since logs are recorded told.
    function _logged() private returns (Phase) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 i = 0;
        while (logs[i].emitter != address(ESCROW)) i++;
        (uint256 phase) = abi.decode(logs[i].data, (uint256));
        return Phase.wrap(phase);
    }
}
