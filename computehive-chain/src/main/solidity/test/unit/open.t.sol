// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20Errors } from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

import { Base } from "../Base.t.sol";
import { KeyWallet, LyingWallet, MeddlingWallet } from "../hostile/Parties.sol";
import { FalseToken, FeeToken, LazyToken, OpenToken, ReenteringToken, VoidToken } from "../hostile/Tokens.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IRentalEscrow } from "../../src/interfaces/IRentalEscrow.sol";
import { Errors } from "../../src/libraries/Errors.sol";
import { Offer } from "../../src/types/Offer.sol";
import { pack } from "../../src/types/PackedOffer.sol";
import { RUNNING } from "../../src/types/Phase.sol";

contract OpenTest is Base {
    bytes internal constant NO_SIGNATURE = "";

    /*//////////////////////////////////////////////////////////////////////////
                                     THE CALLER
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_CallerNotRenter() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.deal(stranger, COST);
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(Errors.CallerNotRenter.selector, stranger, renter));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_RevertWhen_RenterZero() external {
        Offer memory offer = offerOf(NATIVE);
        offer.renter = address(0);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.CallerNotRenter.selector, renter, address(0)));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      THE TIME
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_DurationZero() external {
        Offer memory offer = offerOf(NATIVE);
        offer.duration = 0;
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(Errors.DurationZero.selector);
        escrow.open(pack(offer), signature);
    }

    function test_RevertWhen_TheLateShareIsOverTheWhole() external {
        Offer memory offer = offerOf(NATIVE);
        offer.lateShare = 10_001;
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.ShareOverWhole.selector, 10_001));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_RevertWhen_TheNoShowShareIsOverTheWhole() external {
        Offer memory offer = offerOf(NATIVE);
        offer.noShowShare = 10_001;
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.ShareOverWhole.selector, 10_001));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_SharesMayBeTheWhole() external {
        Offer memory offer = offerOf(NATIVE);
        (offer.lateShare, offer.noShowShare) = (10_000, 10_000);
        open(offer);
        assertRented(offer);
    }

    function test_RevertWhen_OfferExpired() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.warp(offer.expiry + 1);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.OfferExpired.selector, offer.expiry, offer.expiry + 1));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_OpensInTheLastSecondOfTheOffer() external {
        Offer memory offer = offerOf(NATIVE);
        vm.warp(offer.expiry);
        open(offer);
        assertRented(offer);
    }

    function test_RevertWhen_WindowOver() external {
        Offer memory offer = offerOf(NATIVE);
        offer.expiry = END;
        bytes memory signature = signOffer(offer);
        vm.warp(END);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.WindowOver.selector, END, END));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_OpensInTheLastSecondOfTheWindow() external {
        Offer memory offer = offerOf(NATIVE);
        offer.expiry = END;
        vm.warp(END - 1);
        open(offer);
        assertRented(offer);
    }

    function test_OpensWithTheGreatestTerms() external {
        Offer memory offer = offerOf(address(token));
        offer.rate = type(uint96).max;
        offer.start = type(uint40).max;
        offer.duration = type(uint32).max;
        offer.grace = type(uint24).max;
        offer.disputeWindow = type(uint24).max;
        offer.expiry = type(uint40).max;
        offer.lane = type(uint64).max;
        uint256 cost = uint256(offer.rate) * offer.duration;
        token.mint(renter, cost);
        open(offer);
        assertRented(offer);
        assertEq(token.balanceOf(address(escrow)), cost);

        vm.warp(uint256(offer.start) + offer.duration + offer.disputeWindow);
        escrow.settle(pack(offer));
        assertEq(escrow.balanceOf(address(token), lender), cost);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      THE LANE
    //////////////////////////////////////////////////////////////////////////*/

    function test_RevertWhen_AnotherRentalIsOpen() external {
        Offer memory first = opened();
        Offer memory second = offerOf(NATIVE);
        second.spec = keccak256("another");
        bytes memory signature = signOffer(second);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.LaneRented.selector, lender, LANE, keyOf(first)));
        escrow.open{ value: COST }(pack(second), signature);
    }

    function test_RevertWhen_TheSameRentalIsOpen() external {
        Offer memory offer = opened();
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.LaneRented.selector, lender, LANE, keyOf(offer)));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_RevertWhen_TheOfferWasUsed() external {
        Offer memory offer = opened();
        vm.prank(renter);
        escrow.end(pack(offer));
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.SequenceMismatch.selector, lender, LANE, 1, 0));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_RevertWhen_TheOfferIsNotYetDue() external {
        Offer memory offer = offerOf(NATIVE);
        offer.sequence = 1;
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.SequenceMismatch.selector, lender, LANE, 0, 1));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_OpensSeveralLanesAtOnce() external {
        Offer memory first = opened();
        Offer memory second = offerOf(NATIVE);
        second.lane = LANE + 1;
        open(second);
        assertRented(first);
        assertRented(second);
    }

    function test_OpensTheNextNumberAfterTheFirstWasClosed() external {
        Offer memory offer = opened();
        vm.prank(renter);
        escrow.end(pack(offer));
        offer.sequence = 1;
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open(pack(offer), signature); // from the refund of the first
        assertRented(offer);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                   THE SIGNATURE
    //////////////////////////////////////////////////////////////////////////*/

    function expectRefused(Offer memory offer, bytes memory signature) internal {
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, offer.lender, offerHash));
        escrow.open{ value: COST }(pack(offer), signature);
    }

    function test_RevertWhen_SignedByAnother() external {
        Offer memory offer = offerOf(NATIVE);
        expectRefused(offer, sign(strangerKey, escrow.hashOffer(pack(offer))));
    }

    function test_RevertWhen_SignatureEmptyShortOrLong() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        expectRefused(offer, NO_SIGNATURE);
        expectRefused(offer, abi.encodePacked(signature, uint8(0)));
        assembly {
            mstore(signature, 64)
        }
        expectRefused(offer, signature);
    }

    function test_RevertWhen_SignatureMalleable() external {
        Offer memory offer = offerOf(NATIVE);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(lenderKey, escrow.hashOffer(pack(offer)));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        expectRefused(offer, abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27)));
    }

    function test_RevertWhen_SignatureIsNoPoint() external {
        Offer memory offer = offerOf(NATIVE);
        expectRefused(offer, abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
    }

    function test_RevertWhen_LenderZeroAndSignatureRecoversZero() external {
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(0);
        expectRefused(offer, abi.encodePacked(bytes32(uint256(1)), bytes32(uint256(1)), uint8(99)));
        expectRefused(offer, NO_SIGNATURE);
    }

    function test_RevertWhen_AnyTermWasChanged() external {
        Offer memory signed = offerOf(NATIVE);
        bytes memory signature = signOffer(signed);
        Offer memory offer = offerOf(NATIVE);
        offer.lane = LANE + 1;
        expectRefused(offer, signature);
        offer = offerOf(address(token));
        expectRefusedInToken(offer, signature);
        offer = offerOf(NATIVE);
        offer.arbiter = stranger;
        expectRefused(offer, signature);
        offer = offerOf(NATIVE);
        offer.rate = RATE - 1;
        expectRefused(offer, signature);
        offer = offerOf(NATIVE);
        offer.start = START - 1;
        expectRefused(offer, signature);
        offer = offerOf(NATIVE);
        offer.duration = DURATION - 1;
        expectRefused(offer, signature);
        offer = offerOf(NATIVE);
        offer.grace = GRACE + 1;
        expectRefused(offer, signature);
        offer = offerOf(NATIVE);
        offer.disputeWindow = DISPUTE_WINDOW + 1;
        expectRefused(offer, signature);
        offer = offerOf(NATIVE);
        offer.expiry = START + 1;
        expectRefused(offer, signature);
        offer = offerOf(NATIVE);
        offer.spec = keccak256("another");
        expectRefused(offer, signature);
    }

    function expectRefusedInToken(Offer memory offer, bytes memory signature) internal {
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InvalidSignature.selector, offer.lender, offerHash));
        escrow.open(pack(offer), signature);
    }

    function test_RevertWhen_SignedForAnotherContract() external {
        Offer memory offer = offerOf(NATIVE);
        IRentalEscrow other = deployEscrow();
        expectRefused(offer, sign(lenderKey, other.hashOffer(pack(offer))));
    }

    function test_RevertWhen_SignedForAnotherChain() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.chainId(4242);
        expectRefused(offer, signature);
    }

    function test_OpensForAWalletContract() external {
        KeyWallet wallet = new KeyWallet(lender);
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(wallet);
        open(offer);
        assertRented(offer);
    }

    function test_OpensForAKeyWhoseAccountHasCode() external {
        Offer memory offer = offerOf(NATIVE);
        LyingWallet delegate = new LyingWallet();
        vm.etch(lender, address(delegate).code); // as EIP-7702 does; the code knows nothing of signatures
        open(offer);
        assertRented(offer);
    }

    function test_RevertWhen_AWalletContractRefusesOrAnswersNonsense() external {
        LyingWallet wallet = new LyingWallet();
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(wallet);
        bytes memory yes = abi.encode(bytes4(0x1626ba7e));
        bytes memory signature = signOffer(offer);

        wallet.tell("", false);
        expectRefused(offer, signature);
        wallet.tell(abi.encode(bytes4(0xffffffff)), false);
        expectRefused(offer, signature);
        wallet.tell(hex"1626ba7e", false); // too short
        expectRefused(offer, signature);
        wallet.tell(abi.encode(bytes32(0x1626ba7e00000000000000000000000000000000000000000000000000000001)), false);
        expectRefused(offer, signature);
        wallet.tell(yes, true);
        expectRefused(offer, signature);
    }

    function test_AWalletContractThatLiesBindsOnlyItself() external {
        LyingWallet wallet = new LyingWallet();
        wallet.tell(abi.encode(bytes4(0x1626ba7e)), false);
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(wallet);
        vm.prank(renter);
        escrow.open{ value: COST }(pack(offer), NO_SIGNATURE);
        assertRented(offer);
        assertIdle(offerOf(NATIVE), 0);
    }

    function test_RevertWhen_AWalletContractMeddles() external {
        MeddlingWallet wallet = new MeddlingWallet(escrow);
        Offer memory offer = offerOf(NATIVE);
        offer.lender = address(wallet);
        expectRefused(offer, NO_SIGNATURE);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                  THE MONEY: COIN
    //////////////////////////////////////////////////////////////////////////*/

    function test_OpenNative() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        bytes32 offerHash = escrow.hashOffer(pack(offer));
        uint256 before = renter.balance;

        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Opened(offerHash, lender, renter, pack(offer));
        vm.prank(renter);
        escrow.open{ value: COST }(pack(offer), signature);

        assertRented(offer);
        assertEq(renter.balance, before - COST);
        assertEq(address(escrow).balance, COST);
        assertEq(escrow.balanceOf(NATIVE, renter), 0);
        assertEq(escrow.balanceOf(NATIVE, lender), 0);
    }

    function test_RevertWhen_TooMuchCoin() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValueMismatch.selector, COST + 1, COST));
        escrow.open{ value: COST + 1 }(pack(offer), signature);
    }

    function test_RevertWhen_TooLittleCoin() external {
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, renter, 0, 1));
        escrow.open{ value: COST - 1 }(pack(offer), signature);
    }

    function test_RevertWhen_CoinAndLedgerTogetherTooLittle() external {
        depositAs(renter, NATIVE, 10);
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, NATIVE, renter, 10, 11));
        escrow.open{ value: COST - 11 }(pack(offer), signature);
    }

    function test_OpenNativeFromCoinAndLedger() external {
        depositAs(renter, NATIVE, 10);
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open{ value: COST - 10 }(pack(offer), signature);
        assertEq(escrow.balanceOf(NATIVE, renter), 0);
        assertEq(address(escrow).balance, COST);
    }

    function test_OpenNativeFromLedger() external {
        depositAs(renter, NATIVE, COST + 3);
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open(pack(offer), signature);
        assertEq(escrow.balanceOf(NATIVE, renter), 3);
    }

    /// A refund that anybody may trigger between signing and mining must not make the coin sent too much.
    function test_AnUnexpectedRefundDoesNotBlockAnOpen() external {
        depositAs(renter, NATIVE, 10);
        Offer memory offer = offerOf(NATIVE);
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        escrow.open{ value: COST }(pack(offer), signature);
        assertEq(escrow.balanceOf(NATIVE, renter), 10);
    }

    function test_OpensForNothing() external {
        Offer memory offer = offerOf(NATIVE);
        offer.rate = 0;
        open(offer);
        assertRented(offer);
        vm.warp(UNLOCK);
        escrow.settle(pack(offer));
        assertShared(offer, DURATION);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                 THE MONEY: TOKENS
    //////////////////////////////////////////////////////////////////////////*/

    function test_OpenFromTheWallet() external {
        Offer memory offer = offerOf(address(token));
        uint256 before = token.balanceOf(renter);
        open(offer);
        assertRented(offer);
        assertEq(token.balanceOf(renter), before - COST);
        assertEq(token.balanceOf(address(escrow)), COST);
    }

    function test_OpenFromTheLedger() external {
        depositAs(renter, address(token), COST + 3);
        uint256 before = token.balanceOf(renter);
        open(offerOf(address(token)));
        assertEq(token.balanceOf(renter), before);
        assertEq(escrow.balanceOf(address(token), renter), 3);
    }

    /// A token that refuses transfers of nothing, or is stopped, keeps nobody from renting with what the ledger holds.
    function test_OpenFromTheLedgerCallsNoToken() external {
        depositAs(renter, address(token), COST);
        vm.expectCall(address(token), "", 0);
        open(offerOf(address(token)));
    }

    function test_OpenFromLedgerAndWallet() external {
        depositAs(renter, address(token), 10);
        vm.startPrank(renter);
        token.approve(address(escrow), COST - 10);
        vm.stopPrank();
        open(offerOf(address(token)));
        assertEq(escrow.balanceOf(address(token), renter), 0);
        assertEq(token.balanceOf(address(escrow)), COST);
    }

    function test_RevertWhen_CoinIsSentBesideAToken() external {
        Offer memory offer = offerOf(address(token));
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.ValueMismatch.selector, 1, 0));
        escrow.open{ value: 1 }(pack(offer), signature);
    }

    function test_RevertWhen_AllowanceTooSmall() external {
        Offer memory offer = offerOf(address(token));
        bytes memory signature = signOffer(offer);
        vm.startPrank(renter);
        token.approve(address(escrow), COST - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(escrow), COST - 1, COST)
        );
        escrow.open(pack(offer), signature);
        vm.stopPrank();
        assertIdle(offer, 0);
    }

    function hostileOffer(OpenToken hostile) internal returns (Offer memory offer, bytes memory signature) {
        hostile.mint(renter, 10 * COST);
        vm.prank(renter);
        hostile.approve(address(escrow), type(uint256).max);
        offer = offerOf(address(hostile));
        signature = signOffer(offer);
    }

    function test_RevertWhen_TheTokenTakesAFee() external {
        FeeToken hostile = new FeeToken();
        (Offer memory offer, bytes memory signature) = hostileOffer(hostile);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, COST, COST - COST / 100));
        escrow.open(pack(offer), signature);
    }

    function test_RevertWhen_TheTokenReturnsFalse() external {
        FalseToken hostile = new FalseToken();
        (Offer memory offer, bytes memory signature) = hostileOffer(hostile);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, hostile));
        escrow.open(pack(offer), signature);
    }

    function test_RevertWhen_TheTokenMovesNothing() external {
        LazyToken hostile = new LazyToken();
        (Offer memory offer, bytes memory signature) = hostileOffer(hostile);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, COST, 0));
        escrow.open(pack(offer), signature);
    }

    function test_RevertWhen_TheTokenIsNoContract() external {
        Offer memory offer = offerOf(makeAddr("nothing here"));
        bytes memory signature = signOffer(offer);
        vm.prank(renter);
        vm.expectRevert();
        escrow.open(pack(offer), signature);
        assertIdle(offer, 0);
    }

    function test_OpensWithATokenThatReturnsNothing() external {
        VoidToken plain = new VoidToken();
        plain.mint(renter, COST);
        vm.prank(renter);
        plain.approve(address(escrow), COST);
        Offer memory offer = offerOf(address(plain));
        open(offer);
        assertEq(plain.balanceOf(address(escrow)), COST);
    }

    /// The token deposits in its own name while it is pulled, and moves nothing for the renter: one arrival, two credits.
    function test_RevertWhen_TheTokenDepositsWhileItIsPulled() external {
        ReenteringToken hostile = new ReenteringToken();
        (Offer memory offer, bytes memory signature) = hostileOffer(hostile);
        hostile.mint(address(hostile), COST);
        vm.prank(address(hostile));
        hostile.approve(address(escrow), COST);
        hostile.arm(address(escrow), abi.encodeCall(escrow.deposit, (address(hostile), COST)), false);
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, COST, 0));
        escrow.open(pack(offer), signature);
    }

    function test_ATokenThatReentersIsLockedOutOfTheLedger() external {
        ReenteringToken hostile = new ReenteringToken();
        (Offer memory offer,) = hostileOffer(hostile);
        hostile.mint(address(hostile), 2 * COST);
        vm.startPrank(address(hostile));
        hostile.approve(address(escrow), 2 * COST);
        escrow.deposit(address(hostile), COST);
        vm.stopPrank();

        hostile.arm(address(escrow), abi.encodeCall(escrow.withdraw, (address(hostile), COST, address(hostile))), true);
        open(offer);
        assertFalse(hostile.succeeded());
        assertEq(
            hostile.answer(), abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector)
        );
        assertEq(hostile.balanceOf(address(escrow)), 2 * COST);
    }

    /// The lane is taken before the token is called: the same offer cannot open twice, and the renter is bound already.
    function test_ATokenThatReentersFindsTheLaneTaken() external {
        ReenteringToken hostile = new ReenteringToken();
        (Offer memory offer, bytes memory signature) = hostileOffer(hostile);
        offer.renter = address(hostile);
        hostile.mint(address(hostile), COST);
        vm.prank(address(hostile));
        hostile.approve(address(escrow), COST);
        signature = signOffer(offer);
        hostile.arm(address(escrow), abi.encodeCall(escrow.open, (pack(offer), signature)), true);
        vm.prank(address(hostile));
        escrow.open(pack(offer), signature);
        assertFalse(hostile.succeeded());
        assertEq(hostile.answer(), abi.encodeWithSelector(Errors.LaneRented.selector, lender, LANE, keyOf(offer)));
    }

    /// The rental is ended before its deposit arrived: the refund stays in a ledger that is locked until it has arrived.
    function test_ATokenThatEndsTheRentalWhileItIsPulledGainsNothing() external {
        ReenteringToken hostile = new ReenteringToken();
        Offer memory offer = offerOf(address(hostile));
        offer.renter = address(hostile);
        hostile.mint(address(hostile), COST);
        vm.prank(address(hostile));
        hostile.approve(address(escrow), COST);
        bytes memory signature = signOffer(offer);

        hostile.arm(address(escrow), abi.encodeCall(escrow.end, (pack(offer))), false);
        vm.prank(address(hostile));
        vm.expectRevert(abi.encodeWithSelector(Errors.TransferInexact.selector, hostile, COST, 0));
        escrow.open(pack(offer), signature);

        hostile.arm(address(escrow), abi.encodeCall(escrow.end, (pack(offer))), true);
        vm.prank(address(hostile));
        escrow.open(pack(offer), signature);
        assertTrue(hostile.succeeded());
        assertShared(offer, 0);
        assertEq(hostile.balanceOf(address(escrow)), COST);
    }
}
