// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice How far an open rental is on its way out, in one word that the events carry and the next call brings back:
/// `kind` (8 bits), `at` (40), `used` (32), `claimed` (32), zeros.
/// @dev Zero means running. `at` is when the phase began. `used` is for how many seconds the renter pays if nobody
/// objects or decides; `claimed` is for how many it pays if the lender is right.
type Phase is uint256;

using { kind, at, used, claimed, isRunning, isEnded, isAbsent, isDisputed, isDisputedByRenter } for Phase global;

/// @dev The lender ended it, or reported that the renter never came.
uint256 constant ENDED = 1;
/// @dev The renter reported that the lender never started.
uint256 constant ABSENT = 2;
uint256 constant DISPUTED_BY_RENTER = 3;
uint256 constant DISPUTED_BY_LENDER = 4;

Phase constant RUNNING = Phase.wrap(0);

/// @notice A phase that begins at `time`. Lengths are at most a window's, times fit into 40 bits until the year 36812.
function phaseOf(uint256 ofKind, uint256 time, uint256 used_, uint256 claimed_) pure returns (Phase) {
    return Phase.wrap(ofKind << 248 | time << 208 | used_ << 176 | claimed_ << 144);
}

function kind(Phase self) pure returns (uint256) {
    return Phase.unwrap(self) >> 248;
}

// forge-lint: disable-start(unsafe-typecast)

function at(Phase self) pure returns (uint256) {
    return uint40(Phase.unwrap(self) >> 208);
}

function used(Phase self) pure returns (uint256) {
    return uint32(Phase.unwrap(self) >> 176);
}

function claimed(Phase self) pure returns (uint256) {
    return uint32(Phase.unwrap(self) >> 144);
}

// forge-lint: disable-end(unsafe-typecast)

function isRunning(Phase self) pure returns (bool) {
    return Phase.unwrap(self) == 0;
}

function isEnded(Phase self) pure returns (bool) {
    return kind(self) == ENDED;
}

function isAbsent(Phase self) pure returns (bool) {
    return kind(self) == ABSENT;
}

function isDisputed(Phase self) pure returns (bool) {
    return kind(self) >= DISPUTED_BY_RENTER;
}

function isDisputedByRenter(Phase self) pure returns (bool) {
    return kind(self) == DISPUTED_BY_RENTER;
}
