// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import { Base } from "../Base.t.sol";
import { KeyWallet, LyingWallet } from "../hostile/Parties.sol";
import { PermitToken, PhantomPermitToken } from "../hostile/Permits.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";

contract OpenForTest is Base {
    IRentalEscrow.Permit internal none;
    PermitToken internal permitToken;

    function setUp() public override {
        super.setUp();
        permitToken = new PermitToken();
        permitToken.mint(renter, 100 * COST);
    }

    function signConsent(Offer memory offer) internal view returns (bytes memory) {
        return sign(renterKey, escrow.hashConsent(escrow.hashOffer(pack(offer))));
    }

    function signPermit(uint256 value, uint256 deadline) internal view returns (IRentalEscrow.Permit memory permit) {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                renter,
                address(escrow),
                value,
                permitToken.nonces(renter),
                deadline
            )
        );
        (permit.value, permit.deadline) = (value, deadline);
        (permit.v, permit.r, permit.s) =
            vm.sign(renterKey, keccak256(abi.encodePacked(hex"1901", permitToken.DOMAIN_SEPARATOR(), structHash)));
    }

    function openForAs(
        address caller,
        Offer memory offer,
        bytes memory consent,
        IRentalEscrow.Permit memory permit
    )
        internal
    {
        bytes memory signature = signOffer(offer);
        vm.prank(caller);
        escrow.openFor(pack(offer), signature, consent, permit);
    }

    function expectRefused(Offer memory offer, bytes memory consent) internal {
        bytes memory signature = signOffer(offer);
        bytes32 digest = escrow.hashConsent(escrow.hashOffer(pack(offer)));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, offer.renter, digest));
        escrow.openFor(pack(offer), signature, consent, none);
    }

    function test_RevertWhen_TheRenterDidNotConsent() external {
        Offer memory offer = offerOf(address(token));
        expectRefused(offer, "");
        expectRefused(offer, signOffer(offer));
        expectRefused(offer, sign(strangerKey, escrow.hashConsent(escrow.hashOffer(pack(offer)))));
        expectRefused(offer, sign(renterKey, escrow.hashOffer(pack(offer))));
    }

    function test_RevertWhen_TheConsentIsToOtherTerms() external {
        Offer memory offer = offerOf(address(token));
        bytes memory consent = signConsent(offer);
        offer.rate = RATE + 1;
        expectRefused(offer, consent);
    }

    function test_RevertWhen_TheLenderDidNotSign() external {
        Offer memory offer = offerOf(address(token));
        bytes memory consent = signConsent(offer);
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, lender, offerHash));
        escrow.openFor(pack(offer), consent, consent, none);
    }

    function test_RevertWhen_TheConsentIsUsedAgain() external {
        Offer memory offer = offerOf(address(token));
        bytes memory consent = signConsent(offer);
        bytes memory signature = signOffer(offer);
        openForAs(stranger, offer, consent, none);
        vm.prank(renter);
        escrow.end(pack(offer));
        vm.expectRevert(abi.encodeWithSelector(Errors.SequenceMismatch.selector, lender, LANE, 1, 0));
        escrow.openFor(pack(offer), signature, consent, none);
    }

    function test_AnybodyOpensFromTheRentersWallet() external {
        Offer memory offer = offerOf(address(token));
        uint256 before = token.balanceOf(renter);
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        bytes memory consent = signConsent(offer);
        bytes memory signature = signOffer(offer);
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Opened(offerHash, lender, renter, pack(offer));
        vm.prank(stranger);
        escrow.openFor(pack(offer), signature, consent, none);
        assertRented(offer);
        assertEq(token.balanceOf(renter), before - COST);
        assertEq(token.balanceOf(stranger), 0);
    }

    /// The coin of whoever submits is its gift: the refund is the renter's.
    function test_AnybodyOpensWithItsOwnCoin() external {
        Offer memory offer = offerOf(NATIVE);
        depositAs(renter, NATIVE, 1);
        bytes memory consent = signConsent(offer);
        bytes memory signature = signOffer(offer);
        vm.deal(stranger, COST - 1);
        vm.prank(stranger);
        escrow.openFor{ value: COST - 1 }(pack(offer), signature, consent, none);
        vm.prank(renter);
        escrow.end(pack(offer));
        assertShared(offer, 0);
    }

    function test_RevertWhen_TheRentersLedgerLacksCoin() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory consent = signConsent(offer);
        bytes memory signature = signOffer(offer);
        depositAs(stranger, NATIVE, COST);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, renter, 0, COST));
        escrow.openFor(pack(offer), signature, consent, none);
    }

    function test_AWalletContractConsents() external {
        KeyWallet wallet = new KeyWallet(renter);
        Offer memory offer = offerOf(NATIVE);
        offer.renter = address(wallet);
        depositAs(address(wallet), NATIVE, COST);
        openForAs(stranger, offer, signConsent(offer), none);
        assertRented(offer);
    }

    function test_RevertWhen_AWalletContractRefuses() external {
        LyingWallet wallet = new LyingWallet();
        wallet.tell(abi.encode(bytes4(0xffffffff)), false);
        Offer memory offer = offerOf(NATIVE);
        offer.renter = address(wallet);
        expectRefused(offer, "");
    }

    function test_APermitStandsForAnApproval() external {
        Offer memory offer = offerOf(address(permitToken));
        openForAs(stranger, offer, signConsent(offer), signPermit(COST, NOW));
        assertRented(offer);
        assertEq(permitToken.balanceOf(address(escrow)), COST);
        assertEq(permitToken.allowance(renter, address(escrow)), 0);
    }

    function test_TheRenterNeedsNoConsentForItself() external {
        Offer memory offer = offerOf(address(permitToken));
        openForAs(renter, offer, "", signPermit(COST, NOW));
        assertRented(offer);
    }

    /// Whoever sees the permit in the mempool may use it first: the allowance is there, and the opening works.
    function test_APermitThatSomebodyUsedBeforeIsTolerated() external {
        Offer memory offer = offerOf(address(permitToken));
        IRentalEscrow.Permit memory permit = signPermit(COST, NOW);
        vm.prank(stranger);
        permitToken.permit(renter, address(escrow), permit.value, permit.deadline, permit.v, permit.r, permit.s);
        openForAs(stranger, offer, signConsent(offer), permit);
        assertRented(offer);
    }

    function test_RevertWhen_ThePermitIsTooLateAndNothingWasApproved() external {
        Offer memory offer = offerOf(address(permitToken));
        IRentalEscrow.Permit memory permit = signPermit(COST, NOW - 1);
        bytes memory consent = signConsent(offer);
        bytes memory signature = signOffer(offer);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, escrow, 0, COST));
        escrow.openFor(pack(offer), signature, consent, permit);
    }

    function test_ATokenWithoutPermitsNeedsAnApproval() external {
        Offer memory offer = offerOf(address(token));
        openForAs(stranger, offer, signConsent(offer), signPermit(COST, NOW)); // approved in Base
        assertRented(offer);
    }

    function test_RevertWhen_APermitIsAPhantom() external {
        PhantomPermitToken phantom = new PhantomPermitToken();
        phantom.mint(renter, COST);
        Offer memory offer = offerOf(address(phantom));
        IRentalEscrow.Permit memory permit = signPermit(COST, NOW);
        bytes memory consent = signConsent(offer);
        bytes memory signature = signOffer(offer);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, escrow, 0, COST));
        escrow.openFor(pack(offer), signature, consent, permit);
    }
}
