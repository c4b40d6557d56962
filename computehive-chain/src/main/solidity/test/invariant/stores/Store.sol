// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Offer } from "../../../src/types/Offer.sol";
import { Phase } from "../../../src/types/Phase.sol";

/// @dev What happened so far, as the invariants need it.
contract Store {
    struct Record {
        uint256 secondsServed;
        uint256 settled;
        uint256 disputed;
        uint256 slashed;
    }

    mapping(address token => mapping(address lender => Record record)) private _records;
    Offer[] private _offers;
    mapping(uint256 index => bool open) public isOpen;
    mapping(uint256 index => Phase phase) public phaseOf;
    mapping(bytes32 offerHash => uint256 times) public opens;
    mapping(address lender => mapping(uint64 lane => uint64 moves)) public closesAndCancels;
    mapping(address lender => mapping(uint64 lane => uint256 count)) public openOnLane;
    mapping(address lender => mapping(uint64 lane => uint256 index)) public lastOnLane;
    mapping(address token => uint256 amount) public locked;
    mapping(address token => uint256 amount) public cameIn;
    mapping(address token => uint256 amount) public wentOut;
    /// @dev How many calls of the escrow worked, as they should, and how many were refused, as they should.
    mapping(bytes4 selector => uint256 times) public worked;
    mapping(bytes4 selector => uint256 times) public refused;
    /// @dev The token that was moved or locked last.
    address public touched;
    uint256 public replays;
    uint256 public doubleBookings;
    uint256 public earlyPayouts;
    uint256 public cheapCloses;
    uint256 public surprises;

    function count() external view returns (uint256) {
        return _offers.length;
    }

    function offerAt(uint256 index) external view returns (Offer memory) {
        return _offers[index];
    }

    function noteOpen(Offer memory offer, bytes32 offerHash, uint256 fromWallet) external {
        if (++opens[offerHash] > 1) replays++;
        if (++openOnLane[offer.lender][offer.lane] > 1) doubleBookings++;
        lastOnLane[offer.lender][offer.lane] = _offers.length;
        isOpen[_offers.length] = true;
        _offers.push(offer);
        locked[offer.token] += uint256(offer.rate) * offer.duration + offer.bond;
        cameIn[offer.token] += fromWallet;
        touched = offer.token;
    }

    function noteClose(uint256 index) external {
        Offer memory offer = _offers[index];
        isOpen[index] = false;
        openOnLane[offer.lender][offer.lane]--;
        closesAndCancels[offer.lender][offer.lane]++;
        locked[offer.token] -= uint256(offer.rate) * offer.duration + offer.bond;
        touched = offer.token;
        if (phaseOf[index].isDisputed()) locked[offer.token] -= offer.disputeBond;
    }

    function notePhase(uint256 index, Phase phase) external {
        phaseOf[index] = phase;
    }

    function noteDispute(uint256 index, Phase phase, uint256 fromWallet) external {
        Offer memory offer = _offers[index];
        phaseOf[index] = phase;
        locked[offer.token] += offer.disputeBond;
        cameIn[offer.token] += fromWallet;
        touched = offer.token;
    }

    /// @dev What a lender's counters must have counted.
    function noteRecord(address token, address lender, uint256 served, bool disputed, bool slashed) external {
        Record storage record = _records[token][lender];
        record.secondsServed += served;
        if (served > 0) record.settled++;
        if (disputed) record.disputed++;
        if (slashed) record.slashed++;
    }

    function recordOf(address token, address lender) external view returns (Record memory) {
        return _records[token][lender];
    }

    function noteCancel(address lender, uint64 lane) external {
        closesAndCancels[lender][lane]++;
    }

    function noteDeposit(address token, uint256 amount) external {
        cameIn[token] += amount;
        touched = token;
    }

    function noteWithdraw(address token, uint256 amount) external {
        wentOut[token] += amount;
        touched = token;
    }

    /// @dev The lender gained before end and window were over, and the renter neither called nor signed.
    function noteEarlyPayout() external {
        earlyPayouts++;
    }

    /// @dev The lender gained less than the renter owed, and neither called nor signed.
    function noteCheapClose() external {
        cheapCloses++;
    }

    /// @dev A call that had to fail did not.
    function noteSurprise() external {
        surprises++;
    }

    function noteWorked(bytes4 selector) external {
        worked[selector]++;
    }

    function noteRefused(bytes4 selector) external {
        refused[selector]++;
    }
}
