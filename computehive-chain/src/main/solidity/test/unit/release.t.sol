// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Base } from "../Base.t.sol";
import { KeyWallet } from "../hostile/Parties.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract ReleaseTest is Base {
    function expectRefused(Offer memory offer, bytes memory signature) internal {
        bytes32 digest = escrow.hashRelease(escrow.hashOffer(pack(offer)));
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, offer.lender, digest));
        escrow.release(pack(offer), RUNNING, signature);
    }

    function test_RevertWhen_NeverOpened() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signRelease(offer);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.release(pack(offer), RUNNING, signature);
    }

    function test_RevertWhen_AlreadyClosed() external {
        Offer memory offer = opened();
        bytes memory signature = signRelease(offer);
        escrow.release(pack(offer), RUNNING, signature);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.release(pack(offer), RUNNING, signature);
    }

    function test_RevertWhen_TheRenterSignsIt() external {
        Offer memory offer = opened();
        expectRefused(offer, sign(renterKey, escrow.hashRelease(escrow.hashOffer(pack(offer)))));
    }

    /// The lender's signature on the offer is public; it must not do for a release.
    function test_RevertWhen_TheOffersSignatureIsUsed() external {
        Offer memory offer = opened();
        expectRefused(offer, signOffer(offer));
    }

    function test_RevertWhen_TheReleaseIsForAnEarlierRental() external {
        Offer memory offer = opened();
        bytes memory signature = signRelease(offer);
        escrow.release(pack(offer), RUNNING, signature);
        offer.sequence = 1;
        open(offer);
        expectRefused(offer, signature);
    }

    function test_RevertWhen_TheReleaseIsForAnotherLane() external {
        Offer memory offer = opened();
        Offer memory other = offerOf(NATIVE);
        other.lane = LANE + 1;
        open(other);
        expectRefused(other, signRelease(offer));
    }

    function test_RevertWhen_TheReleaseIsForAnotherContract() external {
        Offer memory offer = opened();
        IRentalEscrow other = deployEscrow();
        expectRefused(offer, sign(lenderKey, other.hashRelease(other.hashOffer(pack(offer)))));
    }

    function test_AnybodyRefundsEverythingAtAnyTime() external {
        uint40[4] memory times = [NOW, START + 1 hours, END, UNLOCK + 1];
        Offer memory offer = opened();
        bytes memory signature = signRelease(offer);
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < times.length; i++) {
            vm.warp(times[i]);
            expectSettled(offer, 0, 4);
            vm.prank(stranger);
            escrow.release(pack(offer), RUNNING, signature);
            assertShared(offer, 0);
            vm.revertToState(snapshot);
        }
    }

    function test_AWalletContractMayBeTheLender() external {
        KeyWallet wallet = new KeyWallet(lender);
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(wallet);
        open(offer);
        escrow.release(pack(offer), RUNNING, signRelease(offer));
        assertShared(offer, 0);
    }
}
