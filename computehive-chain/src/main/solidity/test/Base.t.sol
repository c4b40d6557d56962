// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Test } from "forge-std/Test.sol";
import { Vm, VmSafe } from "forge-std/Vm.sol";

import { DevToken } from "../dev/DevToken.sol";
import { IRentalEscrow } from "../src/interfaces/IRentalEscrow.sol";
import { Offer } from "../src/types/Offer.sol";
import { pack } from "../src/types/PackedOffer.sol";
import { outcomeOf } from "../src/types/Outcome.sol";
import { Phase, RUNNING } from "../src/types/Phase.sol";

/// @dev The parties, the money and the signing that every test shares.
abstract contract Base is Test {
    address internal constant NATIVE = address(0);

    // Times are absolute: with via_ir, `block.timestamp` read before `vm.warp` may be cached.
    uint40 internal constant NOW = 1_800_000_000;
    uint40 internal constant START = NOW + 1 hours;
    uint32 internal constant DURATION = 2 hours;
    uint24 internal constant GRACE = 5 minutes;
    uint24 internal constant DISPUTE_WINDOW = 1 days;
    uint40 internal constant END = START + DURATION;
    uint40 internal constant UNLOCK = END + DISPUTE_WINDOW;
    uint96 internal constant RATE = 1_000_000 gwei;
    uint256 internal constant COST = uint256(RATE) * DURATION;
    uint64 internal constant LANE = 7;
    uint96 internal constant BOND = 1 ether;
    uint96 internal constant DISPUTE_BOND = 0.1 ether;
    uint32 internal constant NOTICE = 30 minutes;
    uint32 internal constant NO_SHOW_AFTER = 15 minutes;

    IRentalEscrow internal escrow;
    DevToken internal token;

    address internal lender;
    uint256 internal lenderKey;
    address internal renter;
    uint256 internal renterKey;
    address internal stranger;
    uint256 internal strangerKey;
    address internal arbiter;

    function setUp() public virtual {
        vm.warp(NOW);
        escrow = deployEscrow();
        token = DevToken(deploy("DevToken"));
        (lender, lenderKey) = makeAddrAndKey("lender");
        (renter, renterKey) = makeAddrAndKey("renter");
        (stranger, strangerKey) = makeAddrAndKey("stranger");
        arbiter = makeAddr("arbiter");
        vm.deal(renter, 100 * COST);
        token.mint(renter, 100 * COST);
        vm.prank(renter);
        token.approve(address(escrow), type(uint256).max);
    }

    /// @dev The shipped escrow; or the sources themselves, compiled so that `build --coverage` sees their branches.
    function deployEscrow() internal returns (IRentalEscrow) {
        return IRentalEscrow(
            vm.isContext(VmSafe.ForgeContext.Coverage)
                ? vm.deployCode("src/RentalEscrow.sol:RentalEscrow")
                : deploy("RentalEscrow")
        );
    }

    /// @dev Deploys the bytecode that is committed and shipped, which `build --check` holds equal to the sources.
    function deploy(string memory name) internal returns (address deployed) {
        bytes memory code =
            vm.parseBytes(vm.readFile(string.concat("../resources/org/computehive/chain/", name, ".bin")));
        assembly {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        require(deployed != address(0), "a constructor failed");
    }

    /// @dev The offer that most tests start from: native coin, the lane's first number.
    function offerOf(address currency) internal view returns (Offer memory) {
        return Offer({
            lender: lender,
            lane: LANE,
            sequence: 0,
            renter: renter,
            rate: RATE,
            token: currency,
            bond: 0,
            arbiter: address(0),
            disputeBond: 0,
            start: START,
            duration: DURATION,
            expiry: START,
            grace: GRACE,
            disputeWindow: DISPUTE_WINDOW,
            notice: 0,
            lateShare: 0,
            noShowAfter: 0,
            noShowShare: 0,
            spec: keccak256("spec")
        });
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function signOffer(Offer memory offer) internal view returns (bytes memory) {
        return sign(lenderKey, escrow.hashOffer(pack(offer)));
    }

    function signReceipt(Offer memory offer, uint32 used) internal view returns (bytes memory) {
        return sign(renterKey, escrow.hashReceipt(escrow.hashOffer(pack(offer)), used));
    }

    function signReceiptAsLender(Offer memory offer, uint32 used) internal view returns (bytes memory) {
        return sign(lenderKey, escrow.hashReceipt(escrow.hashOffer(pack(offer)), used));
    }

    function signRelease(Offer memory offer) internal view returns (bytes memory) {
        return sign(lenderKey, escrow.hashRelease(escrow.hashOffer(pack(offer))));
    }

    /// @dev Opens an offer with its whole cost from the wallet.
    function open(Offer memory offer) internal {
        bytes memory signature = signOffer(offer);
        uint256 value = offer.token == NATIVE ? uint256(offer.rate) * offer.duration : 0;
        vm.prank(offer.renter);
        escrow.open{ value: value }(pack(offer), signature);
    }

    /// @dev The default offer in native coin, already open.
    function opened() internal returns (Offer memory offer) {
        offer = offerOf(NATIVE);
        open(offer);
    }

    /// @dev The same offer with an arbiter, both bonds, and terms for calling off and for not coming.
    function withArbiter(Offer memory offer) internal view returns (Offer memory) {
        offer.arbiter = arbiter;
        offer.bond = BOND;
        offer.disputeBond = DISPUTE_BOND;
        offer.notice = NOTICE;
        offer.lateShare = 2500;
        offer.noShowAfter = NO_SHOW_AFTER;
        offer.noShowShare = 5000;
        return offer;
    }

    /// @dev The default offer in native coin with an arbiter, already open.
    function openedWithArbiter() internal returns (Offer memory offer) {
        offer = withArbiter(offerOf(NATIVE));
        depositAs(lender, NATIVE, BOND);
        open(offer);
    }

    /// @dev Disputes with the bond from the wallet, and says which phase follows.
    function disputeAs(address party, Offer memory offer, Phase phase) internal returns (Phase) {
        vm.deal(party, party.balance + DISPUTE_BOND);
        vm.recordLogs();
        vm.prank(party);
        escrow.dispute{ value: DISPUTE_BOND }(pack(offer), phase, keccak256("root"), 7);
        return loggedPhase();
    }

    function reportAs(address party, Offer memory offer) internal returns (Phase) {
        vm.recordLogs();
        vm.prank(party);
        escrow.reportNoShow(pack(offer));
        return loggedPhase();
    }

    function endAsLender(Offer memory offer) internal returns (Phase) {
        vm.recordLogs();
        vm.prank(offer.lender);
        escrow.end(pack(offer));
        return loggedPhase();
    }

    /// @dev The first word of the one event since logs are recorded.
    function loggedPhase() internal returns (Phase) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertEq(logs.length, 1, "events");
        (uint256 phase) = abi.decode(logs[0].data, (uint256));
        return Phase.wrap(phase);
    }

    function assertRecord(uint256 served, uint256 settled, uint256 disputed, uint256 slashed) internal view {
        (uint256 a, uint256 b, uint256 c, uint256 d) = escrow.recordOf(NATIVE, lender);
        assertEq(a, served, "secondsServed");
        assertEq(b, settled, "settled");
        assertEq(c, disputed, "disputed");
        assertEq(d, slashed, "slashed");
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

    /// @dev The struct hash of an offer, from the words of EIP-712 alone: a struct of value types is encoded in place.
    function structHashOf(Offer memory offer) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Offer(address lender,uint64 lane,uint32 sequence,address renter,uint96 rate,address token,uint96 bond,address arbiter,uint96 disputeBond,uint40 start,uint32 duration,uint40 expiry,uint24 grace,uint24 disputeWindow,uint32 notice,uint16 lateShare,uint32 noShowAfter,uint16 noShowShare,bytes32 spec)"
                ),
                offer
            )
        );
    }

    /// @dev What a lane holds while the offer is open on it and running.
    function keyOf(Offer memory offer) internal pure returns (bytes32) {
        return keccak256(abi.encode(pack(offer)));
    }

    function assertIdle(Offer memory offer, uint64 sequence) internal view {
        (bool rented, uint64 next, bytes32 key) = escrow.laneState(offer.lender, offer.lane);
        assertFalse(rented, "rented");
        assertEq(next, sequence, "sequence");
        assertEq(key, 0, "key");
    }

    function assertRented(Offer memory offer) internal view {
        assertRented(offer, keyOf(offer));
    }

    function assertRented(Offer memory offer, Phase phase) internal view {
        assertRented(offer, keccak256(abi.encode(pack(offer), phase)));
    }

    function assertRented(Offer memory offer, bytes32 expected) private view {
        (bool rented, uint64 next, bytes32 key) = escrow.laneState(offer.lender, offer.lane);
        assertTrue(rented, "rented");
        assertEq(next, 0, "sequence");
        assertEq(key, expected, "key");
    }

    /// @dev Expects the closing event of `offer`.
    function expectSettled(Offer memory offer, uint256 used, uint256 how) internal {
        expectSettled(offer, used, 0, 0, how);
    }

    function expectSettled(Offer memory offer, uint256 used, uint256 slash, uint256 forfeit, uint256 how) internal {
        vm.expectEmit(address(escrow));
        emit IRentalEscrow.Settled(pack(offer).lenderWord, outcomeOf(how, used, slash, forfeit));
    }

    function assertShared(Offer memory offer, uint256 used) internal view {
        uint256 paid = uint256(offer.rate) * used;
        uint256 cost = uint256(offer.rate) * offer.duration;
        assertEq(escrow.balanceOf(offer.token, offer.lender), paid, "paid");
        assertEq(escrow.balanceOf(offer.token, offer.renter), cost - paid, "refunded");
        assertIdle(offer, offer.sequence + 1);
    }
}
