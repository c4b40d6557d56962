// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IERC20Permit } from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ECDSA } from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { LowLevelCall } from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import { IRentalEscrow } from "./interfaces/IRentalEscrow.sol";
import { Errors } from "./libraries/Errors.sol";
import { Terms } from "./libraries/Terms.sol";
import { TypedHash } from "./libraries/TypedHash.sol";
import { Account } from "./types/Account.sol";
import { LaneState, idle, rented } from "./types/LaneState.sol";
import { Outcome, outcomeOf } from "./types/Outcome.sol";
import { Clauses, LenderWord, PackedOffer } from "./types/PackedOffer.sol";
import { ABSENT, ENDED, Phase, RUNNING, phaseOf } from "./types/Phase.sol";

/// @title RentalEscrow
/// @notice See the documentation in {IRentalEscrow}.
contract RentalEscrow is IRentalEscrow, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /*//////////////////////////////////////////////////////////////////////////
                                      CONSTANTS
    //////////////////////////////////////////////////////////////////////////*/

    address private constant NATIVE = address(0);

    /// @dev How long an arbiter may think before anyone can close the rental.
    uint256 private constant ARBITER_TIME = 7 days;

    uint256 private constant BY_RENTERS_END = 1;
    uint256 private constant BY_TIME = 2;
    uint256 private constant BY_RECEIPT = 3;
    uint256 private constant BY_RELEASE = 4;
    uint256 private constant BY_LENDERS_WORD = 5;
    uint256 private constant BY_RENTERS_WORD = 6;
    uint256 private constant BY_ARBITER = 7;
    uint256 private constant BY_SILENCE = 8;
    uint256 private constant BY_LENDERS_END = 9;

    /*//////////////////////////////////////////////////////////////////////////
                                       STATE
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev A word that can be passed as a place in storage.
    struct Lane {
        // slot 0
        LaneState state;
    }

    /// @dev A word that can be passed as a place in storage.
    struct Entry {
        // slot 0
        Account account;
    }

    mapping(uint256 laneKey => Lane lane) private _lanes;

    mapping(address token => mapping(address account => Entry entry)) private _entries;

    constructor() EIP712("ComputeHive RentalEscrow", "1") { }

    /*//////////////////////////////////////////////////////////////////////////
                                      READING
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function balanceOf(address token, address account) external view override returns (uint256) {
        return _entries[token][account].account.balance();
    }

    /// @inheritdoc IRentalEscrow
    function recordOf(
        address token,
        address account
    )
        external
        view
        override
        returns (uint256 secondsServed, uint256 settled, uint256 disputed, uint256 slashed)
    {
        Account entry = _entries[token][account].account;
        return (entry.secondsServed(), entry.settled(), entry.disputed(), entry.slashed());
    }

    /// @inheritdoc IRentalEscrow
    function laneState(
        address lender,
        uint64 lane
    )
        external
        view
        override
        returns (bool isRented, uint64 sequence, bytes32 key)
    {
        LaneState state = _lanes[_laneKey(lender, lane)].state;
        if (state.isRented()) {
            return (true, 0, LaneState.unwrap(state));
        }
        // An idle lane's number fits: it grows by one from zero.
        // forge-lint: disable-next-line(unsafe-typecast)
        return (false, uint64(state.sequence()), 0);
    }

    /// @inheritdoc IRentalEscrow
    function hashOffer(PackedOffer calldata offer) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofOffer(offer));
    }

    /// @inheritdoc IRentalEscrow
    function hashReceipt(bytes32 offerHash, uint32 used) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofReceipt(offerHash, used));
    }

    /// @inheritdoc IRentalEscrow
    function hashRelease(bytes32 offerHash) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofRelease(offerHash));
    }

    /// @inheritdoc IRentalEscrow
    function hashConsent(bytes32 offerHash) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofConsent(offerHash));
    }

    /// @inheritdoc IRentalEscrow
    function hashExtension(bytes32 firstHash, bytes32 offerHash) public view override returns (bytes32 digest) {
        digest = _hashTypedDataV4(TypedHash.ofExtension(firstHash, offerHash));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      OPENING
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function open(PackedOffer calldata offer, bytes calldata lenderSignature) external payable override {
        // Check: the caller pays for itself only.
        address renter = offer.renterWord.renter();
        require(msg.sender == renter, Errors.CallerNotRenter(msg.sender, renter));

        // Check: the lender agreed. A wallet contract is asked by a static call and can change nothing.
        bytes32 offerHash = hashOffer(offer);
        _checkSignature(offer.lenderWord.lender(), offerHash, lenderSignature);

        _open(offer, offerHash);
    }

    /// @inheritdoc IRentalEscrow
    function openFor(
        PackedOffer calldata offer,
        bytes calldata lenderSignature,
        bytes calldata renterSignature,
        Permit calldata permit
    )
        external
        payable
        override
    {
        bytes32 offerHash = hashOffer(offer);
        address renter = offer.renterWord.renter();

        // Check: the renter agreed.
        if (msg.sender != renter) {
            _checkSignature(renter, hashConsent(offerHash), renterSignature);
        }

        // Check: the lender agreed.
        _checkSignature(offer.lenderWord.lender(), offerHash, lenderSignature);

        // Interaction: before the effects, since the pull needs the allowance; nothing is held by this contract yet.
        // One that fails was used by somebody else, or the pull fails.
        if (permit.deadline > 0) {
            try IERC20Permit(offer.tokenWord.token())
                .permit(renter, address(this), permit.value, permit.deadline, permit.v, permit.r, permit.s) { }
                catch { }
        }

        _open(offer, offerHash);
    }

    /// @inheritdoc IRentalEscrow
    function extend(
        PackedOffer calldata first,
        PackedOffer calldata offer,
        bytes calldata lenderSignature
    )
        external
        payable
        override
    {
        // Check: the caller pays for itself only.
        address renter = offer.renterWord.renter();
        require(msg.sender == renter, Errors.CallerNotRenter(msg.sender, renter));

        // Check: the second goes on where the first ends.
        (bytes32 firstHash, bytes32 offerHash) = (hashOffer(first), hashOffer(offer));
        address lender = offer.lenderWord.lender();
        require(
            first.lenderWord.lender() == lender && first.renterWord.renter() == renter
                && first.tokenWord.token() == offer.tokenWord.token() && first.clauses.end() == offer.clauses.start(),
            Errors.NotAnExtension(firstHash, offerHash)
        );

        // Check: the first is open and running.
        _requireOpen(first, RUNNING);

        // Check: the lender agreed to the pair.
        _checkSignature(lender, hashExtension(firstHash, offerHash), lenderSignature);

        emit Extended(firstHash, offerHash);

        _open(offer, offerHash);
    }

    /// @inheritdoc IRentalEscrow
    function cancelOffers(uint64 lane) external override {
        // Check: the lane is idle.
        Lane storage slot = _lanes[_laneKey(msg.sender, lane)];
        LaneState state = slot.state;
        require(!state.isRented(), Errors.LaneRented(msg.sender, lane, LaneState.unwrap(state)));

        // Effect: take the next number.
        uint256 next = state.sequence() + 1;
        slot.state = idle(next);

        // forge-lint: disable-next-line(unsafe-typecast)
        emit OffersCancelled(msg.sender, lane, uint64(next));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      CLOSING
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function end(PackedOffer calldata offer) external override {
        Clauses clauses = offer.clauses;

        // Checks and effects: the renter pays what it owes.
        if (msg.sender == offer.renterWord.renter()) {
            _close(offer, RUNNING, outcomeOf(BY_RENTERS_END, Terms.owed(clauses, block.timestamp), 0, 0));
            return;
        }

        // Check: the caller is the lender.
        require(msg.sender == offer.lenderWord.lender(), Errors.CallerNotParty(msg.sender));

        // Checks and effects: a lender that gives up gives everything back.
        if (block.timestamp <= clauses.start() + clauses.grace()) {
            uint256 slash = Terms.conceded(clauses, offer.tokenWord.bond(), block.timestamp);
            _close(offer, RUNNING, outcomeOf(BY_LENDERS_END, 0, slash, 0));
            return;
        }

        // Checks and effects: one that gave something shortens the rental.
        uint256 used = Terms.elapsed(clauses, block.timestamp);
        _endUnlessObjected(offer, ENDED, used, used);
    }

    /// @inheritdoc IRentalEscrow
    function reportNoShow(PackedOffer calldata offer) external override {
        Clauses clauses = offer.clauses;

        // Check: somebody can decide if the report is wrong.
        require(offer.arbiterWord.arbiter() != address(0), Errors.NoArbiter());

        if (msg.sender == offer.renterWord.renter()) {
            // Check: the lender should have started, and did so only just.
            uint256 start = clauses.start();
            require(block.timestamp >= start, Errors.TooEarly(start, block.timestamp));
            uint256 until = start + clauses.grace();
            require(block.timestamp <= until, Errors.TooLate(until, block.timestamp));

            // Checks and effects: everything goes back unless the lender objects, who claims all of it.
            _endUnlessObjected(offer, ABSENT, 0, clauses.duration());
        } else {
            // Check: the caller is the lender.
            require(msg.sender == offer.lenderWord.lender(), Errors.CallerNotParty(msg.sender));

            // Check: the renter had its time to come.
            require(clauses.noShowAfter() > 0, Errors.NoShowNotAgreed());
            uint256 from = clauses.start() + clauses.noShowAfter();
            require(block.timestamp >= from, Errors.TooEarly(from, block.timestamp));

            // Checks and effects: the renter pays for not coming unless it objects.
            uint256 used = Terms.absent(clauses, block.timestamp);
            _endUnlessObjected(offer, ENDED, used, used);
        }
    }

    /// @inheritdoc IRentalEscrow
    function settle(PackedOffer calldata offer) external override {
        // Check: the time lock is over.
        uint256 from = offer.clauses.unlock();
        require(block.timestamp >= from, Errors.TooEarly(from, block.timestamp));

        // Checks and effects: the rental is open; close it.
        _close(offer, RUNNING, outcomeOf(BY_TIME, offer.clauses.duration(), 0, 0));
    }

    /// @inheritdoc IRentalEscrow
    function settleMany(PackedOffer[] calldata offers) external override returns (uint256 settled) {
        for (uint256 i = 0; i < offers.length; ++i) {
            PackedOffer calldata offer = offers[i];

            // Check: the time lock is over, and the rental is open. Whoever was settled before keeps no other waiting.
            if (block.timestamp < offer.clauses.unlock()) continue;
            Lane storage lane = _lanes[offer.lenderWord.laneKey()];
            if (!lane.state.isRentedAs(offer, RUNNING)) continue;

            // Effect: close it.
            _share(lane, offer, RUNNING, outcomeOf(BY_TIME, offer.clauses.duration(), 0, 0));
            unchecked {
                ++settled;
            }
        }
    }

    /// @inheritdoc IRentalEscrow
    function settleEnded(PackedOffer calldata offer, Phase phase) external override {
        // Check: a party said so, and the other one may not object any more or agrees.
        require(phase.isEnded() || phase.isAbsent(), Errors.WrongPhase(phase.kind()));
        if (msg.sender != (phase.isEnded() ? offer.renterWord.renter() : offer.lenderWord.lender())) {
            uint256 from = phase.at() + offer.clauses.disputeWindow();
            require(block.timestamp >= from, Errors.TooEarly(from, block.timestamp));
        }

        // Checks and effects: the rental is open; close it.
        Outcome outcome = phase.isEnded()
            ? outcomeOf(BY_LENDERS_WORD, phase.used(), 0, 0)
            : outcomeOf(BY_RENTERS_WORD, 0, offer.tokenWord.bond(), 0);
        _close(offer, phase, outcome);
    }

    /// @inheritdoc IRentalEscrow
    function settleWithReceipt(
        PackedOffer calldata offer,
        Phase phase,
        uint32 used,
        bytes calldata renterSignature,
        bytes calldata lenderSignature
    )
        external
        override
    {
        // Check: the receipt stays within the window, and nobody else decides.
        require(used <= offer.clauses.duration(), Errors.UsedOverDuration(used, offer.clauses.duration()));
        require(!phase.isDisputed(), Errors.WrongPhase(phase.kind()));

        // Check: the renter agreed.
        bytes32 digest = hashReceipt(hashOffer(offer), used);
        _checkSignature(offer.renterWord.renter(), digest, renterSignature);

        // Check: the lender agreed, or is paid no less than by `end`: the renter writes itself no cheaper one.
        if (lenderSignature.length > 0) {
            _checkSignature(offer.lenderWord.lender(), digest, lenderSignature);
        } else if (msg.sender != offer.lenderWord.lender()) {
            uint256 accrued = phase.isEnded() ? phase.used() : Terms.owed(offer.clauses, block.timestamp);
            require(used >= accrued, Errors.ReceiptBelowAccrued(used, accrued));
        }

        // Checks and effects: the rental is open; close it.
        _close(offer, phase, outcomeOf(BY_RECEIPT, used, 0, 0));
    }

    /// @inheritdoc IRentalEscrow
    function release(PackedOffer calldata offer, Phase phase, bytes calldata lenderSignature) external override {
        // Check: nobody else decides.
        require(!phase.isDisputed(), Errors.WrongPhase(phase.kind()));

        // Check: the lender agreed.
        _checkSignature(offer.lenderWord.lender(), hashRelease(hashOffer(offer)), lenderSignature);

        // Checks and effects: the rental is open; close it.
        uint256 bond = offer.tokenWord.bond();
        uint256 slash = phase.isAbsent() ? bond : Terms.conceded(offer.clauses, bond, block.timestamp);
        _close(offer, phase, outcomeOf(BY_RELEASE, 0, slash, 0));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                      DISPUTES
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function dispute(
        PackedOffer calldata offer,
        Phase phase,
        bytes32 auditRoot,
        uint64 auditEntry
    )
        external
        payable
        override
    {
        // Check: somebody can decide, and nobody is asked to yet.
        require(offer.arbiterWord.arbiter() != address(0), Errors.NoArbiter());
        require(!phase.isDisputed(), Errors.WrongPhase(phase.kind()));

        // Check: the caller is whom the phase is held against.
        address party = phase.isAbsent() ? offer.lenderWord.lender() : offer.renterWord.renter();
        require(msg.sender == party, Errors.CallerNotParty(msg.sender));

        // Check: the time to object is not over.
        uint256 until = phase.isRunning() ? offer.clauses.unlock() : phase.at() + offer.clauses.disputeWindow();
        require(block.timestamp < until, Errors.TooLate(until, block.timestamp));

        // Check: the rental is open in that phase.
        Lane storage lane = _requireOpen(offer, phase);

        // Effect: freeze it.
        Phase next = Terms.disputed(offer.clauses, phase, block.timestamp);
        lane.state = rented(offer, next);

        // Effect: take the bond.
        address token = offer.tokenWord.token();
        uint256 fromWallet = _debit(token, msg.sender, offer.arbiterWord.disputeBond());

        emit Disputed(offer.lenderWord, next, auditRoot, auditEntry);

        // Interaction: pull what the ledger lacks.
        _pullRest(token, msg.sender, fromWallet);
    }

    /// @inheritdoc IRentalEscrow
    function resolve(
        PackedOffer calldata offer,
        Phase phase,
        uint32 used,
        uint96 slash,
        uint96 forfeit
    )
        external
        override
    {
        // Check: the caller decides, on what is disputed.
        address arbiter = offer.arbiterWord.arbiter();
        require(msg.sender == arbiter, Errors.CallerNotArbiter(msg.sender, arbiter));
        require(phase.isDisputed(), Errors.WrongPhase(phase.kind()));

        // Check: the ruling stays within what is locked.
        require(used <= offer.clauses.duration(), Errors.UsedOverDuration(used, offer.clauses.duration()));
        require(slash <= offer.tokenWord.bond(), Errors.OverBond(slash, offer.tokenWord.bond()));
        uint256 disputeBond = offer.arbiterWord.disputeBond();
        require(forfeit <= disputeBond, Errors.OverBond(forfeit, disputeBond));

        // Checks and effects: the rental is open; close it.
        _close(offer, phase, outcomeOf(BY_ARBITER, used, slash, forfeit));
    }

    /// @inheritdoc IRentalEscrow
    function resolveSilent(PackedOffer calldata offer, Phase phase) external override {
        // Check: the arbiter had its time.
        require(phase.isDisputed(), Errors.WrongPhase(phase.kind()));
        uint256 from = phase.at() + ARBITER_TIME;
        require(block.timestamp >= from, Errors.TooEarly(from, block.timestamp));

        // Checks and effects: the rental is open; close it.
        _close(offer, phase, outcomeOf(BY_SILENCE, phase.used(), 0, 0));
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       LEDGER
    //////////////////////////////////////////////////////////////////////////*/

    /// @inheritdoc IRentalEscrow
    function deposit(address token, uint256 amount) external payable override {
        // Check: there is something to deposit, and no coin beside it.
        require(amount > 0, Errors.AmountZero());
        require(amount <= type(uint128).max, Errors.AmountTooLarge(amount));
        uint256 value = token == NATIVE ? amount : 0;
        require(msg.value == value, Errors.ValueMismatch(msg.value, value));

        // Effect: credit the account. Nothing can spend it before the pull below is proved exact: every way out of the
        // ledger that moves tokens shares the pull's lock.
        _credit(_entries[token][msg.sender], amount);

        emit Deposited(token, msg.sender, amount);

        // Interaction: pull the tokens.
        _pullRest(token, msg.sender, amount);
    }

    /// @inheritdoc IRentalEscrow
    function withdraw(address token, uint256 amount, address to) external override {
        // Check: there is something to withdraw, and somebody to receive it.
        require(amount > 0, Errors.AmountZero());
        require(to != address(0) && to != address(this), Errors.InvalidReceiver(to));

        // Check and effect: debit the account.
        _debitLedger(token, msg.sender, amount);

        emit Withdrawn(token, msg.sender, to, amount);

        // Interaction: send the money.
        if (token == NATIVE) {
            require(LowLevelCall.callNoReturn(to, amount, ""), Errors.NativeTransferFailed(to, amount));
        } else {
            _push(token, amount, to);
        }
    }

    /*//////////////////////////////////////////////////////////////////////////
                                OPENING AND CLOSING
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev Opens a rental that both parties agreed to: the only place where money is locked, but for a dispute's bond.
    function _open(PackedOffer calldata offer, bytes32 offerHash) private {
        // Check: the terms make sense, and time is left of the window.
        Terms.check(offer.clauses, block.timestamp);

        // Check and effect: the lane waits for this very offer; occupy it.
        _occupy(offer);

        // Effect: take from the ledger the lender's bond, and what the renter's wallet does not pay.
        address token = offer.tokenWord.token();
        address lender = offer.lenderWord.lender();
        uint256 bond = offer.tokenWord.bond();
        if (bond > 0) {
            _debitLedger(token, lender, bond);
        }
        address renter = offer.renterWord.renter();
        uint256 fromWallet = _debit(token, renter, Terms.cost(offer));

        // Log: before the interaction, so that events of a reentering token come in the order of the effects.
        emit Opened(offerHash, lender, renter, offer);

        // Interaction: pull the rest. Native coin came with the call.
        _pullRest(token, renter, fromWallet);
    }

    function _occupy(PackedOffer calldata offer) private {
        Lane storage lane = _lanes[offer.lenderWord.laneKey()];
        LaneState state = lane.state;
        if (!state.isIdleAt(offer.lenderWord.sequence())) {
            _revertBusy(offer.lenderWord, state);
        }
        lane.state = rented(offer, RUNNING);
    }

    /// @dev Enters a phase in which a party's word closes the rental unless the other one objects.
    function _endUnlessObjected(PackedOffer calldata offer, uint256 kind, uint256 used, uint256 claimed) private {
        // Check: there is something left to end.
        uint256 until = offer.clauses.end();
        require(block.timestamp < until || kind == ABSENT, Errors.TooLate(until, block.timestamp));

        // Check: the rental is open and running.
        Lane storage lane = _requireOpen(offer, RUNNING);

        // Effect: remember what was said.
        Phase phase = phaseOf(kind, block.timestamp, used, claimed);
        lane.state = rented(offer, phase);

        emit Ended(offer.lenderWord, phase);
    }

    function _close(PackedOffer calldata offer, Phase phase, Outcome outcome) private {
        _share(_requireOpen(offer, phase), offer, phase, outcome);
    }

    /// @dev Checks that the offer is the one open on its lane, in that phase.
    function _requireOpen(PackedOffer calldata offer, Phase phase) private view returns (Lane storage lane) {
        lane = _lanes[offer.lenderWord.laneKey()];
        require(lane.state.isRentedAs(offer, phase), Errors.NotOpen(offer.lenderWord));
    }

    /// @dev Closes a rental that is open in `phase`: the only place where locked money is shared out. Calls nobody.
    function _share(Lane storage lane, PackedOffer calldata offer, Phase phase, Outcome outcome) private {
        // Effect: free the lane for the next number.
        unchecked {
            lane.state = idle(offer.lenderWord.sequence() + 1);
        }

        // Effect: share what is locked, and count the rental in the lender's slot if that is written anyway.
        (uint256 toLender, uint256 toRenter) = Terms.shares(offer, phase, outcome);
        mapping(address account => Entry entry) storage entries = _entries[offer.tokenWord.token()];
        if (toLender > 0 || phase.isDisputed()) {
            Entry storage entry = entries[offer.lenderWord.lender()];
            entry.account = entry.account.credited(toLender).counting(phase, outcome);
        }
        _credit(entries[offer.renterWord.renter()], toRenter);

        emit Settled(offer.lenderWord, outcome);
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       CHECKS
    //////////////////////////////////////////////////////////////////////////*/

    /// @dev A lane as a {LenderWord} knows it.
    function _laneKey(address lender, uint64 lane) private pure returns (uint256) {
        return uint256(uint160(lender)) << 64 | lane;
    }

    /// @dev A key's signature is tried first, since an account may have both a key and code (EIP-7702).
    function _checkSignature(address signer, bytes32 digest, bytes calldata signature) private view {
        (address recovered, ECDSA.RecoverError problem,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (problem == ECDSA.RecoverError.NoError && recovered == signer) {
            return;
        }
        require(
            signer.code.length > 0 && SignatureChecker.isValidERC1271SignatureNowCalldata(signer, digest, signature),
            Errors.InvalidSignature(signer, digest)
        );
    }

    /// @dev Says why a lane cannot take an offer.
    function _revertBusy(LenderWord lenderWord, LaneState state) private pure {
        (address lender, uint64 lane) = (lenderWord.lender(), lenderWord.lane());
        if (state.isRented()) {
            revert Errors.LaneRented(lender, lane, LaneState.unwrap(state));
        }
        revert Errors.SequenceMismatch(lender, lane, state.sequence(), lenderWord.sequence());
    }

    /*//////////////////////////////////////////////////////////////////////////
                                       MONEY
    //////////////////////////////////////////////////////////////////////////*/

    function _credit(Entry storage entry, uint256 amount) private {
        if (amount == 0) return;
        entry.account = entry.account.credited(amount);
    }

    function _debitLedger(address token, address account, uint256 amount) private {
        Entry storage entry = _entries[token][account];
        Account before = entry.account;
        uint256 balance = before.balance();
        require(amount <= balance, Errors.InsufficientBalance(token, account, balance, amount));
        entry.account = before.debited(amount);
    }

    /// @dev Takes `amount` from an account and from what came with the call, and says what is left to be pulled.
    ///
    /// Native coin: the caller chose by `msg.value` how much the ledger pays. A fixed share of the ledger's cannot be
    /// upset by a refund that somebody triggers just before. Tokens: the ledger pays what it can.
    function _debit(address token, address account, uint256 amount) private returns (uint256 fromWallet) {
        if (token == NATIVE) {
            // Check: no excess is sent.
            require(msg.value <= amount, Errors.ValueMismatch(msg.value, amount));

            // Check and effect: the ledger covers the rest.
            if (msg.value < amount) {
                _debitLedger(NATIVE, account, amount - msg.value);
            }
            return 0;
        }

        // Check: no coin is sent beside a token.
        require(msg.value == 0, Errors.ValueMismatch(msg.value, 0));

        // Effect: debit the ledger.
        Entry storage entry = _entries[token][account];
        Account before = entry.account;
        uint256 balance = before.balance();
        uint256 fromLedger = balance < amount ? balance : amount;
        if (fromLedger > 0) {
            entry.account = before.debited(fromLedger);
        }
        unchecked {
            return amount - fromLedger;
        }
    }

    function _pullRest(address token, address from, uint256 amount) private {
        if (token != NATIVE && amount > 0) {
            _pull(token, from, amount);
        }
    }

    /// @dev Pulls tokens and demands that exactly `amount` arrives. The lock keeps a token that calls back from having
    /// one arrival counted twice.
    function _pull(address token, address from, uint256 amount) private nonReentrant {
        uint256 before = _held(token);
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 moved = _difference(_held(token), before);
        require(moved == amount, Errors.TransferInexact(token, amount, moved));
    }

    /// @dev Sends tokens and demands that exactly `amount` leaves: a token that takes a fee on top would take it from
    /// the other accounts.
    function _push(address token, uint256 amount, address to) private nonReentrant {
        uint256 before = _held(token);
        IERC20(token).safeTransfer(to, amount);
        uint256 moved = _difference(before, _held(token));
        require(moved == amount, Errors.TransferInexact(token, amount, moved));
    }

    /// @dev `IERC20(token).balanceOf(address(this))` without its allocations, which each opening from a wallet pays
    /// twice. An account without code answers nothing, and that is refused as it is by Solidity.
    function _held(address token) private view returns (uint256 held) {
        bytes4 selector = IERC20.balanceOf.selector;
        // In the scratch space. `and` asks first, and looks at the answer's length then.
        assembly ("memory-safe") {
            mstore(0x00, selector)
            mstore(0x04, address())
            if iszero(and(gt(returndatasize(), 0x1f), staticcall(gas(), token, 0x00, 0x24, 0x00, 0x20))) {
                let to := mload(0x40)
                returndatacopy(to, 0x00, returndatasize())
                revert(to, returndatasize())
            }
            held := mload(0x00)
        }
    }

    /// @dev `more - less`, or zero if a token moved the wrong way.
    function _difference(uint256 more, uint256 less) private pure returns (uint256) {
        return more > less ? more - less : 0;
    }
}
