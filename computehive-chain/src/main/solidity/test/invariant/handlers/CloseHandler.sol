// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { OpenHandler } from "./OpenHandler.sol";
import { Offer } from "../../../src/types/Offer.sol";
import { pack } from "../../../src/types/PackedOffer.sol";
import { RUNNING } from "../../../src/types/Phase.sol";

/// @dev The ways out in one call, each with what somebody might try instead.
abstract contract CloseHandler is OpenHandler {
    function end(uint256 seed) external {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        uint256 used = _owed(offer);
        _before(offer);
        _mustWork(offer.renter, 0, abi.encodeCall(ESCROW.end, (pack(offer))));
        _after(index, offer, Closing(used, 0, 0, true, false));
    }

    function settle(uint256 seed, uint256 callerSeed) external {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        address caller = _party(callerSeed);
        bytes memory data = abi.encodeCall(ESCROW.settle, (pack(offer)));
        if (vm.getBlockTimestamp() < _unlock(offer, RUNNING)) {
            _mustFail(caller, 0, data);
            return;
        }
        _before(offer);
        _mustWork(caller, 0, data);
        _after(index, offer, Closing(offer.duration, 0, 0, false, false));
    }

    function settleWithReceipt(uint256 seed, uint256 callerSeed, uint32 used, bool lenderSigns) external {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        address caller = _party(callerSeed);
        used = uint32(bound(used, 0, offer.duration));
        bool lenderAgreed = lenderSigns || caller == offer.lender;
        bytes memory data = _receiptCall(
            offer, ESCROW.hashOffer(pack(offer)), used, offer.renter, lenderSigns ? offer.lender : address(0)
        );
        if (!lenderAgreed && used < _owed(offer)) {
            _mustFail(caller, 0, data);
            return;
        }
        _before(offer);
        _mustWork(caller, 0, data);
        _after(index, offer, Closing(used, 0, 0, true, lenderAgreed));
    }

    /// @dev Brings a receipt on which a signature is another's than it should be.
    function forgeReceipt(uint256 seed, uint256 callerSeed, uint256 forgerSeed, uint32 used, bool ofRenter) external {
        (bool found,, Offer memory offer) = _pick(seed);
        address forger = _party(forgerSeed);
        if (!found || forger == (ofRenter ? offer.renter : offer.lender)) return;
        used = uint32(bound(used, 0, offer.duration));
        _mustFail(
            _party(callerSeed),
            0,
            _receiptCall(
                offer,
                ESCROW.hashOffer(pack(offer)),
                used,
                ofRenter ? forger : offer.renter,
                ofRenter ? offer.lender : forger
            )
        );
    }

    /// @dev Brings a receipt that both signed for another rental.
    function replayReceipt(uint256 seed, uint256 otherSeed, uint256 callerSeed) external {
        (bool found,, Offer memory offer) = _pick(seed);
        if (!found) return;
        Offer memory other = STORE.offerAt(otherSeed % STORE.count());
        bytes32 otherHash = ESCROW.hashOffer(pack(other));
        if (otherHash == ESCROW.hashOffer(pack(offer))) return;
        _mustFail(_party(callerSeed), 0, _receiptCall(offer, otherHash, 0, offer.renter, offer.lender));
    }

    function release(uint256 seed, uint256 callerSeed) external {
        (bool found, uint256 index, Offer memory offer) = _pick(seed);
        if (!found) return;
        bytes memory signature = _sign(offer.lender, ESCROW.hashRelease(ESCROW.hashOffer(pack(offer))));
        _before(offer);
        _mustWork(_party(callerSeed), 0, abi.encodeCall(ESCROW.release, (pack(offer), RUNNING, signature)));
        _after(index, offer, Closing(0, _conceded(offer), 0, false, true));
    }

    /// @dev Closes a rental again that was closed before, in each way.
    function replayClose(uint256 seed) external {
        uint256 count = STORE.count();
        if (count == 0 || STORE.isOpen(seed % count)) return;
        Offer memory offer = STORE.offerAt(seed % count);
        bytes32 offerHash = ESCROW.hashOffer(pack(offer));
        bytes memory agreed = _sign(offer.lender, ESCROW.hashRelease(offerHash));
        _mustFail(offer.renter, 0, abi.encodeCall(ESCROW.end, (pack(offer))));
        _mustFail(offer.lender, 0, abi.encodeCall(ESCROW.settle, (pack(offer))));
        _mustFail(offer.lender, 0, _receiptCall(offer, offerHash, offer.duration, offer.renter, offer.lender));
        _mustFail(offer.renter, 0, abi.encodeCall(ESCROW.release, (pack(offer), RUNNING, agreed)));
    }

    /// @dev The call that settles `offer` with a receipt over the rental `offerHash`, signed in place of renter and lender
    /// by whom it is told; by the zero address means not at all.
    function _receiptCall(
        Offer memory offer,
        bytes32 offerHash,
        uint32 used,
        address asRenter,
        address asLender
    )
        private
        view
        returns (bytes memory)
    {
        bytes32 digest = ESCROW.hashReceipt(offerHash, used);
        bytes memory ofLender = asLender == address(0) ? bytes("") : _sign(asLender, digest);
        return abi.encodeCall(ESCROW.settleWithReceipt, (pack(offer), RUNNING, used, _sign(asRenter, digest), ofLender));
    }
}
