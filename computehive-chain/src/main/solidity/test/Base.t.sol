// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";

import { DevToken } from "../dev/DevToken.sol";
import { IRentalEscrow } from "../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../src/types/Offer.sol";

/// @dev The parties, the money and the signing that every test shares.
abstract contract Base is Test {
    address internal constant NATIVE = address(0);

    // Times are absolute: with via_ir, `block.timestamp` read before `vm.warp` may be cached.
    uint40 internal constant NOW = 1_800_000_000;
    uint40 internal constant START = NOW + 1 hours;
    uint32 internal constant DURATION = 2 hours;
    uint32 internal constant GRACE = 5 minutes;
    uint32 internal constant DISPUTE_WINDOW = 1 days;
    uint40 internal constant END = START + DURATION;
    uint40 internal constant UNLOCK = END + DISPUTE_WINDOW;
    uint96 internal constant RATE = 1_000_000 gwei;
    uint256 internal constant COST = uint256(RATE) * DURATION;
    uint64 internal constant LANE = 7;

    IRentalEscrow internal escrow;
    DevToken internal token;

    address internal lender;
    uint256 internal lenderKey;
    address internal renter;
    uint256 internal renterKey;
    address internal stranger;
    uint256 internal strangerKey;

    function setUp() public virtual {
        vm.warp(NOW);
        escrow = deployEscrow();
        token = new DevToken();
        (lender, lenderKey) = makeAddrAndKey("lender");
        (renter, renterKey) = makeAddrAndKey("renter");
        (stranger, strangerKey) = makeAddrAndKey("stranger");
        vm.deal(renter, 100 * COST);
        token.mint(renter, 100 * COST);
        vm.prank(renter);
        token.approve(address(escrow), type(uint256).max);
    }

    /// @dev Deploys the bytecode that is committed and shipped, which `build --check` holds equal to the sources.
    function deployEscrow() internal returns (IRentalEscrow deployed) {
        bytes memory code = vm.parseBytes(vm.readFile("../resources/org/computehive/chain/RentalEscrow.bin"));
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        require(address(deployed) != address(0), "the escrow's constructor failed");
    }

    /// @dev The offer that most tests start from: native coin, the lane's first number.
    function offerOf(address currency) internal view returns (Offer memory) {
        return Offer({
            lender: lender,
            lane: LANE,
            sequence: 0,
            renter: renter,
            token: currency,
            arbiter: address(0),
            rate: RATE,
            start: START,
            duration: DURATION,
            grace: GRACE,
            disputeWindow: DISPUTE_WINDOW,
            expiry: START,
            spec: keccak256("spec")
        });
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signOffer(Offer memory offer) internal view returns (bytes memory) {
        return sign(lenderKey, escrow.hashOffer(offer));
    }

    function signReceipt(Offer memory offer, uint32 used) internal view returns (bytes memory) {
        return sign(renterKey, escrow.hashReceipt(escrow.hashOffer(offer), used));
    }

    function signReceiptAsLender(Offer memory offer, uint32 used) internal view returns (bytes memory) {
        return sign(lenderKey, escrow.hashReceipt(escrow.hashOffer(offer), used));
    }

    function signRelease(Offer memory offer) internal view returns (bytes memory) {
        return sign(lenderKey, escrow.hashRelease(escrow.hashOffer(offer)));
    }

    /// @dev Opens an offer with its whole cost from the wallet.
    function open(Offer memory offer) internal {
        bytes memory signature = signOffer(offer);
        uint256 value = offer.token == NATIVE ? uint256(offer.rate) * offer.duration : 0;
        vm.prank(offer.renter);
        escrow.open{ value: value }(offer, signature);
    }

    /// @dev The default offer in native coin, already open.
    function opened() internal returns (Offer memory offer) {
        offer = offerOf(NATIVE);
        open(offer);
    }

    function depositAs(address account, address currency, uint256 amount) internal {
        vm.startPrank(account);
        if (currency == NATIVE) {
            vm.deal(account, account.balance + amount);
            escrow.deposit{ value: amount }(NATIVE, amount);
        } else {
            token.mint(account, amount);
            token.approve(address(escrow), amount);
            escrow.deposit(currency, amount);
        }
        vm.stopPrank();
    }

    function assertIdle(Offer memory offer, uint64 sequence) internal view {
        (bool rented, uint64 next, bytes32 offerHash) = escrow.laneState(offer.lender, offer.lane);
        assertFalse(rented, "rented");
        assertEq(next, sequence, "sequence");
        assertEq(offerHash, 0, "offerHash");
    }

    function assertRented(Offer memory offer) internal view {
        (bool rented, uint64 next, bytes32 offerHash) = escrow.laneState(offer.lender, offer.lane);
        assertTrue(rented, "rented");
        assertEq(next, 0, "sequence");
        assertEq(offerHash, escrow.hashOffer(offer), "offerHash");
    }

    /// @dev Expects the closing event of `offer`, and after `close` the two balances.
    function expectSettled(Offer memory offer, uint32 used, uint8 how) internal {
        uint256 paid = uint256(offer.rate) * used;
        uint256 cost = uint256(offer.rate) * offer.duration;
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Settled(escrow.hashOffer(offer), offer.lender, offer.renter, paid, cost - paid, used, how);
    }

    function assertShared(Offer memory offer, uint32 used) internal view {
        uint256 paid = uint256(offer.rate) * used;
        uint256 cost = uint256(offer.rate) * offer.duration;
        assertEq(escrow.balanceOf(offer.token, offer.lender), paid, "paid");
        assertEq(escrow.balanceOf(offer.token, offer.renter), cost - paid, "refunded");
        assertIdle(offer, offer.sequence + 1);
    }
}
