// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Walker } from "./Walker.sol";
import { IRentalEscrow } from "../../../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../../../src/types/Offer.sol";
import { pack } from "../../../src/types/PackedOffer.sol";

/// @dev Every way in: by the renter, by anybody for a renter who signed, and as the extension of another rental.
abstract contract OpenHandler is Walker {
    /// @dev A call that opens `offer`, and whether it must work.
    struct Opening {
        address caller;
        uint256 value;
        uint256 fromWallet;
        bool works;
    }

    /// @dev Who rents of whom for what, and how much of a native cost the caller sends.
    struct Seeds {
        uint256 lender;
        uint256 renter;
        uint256 token;
        uint256 share;
    }

    enum Permitting {
        NONE,
        GOOD,
        USED_BY_ANOTHER, // somebody brings the permit first, and leaves the allowance
        FORGED
    }

    enum Extending {
        GOOD,
        A_SECOND_TOO_EARLY,
        SIGNED_ALONE, // the lender signed the offer, not the pair
        BY_ANOTHER,
        OF_WHAT_IS_NOT_RUNNING
    }

    function open(Offer memory offer, Seeds memory seeds) external {
        Opening memory opening = _prepared(offer, seeds);
        bytes memory signature = _sign(offer.lender, ESCROW.hashOffer(pack(offer)));
        _openOrFail(offer, opening, abi.encodeCall(ESCROW.open, (pack(offer), signature)));
    }

    function openFor(
        Offer memory offer,
        Seeds memory seeds,
        uint256 callerSeed,
        uint256 permitSeed,
        bool forged
    )
        external
    {
        Opening memory opening = _prepared(offer, seeds);
        opening.caller = _party(callerSeed);
        IRentalEscrow.Permit memory permit = _permit(offer, opening, Permitting(permitSeed % 4));
        bytes memory consent = _consent(offer, opening, forged);
        bytes memory signature = _sign(offer.lender, ESCROW.hashOffer(pack(offer)));
        _openOrFail(offer, opening, abi.encodeCall(ESCROW.openFor, (pack(offer), signature, consent, permit)));
    }

    function extend(Offer memory offer, uint256 seed, uint256 share, uint256 callerSeed, uint256 waySeed) external {
        // More often well than badly: most pairs are refused for their lane or their money already.
        Extending way = Extending(waySeed % 2 == 0 ? 0 : waySeed / 2 % 5);
        (bool found, uint256 index, Offer memory first) = _pick(seed);
        if (way == Extending.OF_WHAT_IS_NOT_RUNNING) (found, index, first,) = _pickLater(seed);
        if (!found) return;
        Opening memory opening = _prepareExtension(offer, first, share);
        if (way == Extending.A_SECOND_TOO_EARLY) offer.start--;
        if (way == Extending.BY_ANOTHER) opening.caller = _party(callerSeed);
        // Funding it may have settled the first one, if the token called back.
        opening.works = opening.works && STORE.isOpen(index) && opening.caller == offer.renter
            && (way == Extending.GOOD || way == Extending.BY_ANOTHER);
        _openOrFail(offer, opening, _extension(first, offer, way != Extending.SIGNED_ALONE));
    }

    function cancelOffers(uint256 lenderSeed, uint64 lane) external {
        address lender = lenders[lenderSeed % lenders.length];
        lane = uint64(bound(lane, 0, LANES - 1));
        bytes memory data = abi.encodeCall(ESCROW.cancelOffers, (lane));
        if (STORE.openOnLane(lender, lane) > 0) {
            _mustFail(lender, 0, data);
            return;
        }
        _mustWork(lender, 0, data);
        STORE.noteCancel(lender, lane);
    }

    /// @dev Opens an offer again that was opened before, with the lender's own signature.
    function replayOpen(uint256 seed) external {
        if (STORE.count() == 0) return;
        Offer memory offer = STORE.offerAt(seed % STORE.count());
        uint256 cost = uint256(offer.rate) * offer.duration;
        if (offer.token != NATIVE) _give(offer.token, offer.renter, cost);
        bytes memory signature = _sign(offer.lender, ESCROW.hashOffer(pack(offer)));
        _mustFail(offer.renter, offer.token == NATIVE ? cost : 0, abi.encodeCall(ESCROW.open, (pack(offer), signature)));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       PARTS
    //////////////////////////////////////////////////////////////////////////*/

    function _prepared(Offer memory offer, Seeds memory seeds) private returns (Opening memory) {
        offer.lender = lenders[seeds.lender % lenders.length];
        offer.renter = _party(seeds.renter); // may be the lender itself
        offer.token = currencies[seeds.token % currencies.length];
        _boundTerms(offer);
        return _funded(offer, seeds.share);
    }

    function _prepareExtension(
        Offer memory offer,
        Offer memory first,
        uint256 share
    )
        private
        returns (Opening memory opening)
    {
        (offer.lender, offer.renter, offer.token) = (first.lender, first.renter, first.token);
        _boundTerms(offer);
        offer.start = first.start + first.duration;
        opening = _funded(offer, share);
        opening.works = opening.works && vm.getBlockTimestamp() < uint256(offer.start) + offer.duration;
    }

    function _extension(Offer memory first, Offer memory offer, bool asPair) private view returns (bytes memory) {
        bytes32 digest = ESCROW.hashOffer(pack(offer));
        if (asPair) digest = ESCROW.hashExtension(ESCROW.hashOffer(pack(first)), digest);
        return abi.encodeCall(ESCROW.extend, (pack(first), pack(offer), _sign(offer.lender, digest)));
    }

    function _boundTerms(Offer memory offer) private view {
        uint256 time = vm.getBlockTimestamp();
        offer.lane = uint64(bound(offer.lane, 0, LANES - 1));
        offer.rate = uint96(bound(offer.rate, 0, 1e24));
        offer.duration = uint32(bound(offer.duration, 1, 8 hours));
        offer.start = uint40(bound(offer.start, time - offer.duration + 1, time + 4 hours));
        offer.grace = uint24(bound(offer.grace, 0, 1 hours));
        offer.disputeWindow = uint24(bound(offer.disputeWindow, 0, 4 hours));
        offer.expiry = uint40(bound(offer.expiry, time, time + 4 hours));
        offer.bond = uint96(bound(offer.bond, 0, 1e24));
        offer.disputeBond = uint96(bound(offer.disputeBond, 0, 1e24));
        offer.notice = uint32(bound(offer.notice, 0, 4 hours));
        offer.lateShare = uint16(bound(offer.lateShare, 0, 10_000));
        offer.noShowAfter = uint32(bound(offer.noShowAfter, 0, 4 hours));
        offer.noShowShare = uint16(bound(offer.noShowShare, 0, 10_000));
        offer.arbiter = offer.arbiter == address(0) ? address(0) : ARBITER;
    }

    /// @dev Gives the lender's ledger what the bond needs, and the renter what its ledger lacks; lets a random share of a
    /// native cost come from the wallet. Sets the lane's right number, with which opening works if the lane is idle.
    function _funded(Offer memory offer, uint256 share) private returns (Opening memory opening) {
        _fundBond(offer);
        (bool rented, uint64 next,) = ESCROW.laneState(offer.lender, offer.lane);
        offer.sequence = uint32(next);
        uint256 cost = uint256(offer.rate) * offer.duration;
        uint256 lacking = _lacking(offer.token, offer.renter, offer.lender == offer.renter ? cost + offer.bond : cost);
        opening.caller = offer.renter;
        if (offer.token == NATIVE) {
            opening.value = bound(share, lacking, cost);
            opening.fromWallet = opening.value;
        } else {
            _give(offer.token, offer.renter, lacking);
            opening.fromWallet = lacking;
        }
        opening.works = !rented && _canPull(offer.token, offer.renter, lacking);
    }

    function _fundBond(Offer memory offer) private {
        uint256 amount = _lacking(offer.token, offer.lender, offer.bond);
        if (amount == 0) return;
        if (!_canPull(offer.token, offer.lender, amount)) {
            offer.bond -= uint96(amount);
            return;
        }
        bool native = offer.token == NATIVE;
        _give(offer.token, offer.lender, amount);
        _mustWork(offer.lender, native ? amount : 0, abi.encodeCall(ESCROW.deposit, (offer.token, amount)));
        STORE.noteDeposit(offer.token, amount);
        _afterMove(offer.token);
    }

    /// @dev The renter's word, or the caller's in its place.
    function _consent(Offer memory offer, Opening memory opening, bool forged) private view returns (bytes memory) {
        address signer = forged ? opening.caller : offer.renter;
        if (signer != offer.renter) opening.works = false;
        return _sign(signer, ESCROW.hashConsent(ESCROW.hashOffer(pack(offer))));
    }

    /// @dev A permit in place of the approval, where token and renter know permits.
    function _permit(
        Offer memory offer,
        Opening memory opening,
        Permitting how
    )
        private
        returns (IRentalEscrow.Permit memory permit)
    {
        if (how == Permitting.NONE || offer.token != address(PERMITTING) || offer.renter == _wallet()) return permit;
        vm.prank(offer.renter);
        PERMITTING.approve(address(ESCROW), 0);
        permit.value = opening.fromWallet;
        permit.deadline = vm.getBlockTimestamp();
        _signPermit(permit, offer.renter, how == Permitting.FORGED ? ARBITER : offer.renter);
        if (how == Permitting.FORGED && opening.fromWallet > 0) opening.works = false;
        if (how == Permitting.USED_BY_ANOTHER) {
            PERMITTING.permit(
                offer.renter, address(ESCROW), permit.value, permit.deadline, permit.v, permit.r, permit.s
            );
        }
    }

    function _signPermit(IRentalEscrow.Permit memory permit, address owner, address signer) private view {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                address(ESCROW),
                permit.value,
                PERMITTING.nonces(owner),
                permit.deadline
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", PERMITTING.DOMAIN_SEPARATOR(), structHash));
        (permit.v, permit.r, permit.s) = vm.sign(signer == owner ? _keys[owner] : 0xbad, digest);
    }

    function _openOrFail(Offer memory offer, Opening memory opening, bytes memory data) private {
        if (!opening.works) {
            _mustFail(opening.caller, opening.value, data);
            return;
        }
        bytes32 offerHash = ESCROW.hashOffer(pack(offer));
        _mustWork(opening.caller, opening.value, data);
        STORE.noteOpen(offer, offerHash, opening.fromWallet);
        _afterMove(offer.token);
    }
}
