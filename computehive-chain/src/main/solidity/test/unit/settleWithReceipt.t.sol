// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC1271 } from "@openzeppelin/contracts/interfaces/IERC1271.sol";

import { Base } from "../Base.t.sol";
import { KeyWallet, LyingWallet } from "../hostile/Parties.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract SettleWithReceiptTest is Base {
    function test_RevertWhen_UsedOverDuration() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, DURATION + 1);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(Errors.UsedOverDuration.selector, DURATION + 1, DURATION));
        escrow.settleWithReceipt(pack(offer), RUNNING, DURATION + 1, signature, "");
    }

    function test_RevertWhen_NeverOpened() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signReceipt(offer, 1);
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.settleWithReceipt(pack(offer), RUNNING, 1, signature, "");
    }

    function test_RevertWhen_AlreadyClosed() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, 1);
        escrow.settleWithReceipt(pack(offer), RUNNING, 1, signature, "");
        vm.expectRevert(abi.encodeWithSelector(Errors.NotOpen.selector, pack(offer).lenderWord));
        escrow.settleWithReceipt(pack(offer), RUNNING, 1, signature, "");
    }

    function expectRefused(Offer memory offer, uint32 used, bytes memory signature) internal {
        bytes32 digest = escrow.hashReceipt(escrow.hashOffer(pack(offer)), used);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, offer.renter, digest));
        escrow.settleWithReceipt(pack(offer), RUNNING, used, signature, "");
    }

    function test_RevertWhen_TheLenderSignsForTheRenter() external {
        Offer memory offer = opened();
        expectRefused(offer, 60, signReceiptAsLender(offer, 60));
    }

    /// However the lender agrees: nobody takes a renter's money without its signature.
    function test_RevertWhen_TheRenterDoesNotSign() external {
        Offer memory offer = opened();
        bytes memory lenderSignature = signReceiptAsLender(offer, DURATION);
        bytes32 digest = escrow.hashReceipt(escrow.hashOffer(pack(offer)), DURATION);
        address[3] memory callers = [lender, renter, stranger];
        for (uint256 i = 0; i < callers.length; i++) {
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, renter, digest));
            escrow.settleWithReceipt(pack(offer), RUNNING, DURATION, "", lenderSignature);
        }
    }

    function test_RevertWhen_TheSignaturesAreSwapped() external {
        Offer memory offer = opened();
        bytes memory renterSignature = signReceipt(offer, 60);
        bytes memory lenderSignature = signReceiptAsLender(offer, 60);
        bytes32 digest = escrow.hashReceipt(escrow.hashOffer(pack(offer)), 60);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, renter, digest));
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, lenderSignature, renterSignature);
    }

    function test_RevertWhen_TheSecondsWereChanged() external {
        Offer memory offer = opened();
        expectRefused(offer, 61, signReceipt(offer, 60));
    }

    function test_RevertWhen_TheSignatureIsMalleable() external {
        Offer memory offer = opened();
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(renterKey, escrow.hashReceipt(escrow.hashOffer(pack(offer)), 60));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        expectRefused(offer, 60, abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_RevertWhen_TheReceiptIsForAnotherLane() external {
        Offer memory offer = opened();
        Offer memory other = offerOf(NATIVE);
        other.lane = LANE + 1;
        open(other);
        expectRefused(other, 60, signReceipt(offer, 60));
    }

    function test_RevertWhen_TheReceiptIsForAnEarlierRental() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, 60);
        vm.prank(renter);
        escrow.end(pack(offer));
        offer.sequence = 1;
        open(offer);
        expectRefused(offer, 60, signature);
    }

    function test_RevertWhen_TheReceiptIsForAnotherContract() external {
        Offer memory offer = opened();
        IRentalEscrow other = deployEscrow();
        expectRefused(offer, 60, sign(renterKey, other.hashReceipt(other.hashOffer(pack(offer)), 60)));
    }

    function test_RevertWhen_TheReceiptIsForAnotherChain() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, 60);
        vm.chainId(4242);
        expectRefused(offer, 60, signature);
    }

    /// The renter's own "I used nothing" after it used the window would be a rental for free.
    function test_RevertWhen_TheRenterSignsItselfLessThanItOwes() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, 0);
        uint40[3] memory times = [START + GRACE + 1, END - 1, UNLOCK];
        uint32[3] memory owed = [GRACE + 1, DURATION - 1, DURATION];
        for (uint256 i = 0; i < times.length; i++) {
            vm.warp(times[i]);
            vm.prank(renter);
            vm.expectRevert(abi.encodeWithSelector(Errors.ReceiptBelowAccrued.selector, 0, owed[i]));
            escrow.settleWithReceipt(pack(offer), RUNNING, 0, signature, "");
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                THE LENDER'S SIGNATURE
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Expects that a lender's signature is refused, though the renter's over `used` is good and the renter brings
    /// both after the window.
    function expectLenderRefused(Offer memory offer, uint32 used, bytes memory lenderSignature) internal {
        bytes memory renterSignature = signReceipt(offer, used);
        bytes32 digest = escrow.hashReceipt(escrow.hashOffer(pack(offer)), used);
        vm.warp(END);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, offer.lender, digest));
        escrow.settleWithReceipt(pack(offer), RUNNING, used, renterSignature, lenderSignature);
    }

    function test_RevertWhen_TheRenterSignsForTheLender() external {
        Offer memory offer = opened();
        expectLenderRefused(offer, 60, signReceipt(offer, 60));
    }

    function test_RevertWhen_AStrangerSignsForTheLender() external {
        Offer memory offer = opened();
        expectLenderRefused(offer, 60, sign(strangerKey, escrow.hashReceipt(escrow.hashOffer(pack(offer)), 60)));
    }

    /// The lender's signature on the offer is public; it must not do for a receipt. Nor must a release.
    function test_RevertWhen_TheLenderSignedSomethingElse() external {
        Offer memory offer = opened();
        expectLenderRefused(offer, 60, signOffer(offer));
        expectLenderRefused(offer, 0, signRelease(offer));
    }

    function test_RevertWhen_TheLenderSignedOtherSeconds() external {
        Offer memory offer = opened();
        expectLenderRefused(offer, 60, signReceiptAsLender(offer, 61));
    }

    function test_RevertWhen_TheLendersSignatureIsTooShortOrTooLong() external {
        Offer memory offer = opened();
        bytes memory whole = signReceiptAsLender(offer, 60);
        expectLenderRefused(offer, 60, hex"00");
        expectLenderRefused(offer, 60, bytes.concat(whole, hex"00"));
    }

    function test_RevertWhen_TheLendersSignatureIsForAnotherLane() external {
        Offer memory offer = opened();
        Offer memory other = offerOf(NATIVE);
        other.lane = LANE + 1;
        open(other);
        expectLenderRefused(other, 60, signReceiptAsLender(offer, 60));
    }

    function test_RevertWhen_TheLendersSignatureIsForAnEarlierRental() external {
        Offer memory offer = opened();
        bytes memory earlier = signReceiptAsLender(offer, 60);
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, signReceipt(offer, 60), earlier);
        offer.sequence = 1;
        open(offer);
        expectLenderRefused(offer, 60, earlier);
    }

    /// The same terms for another renter are another offer.
    function test_RevertWhen_TheLendersSignatureIsForAnotherRenter() external {
        Offer memory offer = opened();
        Offer memory other = offerOf(NATIVE);
        other.renter = stranger;
        expectLenderRefused(offer, 60, signReceiptAsLender(other, 60));
    }

    function test_RevertWhen_TheLendersSignatureIsForAnotherContract() external {
        Offer memory offer = opened();
        IRentalEscrow other = deployEscrow();
        expectLenderRefused(offer, 60, sign(lenderKey, other.hashReceipt(other.hashOffer(pack(offer)), 60)));
    }

    /// A signature that is given is checked, also where none is needed.
    function test_RevertWhen_ANeedlessLendersSignatureIsInvalid() external {
        Offer memory offer = opened();
        expectLenderRefused(offer, DURATION, signReceiptAsLender(offer, 60));
        bytes memory renterSignature = signReceipt(offer, DURATION);
        bytes32 digest = escrow.hashReceipt(escrow.hashOffer(pack(offer)), DURATION);
        vm.prank(lender);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, digest));
        escrow.settleWithReceipt(pack(offer), RUNNING, DURATION, renterSignature, hex"00");
    }

    function test_AnybodyMayBringWhatBothSigned() external {
        Offer memory offer = opened();
        bytes memory renterSignature = signReceipt(offer, 60);
        bytes memory lenderSignature = signReceiptAsLender(offer, 60);
        uint40[4] memory times = [NOW, START + 1 hours, END, UNLOCK + 1];
        address[3] memory callers = [stranger, renter, lender];
        uint256 snapshot = vm.snapshotState();
        for (uint256 i = 0; i < times.length * callers.length; i++) {
            vm.warp(times[i % times.length]);
            expectSettled(offer, 60, 3);
            vm.prank(callers[i / times.length]);
            escrow.settleWithReceipt(pack(offer), RUNNING, 60, renterSignature, lenderSignature);
            assertShared(offer, 60);
            vm.revertToState(snapshot);
        }
    }

    function test_BothMayAgreeOnMoreThanTheRenterOwes() external {
        Offer memory offer = offerOf(address(token));
        open(offer);
        bytes memory renterSignature = signReceipt(offer, DURATION);
        bytes memory lenderSignature = signReceiptAsLender(offer, DURATION);
        expectSettled(offer, DURATION, 3);
        vm.prank(stranger);
        escrow.settleWithReceipt(pack(offer), RUNNING, DURATION, renterSignature, lenderSignature);
        assertShared(offer, DURATION);
    }

    function test_OnePartyOnBothSidesSignsOnce() external {
        Offer memory offer = offerOf(NATIVE);
        offer.renter = lender;
        vm.deal(lender, COST);
        open(offer);
        bytes memory signature = signReceiptAsLender(offer, 60);
        vm.warp(END);
        vm.prank(stranger);
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, signature, signature);
        assertEq(escrow.balanceOf(NATIVE, lender), COST);
    }

    function test_AWalletContractMayBeTheLender() external {
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(new KeyWallet(lender));
        open(offer);
        expectLenderRefused(offer, 60, sign(strangerKey, escrow.hashReceipt(escrow.hashOffer(pack(offer)), 60)));
        bytes memory renterSignature = signReceipt(offer, 60);
        bytes memory lenderSignature = signReceiptAsLender(offer, 60);
        vm.prank(stranger);
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, renterSignature, lenderSignature);
        assertShared(offer, 60);
    }

    /// Some wallet contracts answer yes to an empty signature: for all they approved before, or for anything.
    function test_RevertWhen_NoSignatureIsGivenForAWalletContractThatAcceptsNone() external {
        LyingWallet wallet = new LyingWallet();
        wallet.tell(abi.encode(IERC1271.isValidSignature.selector), false);
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(wallet);
        open(offer);
        bytes memory renterSignature = signReceipt(offer, 60);
        vm.warp(END);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.ReceiptBelowAccrued.selector, 60, DURATION));
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, renterSignature, "");
    }

    /*//////////////////////////////////////////////////////////////////////////
                                WITHOUT THE LENDER'S
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_AStrangerBringsOneSecondTooLittle() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, 1 hours - 1);
        vm.warp(START + 1 hours);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.ReceiptBelowAccrued.selector, 1 hours - 1, 1 hours));
        escrow.settleWithReceipt(pack(offer), RUNNING, 1 hours - 1, signature, "");
    }

    function test_AStrangerMayBringWhatTheRenterOwes() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, 1 hours);
        vm.warp(START + 1 hours);
        expectSettled(offer, 1 hours, 3);
        vm.prank(stranger);
        escrow.settleWithReceipt(pack(offer), RUNNING, 1 hours, signature, "");
        assertShared(offer, 1 hours);
    }

    function test_TheLenderMayAcceptLess() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, 60);
        vm.warp(END);
        expectSettled(offer, 60, 3);
        vm.prank(lender);
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, signature, "");
        assertShared(offer, 60);
    }

    function test_TheRenterMayPayMoreThanItOwesBeforeTheStart() external {
        Offer memory offer = opened();
        bytes memory signature = signReceipt(offer, DURATION);
        expectSettled(offer, DURATION, 3);
        vm.prank(renter);
        escrow.settleWithReceipt(pack(offer), RUNNING, DURATION, signature, "");
        assertShared(offer, DURATION);
    }

    function test_AReceiptOverNothingRefundsEverythingBeforeTheStart() external {
        Offer memory offer = offerOf(address(token));
        open(offer);
        bytes memory signature = signReceipt(offer, 0);
        expectSettled(offer, 0, 3);
        vm.prank(stranger);
        escrow.settleWithReceipt(pack(offer), RUNNING, 0, signature, "");
        assertShared(offer, 0);
    }

    function test_AWalletContractMayBeTheRenter() external {
        KeyWallet wallet = new KeyWallet(renter);
        Offer memory offer = offerOf(NATIVE);
        offer.renter = address(wallet);
        vm.deal(address(wallet), COST);
        open(offer);
        bytes memory signature = signReceipt(offer, 60);
        vm.prank(lender);
        escrow.settleWithReceipt(pack(offer), RUNNING, 60, signature, "");
        assertShared(offer, 60);
    }
}
