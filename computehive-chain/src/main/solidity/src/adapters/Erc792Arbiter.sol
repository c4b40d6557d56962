// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IArbitrable, IArbitrator } from "../interfaces/IArbitrator.sol";
import { IRentalEscrow } from "../interfaces/IRentalEscrow.sol";
import { LenderWord, PackedOffer } from "../types/PackedOffer.sol";
import { Phase } from "../types/Phase.sol";

/// @title Erc792Arbiter
/// @notice The arbiter to name in an offer whose disputes a court decides that speaks ERC-792, such as Kleros.
///
/// Once a rental is disputed, anybody asks the court and pays its fee; once the court has ruled, anybody carries the
/// ruling out. A ruling chooses between three ends:
/// - 1, the renter is right: it pays up to the dispute, gets the lender's bond, and no bond of its own is lost
/// - 2, the lender is right: it is paid what it claims, keeps its bond, and no bond of its own is lost
/// - 0, the court refuses: the renter pays up to the dispute, and all bonds are given back
///
/// The bond of the one who disputed goes to the other party if that one is right.
///
/// The escrow lets anybody close a dispute whose arbiter was silent for seven days. So name a court that rules within
/// that time, its appeals included: a later ruling comes to nothing.
/// @dev Has no owner and holds no money: the fee goes to the court in the same call. Trusts the court alone.
contract Erc792Arbiter is IArbitrable {
    /// @notice Thrown when a rental is not disputed in that phase, or names another arbiter.
    error NotDisputedHere(LenderWord rental);

    /// @notice Thrown when the court was asked before.
    error AskedBefore(LenderWord rental);

    /// @notice Thrown when the fee is not what the court asks for.
    error FeeMismatch(uint256 sent, uint256 cost);

    /// @notice Thrown when somebody else than the court rules.
    error CallerNotArbitrator(address caller);

    /// @notice Thrown when the court rules on what it was not asked, rules twice, or rules what there is no choice for.
    error NoSuchRuling(uint256 disputeID, uint256 ruling);

    /// @notice Thrown when there is no ruling to carry out on that rental.
    error NotRuled(uint256 disputeID);

    /// @notice Emitted when the court was asked.
    /// @param rental The offer's first word: lender, lane and sequence.
    /// @param disputeID What the court calls the dispute.
    event Asked(LenderWord indexed rental, uint256 indexed disputeID);

    /// @dev `key` is what the rental's lane holds; `state` is 1 once asked, and 2 more than the ruling once ruled.
    struct Case {
        // slot 0
        bytes32 key;
        // slot 1
        uint256 state;
    }

    uint256 private constant CHOICES = 2;
    uint256 private constant FOR_RENTER = 1;
    uint256 private constant FOR_LENDER = 2;

    /// @notice The escrow whose disputes it decides.
    IRentalEscrow public immutable ESCROW;

    /// @notice The court that it asks.
    IArbitrator public immutable ARBITRATOR;

    bytes private _extraData;
    mapping(uint256 disputeID => Case dispute) private _cases;
    mapping(bytes32 key => bool asked) private _asked;

    /// @notice Serves one escrow, by one court.
    /// @param escrow The escrow whose disputes it decides.
    /// @param arbitrator The court.
    /// @param extraData What the court wants to know with each dispute.
    constructor(IRentalEscrow escrow, IArbitrator arbitrator, bytes memory extraData) {
        ESCROW = escrow;
        ARBITRATOR = arbitrator;
        _extraData = extraData;
    }

    /// @notice What it costs to ask, in the native coin's smallest unit.
    function cost() public view returns (uint256) {
        return ARBITRATOR.arbitrationCost(_extraData);
    }

    /// @notice Asks the court about a disputed rental. Anyone may call, and pays the fee exactly.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase What {IRentalEscrow-Disputed} told.
    /// @return disputeID What the court calls the dispute.
    function ask(PackedOffer calldata offer, Phase phase) external payable returns (uint256 disputeID) {
        // Check: the rental is disputed, and this is who decides.
        bytes32 key = keccak256(abi.encode(offer, phase));
        (,, bytes32 onLane) = ESCROW.laneState(offer.lenderWord.lender(), offer.lenderWord.lane());
        require(
            phase.isDisputed() && key == onLane && offer.arbiterWord.arbiter() == address(this),
            NotDisputedHere(offer.lenderWord)
        );
        require(!_asked[key], AskedBefore(offer.lenderWord));

        // Check: the fee is exact, so that nothing is left here.
        uint256 fee = cost();
        require(msg.value == fee, FeeMismatch(msg.value, fee));

        // Effect: ask once.
        _asked[key] = true;

        // Interaction and effect: the court names the dispute.
        disputeID = ARBITRATOR.createDispute{ value: fee }(CHOICES, _extraData);
        _cases[disputeID] = Case({ key: key, state: 1 });

        emit Asked(offer.lenderWord, disputeID);
    }

    /// @inheritdoc IArbitrable
    function rule(uint256 disputeID, uint256 ruling) external override {
        // Check: the court rules what it was asked, once.
        require(msg.sender == address(ARBITRATOR), CallerNotArbitrator(msg.sender));
        require(_cases[disputeID].state == 1 && ruling <= CHOICES, NoSuchRuling(disputeID, ruling));

        // Effect: remember it. It is carried out apart, since the rental's terms come in calldata.
        _cases[disputeID].state = ruling + 2;

        emit Ruling(ARBITRATOR, disputeID, ruling);
    }

    /// @notice Carries out the court's ruling. Anyone may call.
    /// @param disputeID What the court calls the dispute.
    /// @param offer The terms, packed as {PackedOffer} says.
    /// @param phase What {IRentalEscrow-Disputed} told.
    function execute(uint256 disputeID, PackedOffer calldata offer, Phase phase) external {
        // Check: the court ruled on just this rental.
        Case storage dispute = _cases[disputeID];
        require(dispute.state > 1 && dispute.key == keccak256(abi.encode(offer, phase)), NotRuled(disputeID));
        uint256 ruling = dispute.state - 2;

        // Effect: once.
        delete _cases[disputeID];

        // Interaction: the amounts are members of the offer and of the phase, and fit.
        bool renterLost = ruling == FOR_LENDER;
        bool disputerLost = phase.isDisputedByRenter() ? renterLost : ruling == FOR_RENTER;
        // forge-lint: disable-start(unsafe-typecast)
        ESCROW.resolve(
            offer,
            phase,
            uint32(renterLost ? phase.claimed() : phase.used()),
            ruling == FOR_RENTER ? uint96(offer.tokenWord.bond()) : 0,
            disputerLost ? uint96(offer.arbiterWord.disputeBond()) : 0
        );
        // forge-lint: disable-end(unsafe-typecast)
    }
}
